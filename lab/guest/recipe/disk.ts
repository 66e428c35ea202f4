/**
 * Makes the disk image: a sparse raw file with a GPT, a FAT boot partition with syslinux for BIOS and for UEFI (one
 * configuration, so one image boots both ways), and the ext4 root file system. Everything is written into the file: no
 * root, no mounts, no loops.
 */
import { existsSync } from 'node:fs';
import { open, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { command } from './command.ts';
import { BOOT_MIB, BOOT_OFFSET, DISK_BYTES, ROOT_MIB, ROOT_OFFSET, SECTOR_BYTES } from './layout.ts';
import { ownByRoot } from './owner.ts';
import { BOOT_PARTITION, type GuestBootMode, ROOT_PARTITION, syslinuxConfig } from './syslinux.ts';

/** Code in the first sector, before the table of the protective MBR. */
const BOOT_CODE_BYTES = 440;
const BOOT_CODE = ['/usr/lib/syslinux/mbr/gptmbr.bin', '/usr/lib/SYSLINUX/gptmbr.bin'];

/** What UEFI firmware runs where nothing else is said; then the part of syslinux that this loads from beside itself. */
const EFI_FILES = [
  { name: 'BOOTX64.EFI', source: '/usr/lib/SYSLINUX.EFI/efi64/syslinux.efi', package: 'syslinux-efi' },
  { name: 'ldlinux.e64', source: '/usr/lib/syslinux/modules/efi64/ldlinux.e64', package: 'syslinux-common' },
] as const;
const EFI_DIR = 'EFI/BOOT';
const MTOOLS = { env: { MTOOLS_SKIP_CHECK: '1', MTOOLSRC: '/dev/null' } };

async function bootCode(): Promise<Buffer> {
  for (const path of BOOT_CODE) {
    const code = await readFile(path).catch(() => null);
    if (code !== null) return code.subarray(0, BOOT_CODE_BYTES);
  }
  throw new Error(`${BOOT_CODE[0]} is missing: install syslinux-common`);
}

async function partition(image: string): Promise<void> {
  const sectors = (mebibytes: number): number => (mebibytes * 1024 * 1024) / SECTOR_BYTES;
  const [boot, root] = [
    `start=${BOOT_OFFSET / SECTOR_BYTES}, size=${sectors(BOOT_MIB)}`,
    `start=${ROOT_OFFSET / SECTOR_BYTES}, size=${sectors(ROOT_MIB)}`,
  ];
  const table = [
    'label: gpt',
    `${boot}, type=uefi, name="${BOOT_PARTITION}", attrs=LegacyBIOSBootable`,
    `${root}, type=linux, name="${ROOT_PARTITION}"`,
    '',
  ].join('\n');
  await command('sfdisk', ['--quiet', image], { input: table });
  const disk = await open(image, 'r+');
  try {
    await disk.write(await bootCode(), 0, undefined, 0);
  } finally {
    await disk.close();
  }
}

/** Puts a file into the boot partition of `image`, over one of the same name. */
export async function writeBootFile(image: string, source: string, name: string): Promise<void> {
  await command('mcopy', ['-o', '-i', `${image}@@${BOOT_OFFSET}`, source, `::/${name}`], MTOOLS);
}

async function writeEfiLoader(image: string): Promise<void> {
  await command('mmd', ['-i', `${image}@@${BOOT_OFFSET}`, '::/EFI', `::/${EFI_DIR}`], MTOOLS);
  for (const file of EFI_FILES) {
    if (!existsSync(file.source)) throw new Error(`${file.source} is missing: install ${file.package}`);
    await writeBootFile(image, file.source, `${EFI_DIR}/${file.name}`);
  }
}

/** Leaves `image` with its boot loader for BIOS alone. */
export async function removeEfiLoader(image: string): Promise<void> {
  await command('mdeltree', ['-i', `${image}@@${BOOT_OFFSET}`, '::/EFI'], MTOOLS);
}

/** Makes `out` from the root file system in `tree`; returns the bytes it takes on this machine's disk. */
export async function buildDisk(options: {
  tree: string;
  kernel: string;
  initramfs: string;
  bootMode: GuestBootMode;
  out: string;
  scratch: string;
}): Promise<{ sizeBytes: number; allocatedBytes: number }> {
  const { out } = options;
  await writeFile(out, '');
  await truncate(out, DISK_BYTES);
  await partition(out);
  await command('mkfs.fat', [
    ...['-F', '16', '-s', '4', '-n', 'FRUIXBOOT', '--offset', String(BOOT_OFFSET / SECTOR_BYTES)],
    ...['-h', String(BOOT_OFFSET / SECTOR_BYTES), out, String(BOOT_MIB * 1024)],
  ]);
  await command('syslinux', ['--install', '--offset', String(BOOT_OFFSET), out]);
  const config = join(options.scratch, 'syslinux.cfg');
  await writeFile(config, syslinuxConfig({ bootMode: options.bootMode, root: 'named' }));
  await writeBootFile(out, options.kernel, 'vmlinuz');
  await writeBootFile(out, options.initramfs, 'initrd.img');
  await writeBootFile(out, config, 'syslinux.cfg');
  await writeEfiLoader(out);
  // A small journal: guests of a harness are switched off hard, and nothing here runs fsck.
  await command('mke2fs', [
    ...['-q', '-t', 'ext4', '-b', '4096', '-m', '0', '-J', 'size=4', '-L', ROOT_PARTITION],
    ...['-E', `offset=${ROOT_OFFSET},root_owner=0:0,lazy_itable_init=0`, '-d', options.tree, out, `${ROOT_MIB}M`],
  ]);
  await ownByRoot({ image: out, tree: options.tree, scratch: options.scratch });
  const { size, blocks } = await stat(out);
  return { sizeBytes: size, allocatedBytes: blocks * SECTOR_BYTES };
}
