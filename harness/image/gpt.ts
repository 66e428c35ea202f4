/** Reads a disk's GPT, checksums verified: what identifies the image, and which firmware can start it. */
import { crc32 } from 'node:zlib';
import type { Firmware, ImageIdentity } from '../model.ts';
import { type Disk, SECTOR } from './disk.ts';
import { bytesOf } from './file-disk.ts';

const HEADER_MIN_BYTES = 92;
/** More than any tool writes (128 × 128 bytes); a header that claims more is not believed. */
const TABLE_MAX_BYTES = 1024 * 1024;
/** EFI system partition (UEFI specification, 5.3.3). */
const ESP_TYPE = 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b';
/** Behind it in the first sector: signature and partition table of the MBR. */
const BOOT_CODE_BYTES = 440;

/** GUIDs are stored with their first three fields little-endian (UEFI specification, appendix A). */
export function guidAt(bytes: Buffer, at: number): string {
  const hex = (start: number, end: number): string => bytes.toString('hex', at + start, at + end);
  const little = (start: number, end: number): string =>
    Buffer.from(bytes.subarray(at + start, at + end))
      .reverse()
      .toString('hex');
  return `${little(0, 4)}-${little(4, 6)}-${little(6, 8)}-${hex(8, 10)}-${hex(10, 16)}`;
}

interface Gpt {
  readonly header: Buffer;
  /** Those in use, in table order. */
  readonly entries: readonly Buffer[];
}

async function readGpt(disk: Disk): Promise<Gpt | null> {
  const header = await bytesOf(disk, SECTOR, SECTOR);
  if (header.toString('latin1', 0, 8) !== 'EFI PART') return null;
  const headerBytes = header.readUInt32LE(12);
  if (headerBytes < HEADER_MIN_BYTES || headerBytes > SECTOR) return null;
  const summed = Buffer.from(header.subarray(0, headerBytes));
  summed.writeUInt32LE(0, 16);
  if (crc32(summed) !== header.readUInt32LE(16)) return null;
  if (header.readBigUInt64LE(24) !== 1n) return null;

  const tableAt = Number(header.readBigUInt64LE(72)) * SECTOR;
  const entries = header.readUInt32LE(80);
  const entryBytes = header.readUInt32LE(84);
  const tableBytes = entries * entryBytes;
  if (entryBytes < 128 || tableBytes > TABLE_MAX_BYTES || tableAt + tableBytes > disk.sizeBytes) return null;
  const table = await bytesOf(disk, tableAt, tableBytes);
  if (crc32(table) !== header.readUInt32LE(88)) return null;

  const used: Buffer[] = [];
  for (let at = 0; at < tableBytes; at += entryBytes) {
    const unused = table.subarray(at, at + 16).every((byte) => byte === 0);
    if (!unused) used.push(table.subarray(at, at + entryBytes));
  }
  return { header, entries: used };
}

/**
 * Which firmware finds something to start: BIOS needs code in the first sector, UEFI an EFI system partition. Whether
 * that boots is another matter.
 */
export async function readStartsBy(disk: Disk): Promise<readonly Firmware[]> {
  const code = await bytesOf(disk, 0, BOOT_CODE_BYTES);
  const gpt = await readGpt(disk);
  const bios = code.some((byte) => byte !== 0);
  const uefi = gpt?.entries.some((entry) => guidAt(entry, 0) === ESP_TYPE) === true;
  return [...(bios ? (['bios'] as const) : []), ...(uefi ? (['uefi'] as const) : [])];
}

/** @returns disk GUID and the GUIDs of the partitions in table order, lower case; null where there is no valid GPT */
export async function readGptIdentity(disk: Disk): Promise<ImageIdentity | null> {
  const gpt = await readGpt(disk);
  if (gpt === null) return null;
  return { diskGuid: guidAt(gpt.header, 56), partitionGuids: gpt.entries.map((entry) => guidAt(entry, 16)) };
}
