/**
 * Joins what the caller asked for with what the lab file says: flags > environment > lab file >
 * defaults. What is missing is misuse, found before anything is created.
 */
import { readFileSync } from 'node:fs';
import { checkUrl, type Request, readTokenFile } from './config.ts';
import { Fault } from './faults.ts';
import { type LabFile, loadLabFile, parseLabFile } from './lab-file.ts';
import type { BootMode, GuestPaths } from './model.ts';
import type { Secret } from './secrets.ts';
import { loadPrivateKey } from './ssh.ts';
import type { XoLabSettings } from './xcpng/settings.ts';

/** How long an object of ours may live before it counts as left over. */
const CLAIM_TTL_MS = 4 * 60 * 60_000;

/** A lab that can be opened, and the defaults it brings. */
export interface Prepared {
  readonly settings: XoLabSettings;
  readonly budgetScale: number;
  readonly sshUser: string;
  readonly paths: Partial<GuestPaths>;
  readonly controlPath: string | null;
  /** @throws Fault BAD_KEY where neither the caller nor the lab file names one. */
  sshKey(): Buffer;
  /** The lab's own key where it names one; it was put into the control image. */
  controlKey(otherwise: Buffer): Buffer;
  /** @throws Fault BAD_IMAGE where no image is configured and the lab is not the embedded one. */
  defaultImage(): string;
}

/** @param embeddedLabFile path that the embedded lab printed; null for any other lab. */
export function prepareLab(request: Request, embeddedLabFile: string | null, bootMode: BootMode): Prepared {
  const file = labFile(request, embeddedLabFile);
  const controlPath = request.control === 'none' ? null : (request.control ?? file.control[bootMode] ?? null);
  return {
    settings: settings(request, file),
    budgetScale: file.budgetScale,
    sshUser: file.sshUser,
    paths: file.paths,
    controlPath,
    sshKey: () => {
      if (file.sshKey !== null) return loadPrivateKey(file.sshKey);
      throw new Fault('BAD_KEY', '--ssh-key: expected a private key, given nothing (nor in the lab file as ssh.key)');
    },
    controlKey: (otherwise) => (file.sshKey === null ? otherwise : loadPrivateKey(file.sshKey)),
    defaultImage: () => {
      const reference = file.kind === 'embedded' ? file.reference[bootMode] : undefined;
      if (reference !== undefined) return reference;
      throw new Fault(
        'BAD_IMAGE',
        '--image: expected a disk image, given nothing; only the embedded lab has one of its own',
      );
    },
  };
}

function labFile(request: Request, embeddedLabFile: string | null): LabFile {
  if (embeddedLabFile !== null) return loadLabFile(embeddedLabFile);
  if (request.lab.kind === 'file') return loadLabFile(request.lab.path);
  // No file: everything comes from options, the rest are the defaults of an empty lab file.
  return parseLabFile('--xo-url', `name = "xo"\n[xo]\nurl = ${JSON.stringify(request.xoUrl ?? '')}\n`);
}

function settings(request: Request, file: LabFile): XoLabSettings {
  return {
    name: file.name,
    kind: file.kind,
    url: request.xoUrl ?? checkUrl(`${file.path}: xo.url`, file.url),
    credential: { token: token(request, file) },
    tls: { insecure: file.insecure, caPem: file.caFile === null ? null : caPem(file.caFile) },
    template: file.template,
    sr: file.sr,
    network: file.network,
    shape: { firmware: file.firmware, memoryMiB: file.memoryMiB, cpus: file.cpus },
    slots: file.slots,
    sshPort: file.sshPort,
    serialPath: file.serialPath,
    claimTtlMs: CLAIM_TTL_MS,
  };
}

function token(request: Request, file: LabFile): Secret {
  if (request.xoToken !== null) return request.xoToken;
  if (file.tokenFile !== null) return readTokenFile(`${file.path}: xo.token_file`, file.tokenFile);
  throw new Fault(
    'BAD_OPTION',
    '--xo-token-file: expected a file that holds a token, given nothing (nor BOOTWITNESS_XO_TOKEN)',
  );
}

function caPem(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new Fault('BAD_LAB_FILE', `xo.ca_file: expected a PEM file that can be read, given ${path}`, { cause });
  }
}
