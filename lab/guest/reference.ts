/**
 * The reference guest: builds it on first use, afterwards finds it in the cache. Real GNU Guile,
 * fibers, gnutls and Shepherd on Debian, laid out as Fruix lays them out, in both boot modes.
 */
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeFolder } from '../make-folder.ts';
import { buildGuest } from './recipe/build.ts';
import { recipeDigest } from './recipe/digest.ts';
import { lock } from './recipe/lock.ts';
import type { GuestBootMode } from './recipe/syslinux.ts';

/** A built reference guest. All paths are absolute. */
export interface ReferenceGuest {
  readonly dir: string;
  /** Raw disk images by boot mode; a sidecar `<image>.bootwitness.json` lies beside each. */
  readonly images: Readonly<Record<GuestBootMode, string>>;
  /** Private key that may log in as root: OpenSSH format, ed25519, mode 0600. */
  readonly keyPath: string;
  /** Store path in the guest that /run/current-system leads to. */
  readonly closure: string;
  readonly recipeDigest: string;
}

const HERE = dirname(fileURLToPath(import.meta.url));
const FILES = join(HERE, 'files');
/** Everything that decides what is in the images. Variants are made from images and change none. */
const RECIPE = ['recipe', 'files/initramfs', 'files/root', 'files/closure', 'files/shepherd'];
const BUILDING = 'building-';

/** The guest in `dir`, or null where none was built. A guest gets its folder by one rename: it is whole or absent. */
async function inCache(dir: string, digest: string): Promise<ReferenceGuest | null> {
  const closure = await readFile(join(dir, 'closure'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (closure === null) return null;
  return {
    dir,
    images: {
      'freebsd-init+rc.d-shepherd': join(dir, 'freebsd-init+rc.d-shepherd.raw'),
      'shepherd-pid1': join(dir, 'shepherd-pid1.raw'),
    },
    keyPath: join(dir, 'id_ed25519'),
    closure: closure.trim(),
    recipeDigest: digest,
  };
}

async function buildInto(dir: string, cacheDir: string, digest: string, log: (line: string) => void): Promise<void> {
  const root = dirname(dir);
  // The caller holds the lock, so a folder of this kind belongs to a build that was killed.
  for (const name of await readdir(root)) {
    if (name.startsWith(BUILDING)) await rm(join(root, name), { recursive: true, force: true });
  }
  const work = await mkdtemp(join(root, BUILDING));
  // The modes of the guest's files must not depend on who builds it.
  const umask = process.umask(0o022);
  try {
    const [out, scratch] = [join(work, 'out'), join(work, 'scratch')];
    await mkdir(out);
    await mkdir(scratch);
    await buildGuest({ out, scratch, cacheDir, files: FILES, recipeDigest: digest, log });
    await rename(out, dir);
  } finally {
    process.umask(umask);
    await rm(work, { recursive: true, force: true });
  }
}

/**
 * The reference guest, from `<cacheDir>/guest/<recipe digest>/` or built into it: about 12 s, with
 * 80 MB of packages that are kept in `<cacheDir>/apt`. Two builds at once wait for each other, and a
 * killed one leaves nothing that is taken for a guest. `log` gets progress, a line at a time.
 */
export async function referenceGuest(options: {
  cacheDir: string;
  log: (line: string) => void;
}): Promise<ReferenceGuest> {
  const cacheDir = resolve(options.cacheDir);
  const digest = await recipeDigest(HERE, RECIPE);
  const root = join(cacheDir, 'guest');
  const dir = join(root, digest);
  const cached = await inCache(dir, digest);
  if (cached !== null) return cached;
  makeFolder('--cache-dir', root);
  const unlock = await lock(join(root, 'lock'), () =>
    options.log('reference guest: another run is building one, waiting'),
  );
  try {
    if ((await inCache(dir, digest)) === null) await buildInto(dir, cacheDir, digest, options.log);
    const built = await inCache(dir, digest);
    if (built === null) throw new Error(`the reference guest was expected in ${dir} after its build, and is not there`);
    return built;
  } finally {
    await unlock();
  }
}
