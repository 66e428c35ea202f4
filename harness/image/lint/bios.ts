/**
 * Whether a BIOS would get from the first sector to a loader. The BIOS starts any code in a sector that ends in 55 AA;
 * what that code then looks for is known of four loaders, told by bytes that they contain.
 */
import { broken, fine, type Look, shownBytes, untold } from './look.ts';
import type { Mbr } from './mbr-table.ts';
import { SECTOR, shownPartition, sizeBytes, startBytes } from './partition.ts';
import type { Tables } from './tables.ts';
import type { Window } from './window.ts';

const WHY = 'The BIOS stops with "No bootable device", or the code of the first sector with a message of its own.';

/** Type freebsd-boot as pmbr holds it, to compare it with the table (FreeBSD stand/i386/pmbr/pmbr.S, boot_uuid). */
const FREEBSD_BOOT = Buffer.from('9d6bbd83417fdc11be0b001560b84f0f', 'hex');
/**
 * pmbr loads the whole partition sector by sector from 0x7C00 on, and refuses when a further one would begin at or
 * above 0x90000: 1090 sectors (same file, next_boot).
 */
const PMBR_SECTORS_MAX = (0x90000 - 0x7c00) / SECTOR;
/** Where GRUB's boot.img holds the first sector of core.img, 64 bits (grub include/grub/i386/pc/boot.h, 0x5C). */
const GRUB_SECTOR_AT = 0x5c;

/** One row for each loader that is known: how it is told, and what must be there besides. */
const LOADERS: readonly {
  readonly name: string;
  readonly is: (code: Buffer) => boolean;
  readonly judge: (disk: Window, tables: Tables, name: string) => Promise<Look>;
}[] = [
  { name: "FreeBSD's pmbr", is: (code) => code.includes(FREEBSD_BOOT), judge: judgePmbr },
  { name: "GRUB's boot.img", is: (code) => /GRUB .*Geom\0/s.test(code.toString('latin1')), judge: judgeGrub },
  { name: "syslinux's gptmbr", is: (code) => code.includes('!GPT'), judge: judgeFlagged },
  // FreeBSD's mbr, syslinux's and Microsoft's share these words, and the way: the active partition.
  {
    name: 'an MBR loader',
    is: (code) => code.includes('Missing operating system'),
    judge: judgeFlagged,
  },
];

export async function judgeBios(disk: Window, tables: Tables): Promise<Look> {
  const { mbr } = tables;
  const remedy =
    'Install a boot loader for BIOS (FreeBSD: `gpart bootcode -b pmbr -p gptboot -i INDEX`), or boot by UEFI.';
  if (!mbr.signed) return broken('sector 0 does not end in 55 AA', WHY, remedy);
  if (!mbr.hasCode) return broken('no boot code in sector 0', WHY, remedy);
  const loader = LOADERS.find(({ is }) => is(mbr.code));
  return loader ? loader.judge(disk, tables, loader.name) : unknownCode(mbr);
}

function unknownCode(mbr: Mbr): Look {
  const bytes = mbr.code.filter((byte) => byte !== 0).length;
  const seen = `boot code of a loader that is not known here (${bytes} bytes of ${mbr.code.length} are not zero)`;
  return untold(seen, 'What it looks for is not known.', 'If the guest stays silent, look at its console first.');
}

const isEmpty = async (disk: Window, at: number): Promise<boolean> =>
  (await disk.read(at, SECTOR)).every((byte) => byte === 0);

/** pmbr takes the first partition of the type, whatever else there is. */
async function judgePmbr(disk: Window, { partitions }: Tables, name: string): Promise<Look> {
  const remedy = 'Write it: `gpart bootcode -p /boot/gptboot -i INDEX DISK` (gptzfsboot for ZFS).';
  const boot = partitions.find(({ kind }) => kind === 'freebsd-boot');
  if (boot === undefined) {
    return broken(`${name}, but no freebsd-boot partition`, WHY, `Add one of 512 KiB. ${remedy}`);
  }
  if (await isEmpty(disk, startBytes(boot))) return broken(`${name}; ${shownPartition(boot)} is empty`, WHY, remedy);
  if (sizeBytes(boot) > PMBR_SECTORS_MAX * SECTOR) {
    const size = `${shownBytes(sizeBytes(boot))}, and at most 545 KiB can be loaded`;
    const why = 'The loader loads the whole partition, and stops with "Boot loader too large".';
    return broken(`${name}; ${shownPartition(boot)} has ${size}`, why, `Make it 512 KiB. ${remedy}`);
  }
  const root = partitions.find(({ kind }) => kind === 'freebsd-ufs' || kind === 'freebsd-zfs');
  if (root === undefined) {
    const why = 'gptboot looks for its file system by the type of the partition.';
    return broken(
      `${name} and its loader, but no freebsd-ufs or freebsd-zfs partition`,
      why,
      'Correct the type of the root.',
    );
  }
  return fine(`${name}, then ${shownPartition(boot)}, then ${shownPartition(root)}`);
}

async function judgeGrub(disk: Window, { mbr, partitions, scheme }: Tables, name: string): Promise<Look> {
  const remedy = 'Install GRUB again (`grub-install`), after the last change of the partition table.';
  const sector = Number(mbr.code.readBigUInt64LE(GRUB_SECTOR_AT));
  const at = sector * SECTOR;
  if (sector === 0 || at >= disk.sizeBytes) return broken(`${name} points to sector ${sector}`, WHY, remedy);
  const core = `its core.img in sector ${sector}`;
  if (await isEmpty(disk, at)) return broken(`${name}; ${core} is empty`, WHY, remedy);
  const home = partitions.find((each) => sector >= each.firstSector && sector <= each.lastSector);
  const inGap = scheme === 'mbr' && home === undefined;
  if (home?.kind === 'BIOS boot' || inGap) return fine(`${name}, ${core}`);
  const place = home ? shownPartition(home) : 'no partition';
  const why = 'Whoever writes there next overwrites the loader.';
  return untold(`${name}, ${core}, which lies in ${place} and not in a BIOS boot partition`, why, remedy);
}

/** These start the first sector of the partition that is marked: LegacyBIOSBootable in a GPT, active in an MBR. */
async function judgeFlagged(disk: Window, { partitions, scheme }: Tables, name: string): Promise<Look> {
  const mark = scheme === 'gpt' ? 'marked LegacyBIOSBootable' : 'active';
  const marked = partitions.filter(({ active }) => active);
  const [first] = marked;
  if (first === undefined || marked.length > 1) {
    const numbers = marked.map(({ number }) => number).join(' and ') || 'none';
    const remedy = 'Mark exactly the partition that the system boots from.';
    return broken(`${name} wants one partition that is ${mark}, and there is ${numbers}`, WHY, remedy);
  }
  const sector = await disk.read(startBytes(first), SECTOR);
  if (sector.readUInt16LE(510) !== 0xaa55) {
    const remedy = 'Install the second stage of the loader there (syslinux: `syslinux --install`).';
    return broken(`${name}; the first sector of ${shownPartition(first)} does not end in 55 AA`, WHY, remedy);
  }
  return fine(`${name}, then ${shownPartition(first)}`);
}
