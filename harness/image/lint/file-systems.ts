/** What each partition holds, and in which state it is where that can be read without mounting it. */
import type { LintFinding } from '../../finding.ts';
import { judgeExt } from './ext.ts';
import { broken, fine, type Look, untold } from './look.ts';
import { type Partition, type PartitionKind, shownPartition, sizeBytes, startBytes } from './partition.ts';
import type { Tables } from './tables.ts';
import { judgeUfs } from './ufs.ts';
import type { Window } from './window.ts';

const PARTITIONS_MAX = 32;

/** Looked at as boot loader, or not a file system by its type. */
const ELSEWHERE: readonly PartitionKind[] = [
  ...(['efi system', 'BIOS boot', 'freebsd-boot', 'freebsd-swap', 'linux-swap', 'extended'] as const),
];

/** Told by a magic word, and no more is read of them: where it stands, the word, what it is. */
const NAMED: readonly (readonly [at: number, word: string, what: string])[] = [
  [4086, 'SWAPSPACE2', 'Linux swap'],
  [0, 'XFSB', 'XFS'],
  [0x10040, '_BHRfS_M', 'btrfs'],
  [0, 'LUKS\xba\xbe', 'a LUKS container'],
  [512, 'LABELONE', 'an LVM physical volume'],
  [0, 'hsqs', 'squashfs'],
  [3, 'NTFS    ', 'NTFS'],
  [3, 'EXFAT   ', 'exFAT'],
  [54, 'FAT1', 'FAT'],
  [82, 'FAT32', 'FAT32'],
];
/** FreeBSD sys/sys/disk/bsd.h: d_magic, in sector 1 of the slice. */
const BSD_LABEL = Buffer.from('57455682', 'hex');

const NOT_READ = 'Its state cannot be told without mounting it.';

/** @param disk the whole disk; without a table it is looked at as one file system */
export async function judgeFileSystems(disk: Window, { partitions, scheme }: Tables): Promise<readonly LintFinding[]> {
  const looked = (what: string): string => `superblock of ${what}`;
  if (scheme === 'none') {
    const look = await judgeVolume(disk, null);
    return look === null ? [] : [{ name: 'file-system', looked: looked('the whole disk'), ...look }];
  }
  const findings: LintFinding[] = [];
  for (const partition of partitions.slice(0, PARTITIONS_MAX)) {
    if (ELSEWHERE.includes(partition.kind)) continue;
    const volume = disk.part(startBytes(partition), sizeBytes(partition));
    const look = (await judgeVolume(volume, partition.kind)) ?? nothingKnown(partition);
    findings.push({ name: `file-system-${partition.number}`, looked: looked(shownPartition(partition)), ...look });
  }
  return findings;
}

async function judgeVolume(volume: Window, kind: PartitionKind | null): Promise<Look | null> {
  if (kind === 'freebsd-zfs') return untold('ZFS, by its type', NOT_READ, 'Nothing, if the pool was exported.');
  const sector = await volume.read(512, 4);
  if (sector.equals(BSD_LABEL)) {
    return untold('a BSD label with partitions of its own, which are not read', NOT_READ, 'Use a GPT.');
  }
  const look = (await judgeUfs(volume)) ?? (await judgeExt(volume));
  if (look !== null) return look;
  for (const [at, word, what] of NAMED) {
    const found = await volume.read(at, word.length);
    if (found.toString('latin1') === word) return fine(`${what}; no more than its name is read`);
  }
  return null;
}

function nothingKnown(partition: Partition): Look {
  if (partition.kind === 'freebsd-ufs') {
    return broken(
      'no UFS superblock',
      'FreeBSD cannot mount it, and its loader finds no kernel in it.',
      'Put the file system into this partition (`makefs`, `newfs`), or correct the type.',
    );
  }
  return untold(
    'no file system that is known here',
    'If it is the root, nothing can be said of it.',
    'Nothing, if it is meant.',
  );
}
