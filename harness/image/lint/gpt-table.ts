/**
 * Both copies of a GUID Partition Table: UEFI specification 2.10, 5.3.2 (header) and 5.3.3 (entries). Unlike `gpt.ts`,
 * which wants the identity of a good table, this says what is wrong with a bad one.
 */
import { crc32 } from 'node:zlib';
import { guidAt } from '../gpt.ts';
import { kindOf, type Partition, SECTOR } from './partition.ts';
import type { Window } from './window.ts';

const HEADER_BYTES_MIN = 92;
const ENTRY_BYTES_MIN = 128;
/** As in gpt.ts: more than any tool writes. */
const TABLE_BYTES_MAX = 1024 * 1024;
/** Attribute bit 2, LegacyBIOSBootable. */
const LEGACY_BOOT = 4n;

/** One header with its table. */
export interface GptCopy {
  /** Sector that it was read from. */
  readonly sector: number;
  /** False: nothing there calls itself a GPT header. */
  readonly present: boolean;
  /** Why it must not be believed; null: header and table are valid. */
  readonly problem: string | null;
  readonly myLba: number;
  readonly alternateLba: number;
  readonly firstUsable: number;
  readonly lastUsable: number;
  /** Empty unless it is valid. */
  readonly partitions: readonly Partition[];
}

/** A sector number as a Number; what no disk can have becomes 2^53 and is out of range everywhere. */
const sectorAt = (bytes: Buffer, at: number): number => {
  const value = bytes.readBigUInt64LE(at);
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value);
};

/** UTF-16LE, ended by a zero. What could forge a line on a terminal becomes `?`. */
function nameAt(entry: Buffer): string {
  const text = entry.toString('utf16le', 56, 128);
  return text.slice(0, text.indexOf('\0') < 0 ? undefined : text.indexOf('\0')).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
}

function partitionsIn(table: Buffer, entryBytes: number): readonly Partition[] {
  const found: Partition[] = [];
  for (let at = 0; at + entryBytes <= table.length; at += entryBytes) {
    const entry = table.subarray(at, at + entryBytes);
    if (entry.subarray(0, 16).every((byte) => byte === 0)) continue;
    const type = guidAt(entry, 0);
    found.push({
      ...{ number: at / entryBytes + 1, kind: kindOf(type), type, name: nameAt(entry) },
      ...{ firstSector: sectorAt(entry, 32), lastSector: sectorAt(entry, 40) },
      active: (entry.readBigUInt64LE(48) & LEGACY_BOOT) !== 0n,
    });
  }
  return found;
}

/** Why a header is not to be believed, its table left aside. */
function headerProblem(header: Buffer, sector: number): string | null {
  const headerBytes = header.readUInt32LE(12);
  if (headerBytes < HEADER_BYTES_MIN || headerBytes > SECTOR) return `claims a header of ${headerBytes} bytes`;
  const summed = Buffer.from(header.subarray(0, headerBytes));
  summed.writeUInt32LE(0, 16);
  const [stored, computed] = [header.readUInt32LE(16), crc32(summed)];
  if (stored !== computed) return `header checksum is ${hex(stored)}, its bytes give ${hex(computed)}`;
  const mine = sectorAt(header, 24);
  return mine === sector ? null : `says that it stands in sector ${mine}`;
}

/** Reads the copy whose header stands in `sector`. */
export async function readGptCopy(disk: Window, sector: number): Promise<GptCopy> {
  const header = await disk.read(sector * SECTOR, SECTOR);
  const present = header.toString('latin1', 0, 8) === 'EFI PART';
  const copy = {
    ...{ sector, present, myLba: sectorAt(header, 24), alternateLba: sectorAt(header, 32) },
    ...{ firstUsable: sectorAt(header, 40), lastUsable: sectorAt(header, 48) },
  };
  const bad = (problem: string): GptCopy => ({ ...copy, problem, partitions: [] });
  if (!present) return bad('there is no GPT header');
  const problem = headerProblem(header, sector);
  if (problem !== null) return bad(problem);

  const tableAt = sectorAt(header, 72) * SECTOR;
  const [entries, entryBytes] = [header.readUInt32LE(80), header.readUInt32LE(84)];
  const tableBytes = entries * entryBytes;
  if (entryBytes < ENTRY_BYTES_MIN || tableBytes > TABLE_BYTES_MAX) {
    return bad(`claims ${entries} entries of ${entryBytes} bytes`);
  }
  if (tableAt + tableBytes > disk.sizeBytes) return bad('its table lies behind the end of the disk');
  const table = await disk.read(tableAt, tableBytes);
  const [stored, computed] = [header.readUInt32LE(88), crc32(table)];
  if (stored !== computed) return bad(`table checksum is ${hex(stored)}, its bytes give ${hex(computed)}`);
  return { ...copy, problem: null, partitions: partitionsIn(table, entryBytes) };
}

const hex = (value: number): string => value.toString(16).padStart(8, '0');
