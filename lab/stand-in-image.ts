/**
 * Makes the small disk images that stand for a guest's where guests are simulated: a real GPT with fresh GUIDs, a boot
 * partition of random content and a root partition, and the sidecar. Nothing in them boots.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { open, writeFile } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

const SECTOR = 512;
const SECTORS = (8 * 2 ** 20) / SECTOR;
const ENTRY_BYTES = 128;
const ENTRIES = 128;
const ENTRY_SECTORS = (ENTRY_BYTES * ENTRIES) / SECTOR;
const HEADER_BYTES = 92;
const BOOT_CONTENT_BYTES = 64 * 1024;
const ESP_TYPE = 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b';
const LINUX_TYPE = '0fc63daf-8483-4772-8e79-3d69d8477de4';

interface Partition {
  readonly type: string;
  readonly name: string;
  readonly first: number;
  readonly last: number;
}

const PARTITIONS: readonly Partition[] = [
  { type: ESP_TYPE, name: 'boot', first: 2048, last: 6143 },
  { type: LINUX_TYPE, name: 'root', first: 6144, last: SECTORS - ENTRY_SECTORS - 2 },
];

/** On disk the first three fields of a GUID are little-endian. */
function guid(text: string): Buffer {
  const bytes = Buffer.from(text.replaceAll('-', ''), 'hex');
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes;
}

function entries(): Buffer {
  const table = Buffer.alloc(ENTRY_BYTES * ENTRIES);
  for (const [index, { type, name, first, last }] of PARTITIONS.entries()) {
    const entry = table.subarray(index * ENTRY_BYTES, (index + 1) * ENTRY_BYTES);
    guid(type).copy(entry, 0);
    guid(randomUUID()).copy(entry, 16);
    entry.writeBigUInt64LE(BigInt(first), 32);
    entry.writeBigUInt64LE(BigInt(last), 40);
    entry.write(name, 56, 'utf16le');
  }
  return table;
}

function header(own: number, other: number, table: number, diskGuid: Buffer, tableCrc: number): Buffer {
  const bytes = Buffer.alloc(SECTOR);
  bytes.write('EFI PART', 0, 'latin1');
  bytes.writeUInt32LE(0x00010000, 8);
  bytes.writeUInt32LE(HEADER_BYTES, 12);
  bytes.writeBigUInt64LE(BigInt(own), 24);
  bytes.writeBigUInt64LE(BigInt(other), 32);
  bytes.writeBigUInt64LE(BigInt(2 + ENTRY_SECTORS), 40);
  bytes.writeBigUInt64LE(BigInt(SECTORS - ENTRY_SECTORS - 2), 48);
  diskGuid.copy(bytes, 56);
  bytes.writeBigUInt64LE(BigInt(table), 72);
  bytes.writeUInt32LE(ENTRIES, 80);
  bytes.writeUInt32LE(ENTRY_BYTES, 84);
  bytes.writeUInt32LE(tableCrc, 88);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, HEADER_BYTES)), 16);
  return bytes;
}

/** One partition over the whole disk, of the type that says GPT. */
function protectiveMbr(): Buffer {
  const bytes = Buffer.alloc(SECTOR);
  // In the place of boot code: an image for either firmware has some.
  bytes.write('nothing here boots', 0, 'latin1');
  bytes[450] = 0xee;
  bytes.writeUInt32LE(1, 454);
  bytes.writeUInt32LE(SECTORS - 1, 458);
  bytes.writeUInt16LE(0xaa55, 510);
  return bytes;
}

/** Writes an image of 8 MiB to `path`, sparse, and its sidecar beside it. */
export async function makeStandInImage(path: string, sidecar: Readonly<Record<string, string>>): Promise<void> {
  const table = entries();
  const [diskGuid, tableCrc] = [guid(randomUUID()), crc32(table)];
  const backup = SECTORS - 1;
  const backupTable = backup - ENTRY_SECTORS;
  const pieces: readonly (readonly [number, Buffer])[] = [
    [0, protectiveMbr()],
    [1, header(1, backup, 2, diskGuid, tableCrc)],
    [2, table],
    [PARTITIONS[0]?.first ?? 0, randomBytes(BOOT_CONTENT_BYTES)],
    [backupTable, table],
    [backup, header(backup, 1, backupTable, diskGuid, tableCrc)],
  ];
  const file = await open(path, 'wx');
  try {
    await file.truncate(SECTORS * SECTOR);
    for (const [sector, bytes] of pieces) await file.write(bytes, 0, bytes.length, sector * SECTOR);
  } finally {
    await file.close();
  }
  await writeFile(`${path}.bootwitness.json`, `${JSON.stringify(sidecar, null, 2)}\n`);
}
