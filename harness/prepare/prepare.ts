/**
 * Joins what the caller asked for with what the lab file says: flags > environment > lab file >
 * defaults. What is missing is misuse, found before anything is created.
 */
import { readFileSync } from 'node:fs';
import { Fault } from '../faults/faults.ts';
import type { BootMode, GuestPaths } from '../model.ts';
import { checkUrl, type Request, readSecretFile } from '../options/config.ts';
import { refuseContradictions } from '../options/contradictions.ts';
import { bad } from '../options/given.ts';
import { loadLabFile, parseLabFile } from '../options/lab-file.ts';
import type { LabFile } from '../options/lab-tables.ts';
import type { JumpHost } from '../ssh/jump-host.ts';
import type { Credential, XoLabSettings } from '../xcpng/settings.ts';
import { addressSources } from './prepare-addresses.ts';
import { type Logins, prepareLogins } from './prepare-login.ts';

const HOUR_MS = 60 * 60_000;
const GIB = 2 ** 30;
/** XO polls its pool every 200 ms; five times that for a busy one. */
const SETTLE_MS = 1_000;

/** A lab that can be opened, and the defaults it brings. */
export interface Prepared extends Logins {
  readonly settings: XoLabSettings;
  readonly budgetScale: number;
  /** Null: as the scenario says. */
  readonly boots: number | null;
  readonly keepHours: number;
  readonly paths: Partial<GuestPaths>;
  readonly controlPath: string | null;
  /** @throws Fault BAD_IMAGE where no image is configured and the lab is not the embedded one. */
  defaultImage(): string;
}

/** @param embeddedLabFile path that the embedded lab printed; null for any other lab. */
export function prepareLab(request: Request, embeddedLabFile: string | null, bootMode: BootMode): Prepared {
  const file = labFile(request, embeddedLabFile);
  refuseContradictions(request, file);
  const logins = prepareLogins(request, file);
  const controlPath = request.control === 'none' ? null : (request.control ?? file.control[bootMode] ?? null);
  return {
    settings: settings(request, file, logins.jump),
    budgetScale: file.budgetScale,
    ...{ boots: file.boots, keepHours: file.keepHours },
    paths: file.paths,
    controlPath,
    ...logins,
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

/** The lab alone, without images and keys. @throws Fault of the caller */
export function prepareSettings(request: Request): XoLabSettings {
  const file = labFile(request, null);
  refuseContradictions(request, file);
  return settings(request, file, null);
}

function labFile(request: Request, embeddedLabFile: string | null): LabFile {
  const file = wholeLabFile(request, embeddedLabFile);
  if (request.cache === 'on' && file.cache === null) {
    const expected = 'a [cache] in the lab file, or --cache-sr, --cache-gib and --cache-chain-max';
    throw bad('--cache', expected, 'on without');
  }
  return request.cache === 'off' ? { ...file, cache: null } : file;
}

function wholeLabFile({ lab, overrides }: Request, embeddedLabFile: string | null): LabFile {
  if (embeddedLabFile !== null) return loadLabFile(embeddedLabFile, overrides);
  if (lab.kind === 'file') return loadLabFile(lab.path, overrides);
  // No file: everything comes from options, the rest are the defaults of an empty lab file.
  return parseLabFile('no lab file', 'name = "xo"\n', overrides);
}

function settings(request: Request, file: LabFile, jump: JumpHost | null): XoLabSettings {
  const { xo, placement, fixed, cache } = file;
  return {
    name: file.name,
    kind: file.kind,
    url: checkUrl(xo.urlFrom, xo.url),
    credential: credential(request, file),
    tls: {
      insecure: xo.insecure,
      caPem: xo.caFile === null ? null : caPem(xo.caFile),
      fingerprint: xo.fingerprint,
    },
    template: placement.template,
    sr: placement.sr,
    network: placement.network,
    host: placement.host,
    shape: {
      ...{ firmware: placement.firmware, nic: placement.nic },
      ...{ memoryMiB: placement.memoryMiB, cpus: placement.cpus },
    },
    cache: cache && {
      ...{ sr: cache.sr, bytesMax: cache.gib * GIB, chainMax: cache.chainMax },
      keepFailedMs: cache.keepFailedDays * 24 * HOUR_MS,
    },
    fixed: fixed && { ...fixed, lockWaitMs: fixed.lockWaitS * 1000 },
    // An operator's VM has a lock of its own.
    tickets: file.maxGuests === null || fixed ? null : { max: file.maxGuests, waitMs: file.ticketWaitS * 1000 },
    slots: file.slots,
    addressSources: addressSources(file, jump, request.childEnvironment),
    sshPort: file.ssh.port,
    serialPath: file.serialPath,
    settleMs: SETTLE_MS,
    claimTtlMs: file.claimHours * HOUR_MS,
  };
}

/** What the caller gave wins over the file; of one place, a token over a password. */
function credential({ xoToken, xoPassword }: Request, { path, xo }: LabFile): Credential {
  if (xoToken !== null) return { token: xoToken };
  if (xoPassword !== null && xo.email !== null) return { email: xo.email, password: xoPassword };
  if (xo.tokenFile !== null) {
    return { token: readSecretFile(`${path}: xo.token_file`, 'the token', xo.tokenFile) };
  }
  if (xo.email !== null && xo.passwordFile !== null) {
    const password = readSecretFile(`${path}: xo.password_file`, 'the password', xo.passwordFile);
    return { email: xo.email, password };
  }
  throw new Fault(
    'BAD_OPTION',
    '--xo-token-file: expected a file that holds a token, given nothing (nor BOOTWITNESS_XO_TOKEN, ' +
      'nor --xo-email with a password)',
  );
}

function caPem(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new Fault('BAD_LAB_FILE', `xo.ca_file: expected a PEM file that can be read, given ${path}`, { cause });
  }
}
