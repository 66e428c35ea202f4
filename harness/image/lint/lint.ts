/**
 * What can be told of an image before it is sent: cheap (some hundred KiB are read, 8 MiB at most), without mounting,
 * without root. Pure over the bytes of the disk: it knows no file and no system it runs on.
 */

import type { LintFinding } from '../../finding.ts';
import type { Firmware } from '../../model.ts';
import type { Disk } from '../disk.ts';
import { judgeBios } from './bios.ts';
import { judgeFileSystems } from './file-systems.ts';
import { broken, fine, type Look, severity, untold } from './look.ts';
import { type Partition, SECTOR } from './partition.ts';
import { judgeSize } from './size.ts';
import { readTables, type Tables } from './tables.ts';
import { judgeUefi } from './uefi.ts';
import { TooMuchToRead, Window } from './window.ts';

export interface LintWish {
  /** Firmware that the guest will have; null: say by which it could boot. */
  readonly firmware: Firmware | null;
  /** Bytes of the VDI that the image is written to; null: one is made to fit. */
  readonly vdiBytes: number | null;
}

export interface Lint {
  readonly findings: readonly LintFinding[];
  readonly readBytes: number;
}

/**
 * Looks at a disk. What an image claims can be wrong in any way; what cannot be read is `unknown`.
 * @throws Fault BAD_IMAGE where what holds the disk is cut or corrupt
 */
export async function lintDisk(disk: Disk, { firmware, vdiBytes }: LintWish): Promise<Lint> {
  const all = Window.over(disk);
  const tables = await orUnknown(() => readTables(all));
  if ('look' in tables) {
    const finding = { name: 'partition-table', looked: 'the partition table', ...tables.look };
    return { findings: [finding], readBytes: all.spentBytes };
  }
  const boot = await orUnknown(() => judgeBoot(all, tables, firmware));
  const systems = await orUnknown(() => judgeFileSystems(all, tables));
  const size = judgeSize({ imageBytes: disk.sizeBytes, vdiBytes, hasGpt: tables.scheme === 'gpt' });
  const looked = `boot by ${firmware === null ? 'BIOS and by UEFI' : FIRMWARE[firmware]}`;
  const findings = [
    ...tables.findings,
    { name: 'boot-loader', looked, ...('look' in boot ? boot.look : boot) },
    ...('look' in systems ? [{ name: 'file-system', looked: 'file systems', ...systems.look }] : systems),
    { name: 'size', looked: 'size of the disk', ...size },
  ];
  return { findings, readBytes: all.spentBytes };
}

const FIRMWARE: Readonly<Record<Firmware, string>> = { bios: 'BIOS', uefi: 'UEFI' };

async function orUnknown<T extends object>(judge: () => Promise<T>): Promise<T | { readonly look: Look }> {
  try {
    return await judge();
  } catch (error) {
    if (!(error instanceof TooMuchToRead)) throw error;
    return { look: untold(error.message, 'The rest was not looked at.', 'Look whether the image is corrupt.') };
  }
}

async function judgeBoot(disk: Window, tables: Tables, firmware: Firmware | null): Promise<Look> {
  const volumes = tables.scheme === 'none' ? [wholeDisk(disk)] : tables.partitions;
  if (firmware === 'uefi') return judgeUefi(disk, volumes);
  if (firmware === 'bios') return judgeBios(disk, tables);
  const [bios, uefi] = [await judgeBios(disk, tables), await judgeUefi(disk, volumes)];
  if (bios.status === 'broken' && uefi.status === 'broken') {
    return broken(`neither by BIOS (${bios.seen}) nor by UEFI (${uefi.seen})`, uefi.why, uefi.remedy);
  }
  const say = (name: string, { status, seen }: Look): string => `${BY[status]} ${name}: ${seen}`;
  const seen = `${say('BIOS', bios)}; ${say('UEFI', uefi)}`;
  const better = severity(bios) <= severity(uefi) ? bios : uefi;
  return better.status === 'ok' ? fine(seen) : { ...better, seen };
}

/** Firmware also looks into a volume that fills a disk without a table. */
const wholeDisk = (disk: Window): Partition => ({
  ...{ number: 0, kind: 'other', type: 'the whole disk', name: '', active: false },
  ...{ firstSector: 0, lastSector: Math.floor(disk.sizeBytes / SECTOR) - 1 },
});

const BY: Readonly<Record<Look['status'], string>> = {
  ok: 'by',
  warning: 'perhaps by',
  unknown: 'perhaps by',
  broken: 'not by',
};
