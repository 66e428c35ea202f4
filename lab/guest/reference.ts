/**
 * The reference guest: builds it on first use, afterwards finds it in the cache. Real GNU Guile,
 * fibers, gnutls and Shepherd on Debian, laid out as Fruix lays them out, in both boot modes.
 */
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fetchPackages, mib } from './recipe/apt.ts';
import { command } from './recipe/command.ts';
import { recipeDigest } from './recipe/digest.ts';
import { buildDisk } from './recipe/disk.ts';
import { buildInitramfs } from './recipe/initramfs.ts';
import { lock } from './recipe/lock.ts';
import { stageStore } from './recipe/store.ts';
import { GUEST_BOOT_MODES, type GuestBootMode } from './recipe/syslinux.ts';
import { buildTree, linkLibraries } from './recipe/tree.ts';
import { makeVariant, sidecarOf } from './variant.ts';

/** A built reference guest. All paths are absolute. */
export interface ReferenceGuest {
  readonly dir: string;
  /** Raw disk images by boot mode. */
  readonly images: Readonly<Record<GuestBootMode, string>>;
  /** Private key that may log in as root: OpenSSH format, ed25519, mode 0600. */
  readonly keyPath: string;
  /** Store path in the guest that /run/current-system leads to. */
  readonly closure: string;
  readonly recipeDigest: string;
}

const HERE = dirname(fileURLToPath(import.meta.url));
const FILES = join(HERE, 'files');
const BUILDING = 'building-';

function found(dir: string, digest: string, closure: string): ReferenceGuest {
  const image = (mode: GuestBootMode): string => join(dir, `${mode}.raw`);
  return {
    dir,
    images: {
      'freebsd-init+rc.d-shepherd': image('freebsd-init+rc.d-shepherd'),
      'shepherd-pid1': image('shepherd-pid1'),
    },
    keyPath: join(dir, 'id_ed25519'),
    closure,
    recipeDigest: digest,
  };
}

async function inCache(dir: string, digest: string): Promise<ReferenceGuest | null> {
  const exists = await access(dir).then(
    () => true,
    () => false,
  );
  if (!exists) return null;
  return found(dir, digest, (await readFile(join(dir, 'closure'), 'utf8')).trim());
}

async function build(work: string, cacheDir: string, digest: string, log: (line: string) => void): Promise<void> {
  const started = Date.now();
  const stage = (line: string): void =>
    log(`reference guest: ${line} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  const [out, scratch] = [join(work, 'out'), join(work, 'scratch')];
  for (const folder of [out, scratch]) await mkdir(folder);
  stage('packages: index and downloads');
  const packages = await fetchPackages({ workDir: join(scratch, 'apt'), cacheDir, log: stage });
  stage(`${packages.length} packages, checked; unpacking`);
  const keyPath = join(out, 'id_ed25519');
  await command('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'bootwitness-reference', '-f', keyPath]);
  const tree = join(scratch, 'tree');
  const authorizedKey = await readFile(`${keyPath}.pub`, 'utf8');
  await buildTree({ tree, packages, files: join(FILES, 'root'), authorizedKey });
  stage('staging the store');
  const { closure } = await stageStore({ tree, files: FILES, packages, recipeDigest: digest });
  await linkLibraries(tree);
  stage('kernel and initramfs');
  const initramfs = join(scratch, 'initrd.img');
  await buildInitramfs({ tree, init: join(FILES, 'initramfs/init'), out: initramfs });
  const kernel = join(scratch, 'vmlinuz');
  const kernels = (await readdir(join(tree, 'boot'))).filter((name) => name.startsWith('vmlinuz-'));
  if (kernels.length !== 1) throw new Error(`one kernel was expected in the packages, found: ${kernels.join(' ')}`);
  await rename(join(tree, 'boot', kernels.join('')), kernel);
  await rm(join(tree, 'usr/lib/modules'), { recursive: true });
  stage('disk image');
  const [first, ...others] = GUEST_BOOT_MODES;
  const image = join(out, `${first}.raw`);
  const disk = await buildDisk({ tree, kernel, initramfs, bootMode: first, out: image, workDir: scratch });
  await writeFile(sidecarOf(image), `${JSON.stringify({ closure, bootMode: first }, null, 2)}\n`);
  for (const bootMode of others) {
    await makeVariant({ base: image, out: join(out, `${bootMode}.raw`), bootMode, fault: null });
  }
  const list = packages.map(({ name, version, sha256 }) => `${name} ${version} ${sha256}\n`).join('');
  await writeFile(join(out, 'packages.txt'), list);
  await writeFile(join(out, 'closure'), `${closure}\n`);
  stage(`built: ${mib(disk.sizeBytes)} raw, ${mib(disk.allocatedBytes)} on disk, for each boot mode`);
}

/**
 * The reference guest, from `<cacheDir>/guest/<recipe digest>/` or built into it (about 10 s and
 * 75 MB of packages; these are kept in `<cacheDir>/apt`). Two builds at once wait for each other, a
 * killed one leaves nothing that is taken for a guest. `log` gets progress, a line at a time.
 */
export async function referenceGuest(options: {
  cacheDir: string;
  log: (line: string) => void;
}): Promise<ReferenceGuest> {
  const digest = await recipeDigest(HERE, ['files', 'recipe']);
  const root = join(options.cacheDir, 'guest');
  const dir = join(root, digest);
  const cached = await inCache(dir, digest);
  if (cached !== null) return cached;
  await mkdir(root, { recursive: true });
  const unlock = await lock(join(root, 'lock'), () => options.log('reference guest: waiting for another build of it'));
  try {
    const builtMeanwhile = await inCache(dir, digest);
    if (builtMeanwhile !== null) return builtMeanwhile;
    // We hold the lock: a folder of this kind belongs to a build that was killed.
    for (const name of await readdir(root)) {
      if (name.startsWith(BUILDING)) await rm(join(root, name), { recursive: true, force: true });
    }
    const work = await mkdtemp(join(root, BUILDING));
    try {
      await build(work, options.cacheDir, digest, options.log);
      await rename(join(work, 'out'), dir);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
    const built = await inCache(dir, digest);
    if (built === null) throw new Error(`the reference guest was built and is not in ${dir}`);
    return built;
  } finally {
    await unlock();
  }
}
