/** Judges the partition table: which one there is, whether its copies are whole, whether the partitions fit. */
import type { LintFinding } from '../../finding.ts';
import { type GptCopy, readGptCopy } from './gpt-table.ts';
import { broken, doubtful, fine, type Look, shownBytes, untold } from './look.ts';
import { type Mbr, readMbr } from './mbr-table.ts';
import { type Partition, SECTOR, shownPartition } from './partition.ts';
import type { Window } from './window.ts';

export interface Tables {
  readonly scheme: 'gpt' | 'mbr' | 'none';
  readonly mbr: Mbr;
  /** Those that can be believed: of a valid GPT, else of the MBR. */
  readonly partitions: readonly Partition[];
  readonly findings: readonly LintFinding[];
}

const REWRITE =
  'Write the table anew with the tool that made it, or repair it: `gpart recover`, `sgdisk -e`, `sfdisk`.';
/** GPT headers of disks with larger sectors stand in their sector 1. */
const LARGE_SECTOR = 4096;

/** Reads the table of a disk and judges it. @throws TooMuchToRead */
export async function readTables(disk: Window): Promise<Tables> {
  const mbr = await readMbr(disk);
  const lastSector = Math.floor(disk.sizeBytes / SECTOR) - 1;
  const primary = await readGptCopy(disk, 1);
  const backup = await readBackup(disk, primary, lastSector);
  if (!primary.present && !backup.present) return withoutGpt(disk, mbr, lastSector);

  const believed = primary.problem === null ? primary : backup.problem === null ? backup : null;
  const partitions = believed?.partitions ?? [];
  const at = (name: string, looked: string, look: Look): LintFinding => ({ name, looked, ...look });
  const findings = [
    at('partition-table', 'type and number of partitions', summary('GPT', partitions, believed !== null)),
    at('protective-mbr', 'sector 0', protective(mbr)),
    at('gpt-primary', 'header and table from sector 1 on', judgePrimary(primary, backup)),
    at('gpt-backup', 'header and table at the end of the disk', judgeBackup(backup, primary, lastSector)),
  ];
  if (believed !== null) {
    const bounds = { from: believed.firstUsable, to: believed.lastUsable };
    findings.push(at('partitions', 'where the partitions lie', judgePlaces(partitions, lastSector, bounds)));
  }
  return { scheme: 'gpt', mbr, partitions, findings };
}

/** At the end of the disk; if it is not there, where the primary says that it is. */
async function readBackup(disk: Window, primary: GptCopy, lastSector: number): Promise<GptCopy> {
  const atEnd = await readGptCopy(disk, lastSector);
  const elsewhere = primary.alternateLba;
  if (atEnd.present || primary.problem !== null || elsewhere <= 1 || elsewhere >= lastSector) return atEnd;
  const named = await readGptCopy(disk, elsewhere);
  return named.present ? named : atEnd;
}

async function withoutGpt(disk: Window, mbr: Mbr, lastSector: number): Promise<Tables> {
  const looked = 'sectors 0 and 1, and the last one';
  const large = await disk.read(LARGE_SECTOR, 8);
  const one = (look: Look): readonly LintFinding[] => [{ name: 'partition-table', looked, ...look }];
  if (large.toString('latin1') === 'EFI PART') {
    const look = broken(
      'a GPT made for sectors of 4096 bytes',
      'The disk of a VM has sectors of 512 bytes, and its firmware looks for the table in byte 512.',
      'Build the image for sectors of 512 bytes.',
    );
    return { scheme: 'none', mbr, partitions: [], findings: one(look) };
  }
  if (mbr.partitions.length > 0) {
    const findings = [
      ...one(summary('MBR', mbr.partitions, true)),
      { name: 'partitions', looked: 'where the partitions lie', ...judgePlaces(mbr.partitions, lastSector, null) },
    ];
    return { scheme: 'mbr', mbr, partitions: mbr.partitions, findings };
  }
  return { scheme: 'none', mbr, partitions: [], findings: one(noTable(mbr)) };
}

function noTable(mbr: Mbr): Look {
  if (!mbr.protective) {
    const why =
      'Firmware finds a loader through the table; without one a run cannot tell the disk of the guest by its GUIDs.';
    const remedy = 'Give the image a GPT, or check that this file is a disk and not a single file system.';
    return mbr.signed && mbr.hasCode
      ? doubtful('no partition table; sector 0 holds code', why, remedy)
      : broken('no partition table', why, remedy);
  }
  return broken(
    'a protective MBR, but no GPT: neither in sector 1 nor at the end',
    'The MBR says that a GPT describes the disk, and there is none: no partition can be found.',
    REWRITE,
  );
}

function summary(scheme: string, partitions: readonly Partition[], readable: boolean): Look {
  if (!readable) {
    return broken(
      'a GPT of which neither copy is valid',
      'No firmware and no kernel finds a partition.',
      'Build the image again; if its file was copied, compare its digest with the original.',
    );
  }
  if (partitions.length === 0) {
    return broken(`${scheme} without any partition`, 'There is nothing to boot from.', 'Build the image again.');
  }
  return fine(`${scheme}: ${partitions.map(shownPartition).join(', ')}`);
}

function protective(mbr: Mbr): Look {
  if (!mbr.signed || !mbr.protective) {
    return broken(
      mbr.signed ? 'no partition of type 0xEE beside the GPT' : 'sector 0 does not end in 55 AA',
      'UEFI firmware and Linux take a GPT for none without its protective MBR (UEFI specification, 5.2.3).',
      REWRITE,
    );
  }
  if (mbr.partitions.length === 0) return fine('a protective MBR');
  return doubtful(
    `a hybrid MBR: beside 0xEE also ${mbr.partitions.map(({ type }) => type).join(', ')}`,
    'Systems disagree about which of both tables counts.',
    'Leave only the protective partition in the MBR, unless something is known to need the others.',
  );
}

function judgePrimary(primary: GptCopy, backup: GptCopy): Look {
  if (primary.problem === null) return fine('valid');
  const rest = backup.problem === null ? 'the backup is valid' : 'and the backup is not valid either';
  return broken(
    `${primary.problem}; ${rest}`,
    'Linux does not mount its root by the backup alone, and a run cannot tell the disk of the guest by its GUIDs.',
    REWRITE,
  );
}

function judgeBackup(backup: GptCopy, primary: GptCopy, lastSector: number): Look {
  if (primary.problem === null && primary.alternateLba > lastSector) {
    return broken(
      `expected in sector ${primary.alternateLba}, and the image ends with sector ${lastSector}`,
      'The image is cut: what was behind its end is lost.',
      'Copy the image again, and compare its size and digest with the original.',
    );
  }
  if (backup.problem !== null) {
    return doubtful(
      `sector ${backup.sector}: ${backup.problem}`,
      'The system boots by the primary; FreeBSD calls the table CORRUPT, and one bad sector then loses it.',
      REWRITE,
    );
  }
  if (backup.sector < lastSector) {
    return doubtful(
      `in sector ${backup.sector}, ${shownBytes((lastSector - backup.sector) * SECTOR)} before the end of the disk`,
      'The image was grown after it was partitioned. It boots; FreeBSD says so on its console and calls it CORRUPT.',
      REWRITE,
    );
  }
  return fine('valid, in the last sector');
}

/** @param usable what the GPT's header allows; null for an MBR */
function judgePlaces(
  partitions: readonly Partition[],
  lastSector: number,
  usable: { readonly from: number; readonly to: number } | null,
): Look {
  const why = 'What lies there is lost, or overwritten by another partition.';
  const remedy = 'Correct the table, or copy the image again if it was cut.';
  for (const each of partitions) {
    if (each.lastSector < each.firstSector) return broken(`${shownPartition(each)} ends before it begins`, why, remedy);
    if (each.lastSector > lastSector) {
      const end = `ends in sector ${each.lastSector}, the disk in ${lastSector}`;
      return broken(`${shownPartition(each)} ${end}`, why, remedy);
    }
  }
  const sorted = partitions.filter(({ kind }) => kind !== 'extended').sort((a, b) => a.firstSector - b.firstSector);
  for (const [i, each] of sorted.entries()) {
    const next = sorted[i + 1];
    if (next !== undefined && next.firstSector <= each.lastSector) {
      return broken(`${shownPartition(each)} and ${shownPartition(next)} overlap`, why, remedy);
    }
  }
  const outside = usable && partitions.find((each) => each.firstSector < usable.from || each.lastSector > usable.to);
  if (outside) {
    const range = `sectors ${usable.from} to ${usable.to}, that the GPT calls usable`;
    return doubtful(`${shownPartition(outside)} is not within ${range}`, 'It may lie upon the table itself.', remedy);
  }
  const extended = partitions.find(({ kind }) => kind === 'extended');
  if (extended) {
    const seen = `${shownPartition(extended)} holds further partitions, which are not read`;
    return untold(seen, 'They may overlap or lie behind the end.', 'Use a GPT.');
  }
  return fine('in order, within the disk');
}
