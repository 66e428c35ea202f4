/** What a lab's guests are: the backend that runs them, the images known to pass, the key that opens them. */
import { mkdir, writeFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import type { LabArguments } from './arguments.ts';
import type { Backend, KnownImage } from './backend.ts';
import { makeSshKeyPair } from './ssh-key.ts';
import { makeStandInImage } from './stand-in-image.ts';

const BOOT_MODES = ['freebsd-init+rc.d-shepherd', 'shepherd-pid1'] as const;
const GIB = 2 ** 30;
/** How much slower than a Xen or KVM host: measured under TCG; 1 elsewhere. */
const TCG_BUDGET_SCALE = 6;

export interface Guests {
  readonly backend: Backend;
  readonly images: Readonly<Record<string, string>>;
  readonly keyPath: string;
  readonly budgetScale: number;
  readonly hostMemoryBytes: number;
  /** Of these, what is used without any guest; undefined: what a control domain takes. */
  readonly hostUsedBytes?: number;
}

/** Guests of QEMU live in this machine's memory, or in that of its container. */
function memoryOfThisMachine(): Pick<Guests, 'hostMemoryBytes' | 'hostUsedBytes'> {
  const limit = process.constrainedMemory();
  const hostMemoryBytes = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  return { hostMemoryBytes, hostUsedBytes: hostMemoryBytes - Math.min(hostMemoryBytes, process.availableMemory()) };
}

async function qemuGuests({ cacheDir }: LabArguments, log: (line: string) => void): Promise<Guests> {
  const [{ qemuBackend }, { referenceGuest }] = await Promise.all([
    import('./qemu.ts'),
    import('./guest/reference.ts'),
  ]);
  const backend = qemuBackend({ log });
  const { images, keyPath } = await referenceGuest({ cacheDir, log });
  const budgetScale = backend.accelerator === 'kvm' ? 1 : TCG_BUDGET_SCALE;
  return { backend, images, keyPath, budgetScale, ...memoryOfThisMachine() };
}

async function simulatedGuests(
  { guestAnswers }: LabArguments,
  dir: string,
  sshPort: number,
  log: (line: string) => void,
): Promise<Guests> {
  const { simulatedBackend } = await import('./simulated/backend.ts');
  const imageDir = join(dir, 'images');
  await mkdir(imageDir);
  const { privateKey, publicKey } = makeSshKeyPair('embedded lab');
  const keyPath = join(dir, 'id_ed25519');
  await writeFile(keyPath, privateKey, { mode: 0o600 });
  const images: Record<string, string> = {};
  const known: KnownImage[] = [];
  for (const bootMode of BOOT_MODES) {
    const path = join(imageDir, `${bootMode}.raw`);
    await makeStandInImage(path, { closure: STAND_IN_CLOSURE, bootMode });
    images[bootMode] = path;
    known.push({ path, bootMode, closure: STAND_IN_CLOSURE });
  }
  const backend = simulatedBackend({
    log,
    sshPort,
    authorizedKey: publicKey,
    answersPath: guestAnswers,
    images: known,
  });
  // Hundreds of simulated guests fit into this machine, so also into the host that the pool shows.
  return { backend, images, keyPath, budgetScale: 1, hostMemoryBytes: 256 * GIB };
}

/** What the sidecars of stand-in images name, and simulated guests answer. */
export const STAND_IN_CLOSURE = '/frx/store/0123456789abcdfghijklmnpqrsvwxyz-fruix-system-simulated';

export function labGuests(
  wish: LabArguments,
  dir: string,
  sshPort: number,
  log: (line: string) => void,
): Promise<Guests> {
  return wish.backend === 'qemu' ? qemuGuests(wish, log) : simulatedGuests(wish, dir, sshPort, log);
}
