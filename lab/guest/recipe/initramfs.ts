/**
 * Makes the initramfs: a static busybox, the drivers of a disk and a network card, and a first
 * program that mounts the root file system. The root file system itself needs no kernel modules.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { command } from './command.ts';
import { type CpioEntry, cpio } from './cpio.ts';

/** Lists by the names that the first program loads them by; `emulated` only where no root file system is found. */
const MODULES = {
  virtio: ['virtio_blk', 'virtio_net'],
  xen: ['xen-blkfront', 'xen-netfront'],
  emulated: ['virtio_scsi', 'ata_piix', 'ahci', 'sd_mod'],
} as const;

const APPLETS = ['echo', 'grep', 'insmod', 'mount', 'sh', 'sleep', 'switch_root'];

const DIRECTORY = 0o40755;
const PROGRAM = 0o100755;
const FILE = 0o100644;
const LINK = 0o120777;

function moduleName(path: string): string {
  return basename(path).replace(/\.ko(?:\.xz)?$/, '');
}

/** Kernel modules name what they need in a section of NUL-ended `key=value` strings. */
function dependencies(module: Buffer): string[] {
  const text = module.toString('latin1');
  const found = /\0depends=([^\0]*)\0/.exec(text);
  if (found === null) throw new Error('a kernel module was expected to name its dependencies, and it does not');
  return (found[1] ?? '').split(',').filter((name) => name !== '');
}

/** `-` and `_` are the same in the names of kernel modules. */
function canonical(name: string): string {
  return name.replaceAll('-', '_');
}

async function decompressed(path: string): Promise<Buffer> {
  if (!path.endsWith('.xz')) return readFile(path);
  const out = path.replace(/\.xz$/, '');
  await command('xz', ['--decompress', '--keep', '--force', path]);
  return readFile(out);
}

/** Files of `wanted` and of what they need, in the order they load in. `paths` are all modules, by canonical name. */
async function loadOrder(
  wanted: readonly string[],
  paths: ReadonlyMap<string, string>,
  before: readonly string[] = [],
): Promise<string[]> {
  const order: string[] = [];
  for (const name of wanted) {
    const path = paths.get(canonical(name));
    if (path === undefined) throw new Error(`the kernel package has no module ${name}`);
    if (before.includes(path) || order.includes(path)) continue;
    order.push(...(await loadOrder(dependencies(await decompressed(path)), paths, [...before, ...order])), path);
  }
  return order;
}

/** Writes the initramfs for the kernel unpacked in `tree` to `out`. `init` is its first program. */
export async function buildInitramfs(options: { tree: string; init: string; out: string }): Promise<void> {
  const modulesRoot = join(options.tree, 'usr/lib/modules');
  const files = await readdir(modulesRoot, { recursive: true });
  const modules = files.filter((file) => /\.ko(?:\.xz)?$/.test(file)).map((file) => join(modulesRoot, file));
  const paths = new Map(modules.map((path) => [canonical(moduleName(path)), path]));
  const lists = await Promise.all(
    Object.entries(MODULES).map(async ([list, wanted]) => ({ list, order: await loadOrder(wanted, paths) })),
  );
  const packed = [...new Set(lists.flatMap(({ order }) => order))];
  const directories = ['bin', 'dev', 'modules', 'proc', 'root', 'sys'];
  const none = new Uint8Array(0);
  const entries: CpioEntry[] = [
    ...directories.map((path) => ({ path, mode: DIRECTORY, content: none })),
    { path: 'bin/busybox', mode: PROGRAM, content: await readFile(join(options.tree, 'usr/bin/busybox')) },
    ...APPLETS.map((name) => ({ path: `bin/${name}`, mode: LINK, content: Buffer.from('busybox') })),
    { path: 'init', mode: PROGRAM, content: await readFile(options.init) },
    ...lists.map(({ list, order }) => ({
      path: `modules/${list}`,
      mode: FILE,
      content: Buffer.from(order.map((path) => `${basename(path)}\n`).join('')),
    })),
    // Compressed, as they come: busybox's insmod lets the kernel decompress, and complains about plain ones.
    ...(await Promise.all(
      packed.map(async (path) => ({ path: `modules/${basename(path)}`, mode: FILE, content: await readFile(path) })),
    )),
  ];
  await writeFile(options.out, cpio(entries));
}
