/** The first sector: its signature, its boot code and its four partitions (UEFI specification 2.10, 5.2.1, 5.2.3). */
import { kindOf, type Partition, SECTOR } from './partition.ts';
import type { Window } from './window.ts';

/** Bytes that may hold code: behind them stand the disk's signature and the table. */
export const BOOT_CODE_BYTES = 440;
const TABLE_AT = 446;
const ENTRY_BYTES = 16;
/** The type that guards a GPT against tools that know only the MBR. */
const PROTECTIVE = '0xee';

export interface Mbr {
  /** Ends in 55 AA: a BIOS starts nothing else, and without it the table is none. */
  readonly signed: boolean;
  readonly code: Buffer;
  readonly hasCode: boolean;
  /** True where one entry is of type 0xEE. */
  readonly protective: boolean;
  /** Without the protective one. */
  readonly partitions: readonly Partition[];
}

/** A volume's own boot sector is no table, though it is signed: a FAT without partitions starts so. */
const isVolume = (sector: Buffer): boolean =>
  sector.toString('latin1', 54, 57) === 'FAT' || sector.toString('latin1', 82, 87) === 'FAT32';

export async function readMbr(disk: Window): Promise<Mbr> {
  const sector = await disk.read(0, SECTOR);
  const signed = sector.readUInt16LE(510) === 0xaa55;
  const code = sector.subarray(0, BOOT_CODE_BYTES);
  const partitions: Partition[] = [];
  for (let i = 0; signed && !isVolume(sector) && i < 4; i++) {
    const entry = sector.subarray(TABLE_AT + i * ENTRY_BYTES, TABLE_AT + (i + 1) * ENTRY_BYTES);
    const [typeByte, firstSector, sectors] = [entry.readUInt8(4), entry.readUInt32LE(8), entry.readUInt32LE(12)];
    if (typeByte === 0 || sectors === 0) continue;
    const type = `0x${typeByte.toString(16).padStart(2, '0')}`;
    partitions.push({
      ...{ number: i + 1, kind: kindOf(type), type, name: '', firstSector, lastSector: firstSector + sectors - 1 },
      active: entry.readUInt8(0) === 0x80,
    });
  }
  return {
    ...{ signed, code, hasCode: code.some((byte) => byte !== 0) },
    protective: partitions.some(({ type }) => type === PROTECTIVE),
    partitions: partitions.filter(({ type }) => type !== PROTECTIVE),
  };
}
