/** The build of the reference guest, stage by stage, into a folder that becomes the cached guest. */
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fetchPackages, type Package } from './apt.ts';
import { command } from './command.ts';
import { buildDisk } from './disk.ts';
import { buildInitramfs } from './initramfs.ts';
import { modeImage, writeSidecar } from './mode-image.ts';
import { stageStore } from './store.ts';
import { GUEST_BOOT_MODES } from './syslinux.ts';
import { buildTree, linkLibraries } from './tree.ts';

export interface BuildOptions {
  /** Exists and is empty; gets images, sidecars, key, closure and the list of packages. */
  readonly out: string;
  /** Exists and is empty; removed by the caller. */
  readonly scratch: string;
  /** Packages are kept in `apt` of this folder. */
  readonly cacheDir: string;
  /** The folder of plain files for the guest. */
  readonly files: string;
  readonly recipeDigest: string;
  readonly log: (line: string) => void;
}

const MIB = 1024 * 1024;

function mib(bytes: number): string {
  return `${Math.round(bytes / MIB)} MiB`;
}

/** Takes the kernel out of the tree: it lives in the boot partition. */
async function takeKernel(tree: string, to: string): Promise<void> {
  const kernels = (await readdir(join(tree, 'boot'))).filter((name) => name.startsWith('vmlinuz-'));
  const [kernel, ...others] = kernels;
  if (kernel === undefined || others.length > 0) {
    throw new Error(`one kernel was expected in the packages, found: ${kernels.join(' ') || 'none'}`);
  }
  await rename(join(tree, 'boot', kernel), to);
}

async function writeLists(out: string, packages: readonly Package[], closure: string): Promise<void> {
  const list = packages.map(({ name, version, sha256 }) => `${name} ${version} ${sha256}\n`).join('');
  await writeFile(join(out, 'packages.txt'), list);
  await writeFile(join(out, 'closure'), `${closure}\n`);
}

/** Builds it. Each stage is a line of `log` with the seconds since the start. */
export async function buildGuest(options: BuildOptions): Promise<void> {
  const { out, scratch, files } = options;
  const started = Date.now();
  const stage = (line: string): void =>
    options.log(`reference guest, ${((Date.now() - started) / 1000).toFixed(1)} s: ${line}`);

  stage('package index and downloads (about 80 MB where the cache has none)');
  const packages = await fetchPackages({ workDir: join(scratch, 'apt'), cacheDir: options.cacheDir, log: stage });

  stage(`${packages.length} packages verified; unpacking`);
  const keyPath = join(out, 'id_ed25519');
  await command('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'bootwitness-reference', '-f', keyPath]);
  const tree = join(scratch, 'tree');
  const authorizedKey = await readFile(`${keyPath}.pub`, 'utf8');
  await buildTree({ tree, packages, files: join(files, 'root'), authorizedKey });

  stage('staging the store');
  const { closure } = await stageStore({ tree, files, packages, recipeDigest: options.recipeDigest });
  await linkLibraries(tree);

  stage('kernel and initramfs');
  const [kernel, initramfs] = [join(scratch, 'vmlinuz'), join(scratch, 'initrd.img')];
  await buildInitramfs({ tree, init: join(files, 'initramfs/init'), out: initramfs });
  await takeKernel(tree, kernel);
  await rm(join(tree, 'usr/lib/modules'), { recursive: true });

  stage('disk images');
  const [first, ...others] = GUEST_BOOT_MODES;
  const image = join(out, `${first}.raw`);
  const disk = await buildDisk({ tree, kernel, initramfs, bootMode: first, out: image, scratch });
  await writeSidecar(image, { closure, bootMode: first });
  for (const bootMode of others) {
    const path = join(out, `${bootMode}.raw`);
    await modeImage({ base: image, out: path, bootMode, root: 'named', scratch });
    await writeSidecar(path, { closure, bootMode });
  }
  await writeLists(out, packages, closure);
  stage(
    `built; each of ${GUEST_BOOT_MODES.length} images is ${mib(disk.sizeBytes)}, ${mib(disk.allocatedBytes)} on disk`,
  );
}
