/**
 * Makes an image as large as the operator's disk: zeros behind it, and its GPT told so. A GPT keeps a copy of itself in
 * the last sectors of the disk; left where the image ended, a guest finds it missing or calls the table corrupt.
 */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { Fault } from '../faults/faults.ts';
import { BLOCK_BYTES, type Disk, SECTOR } from '../image/disk.ts';
import { bytesOf } from '../image/file-disk.ts';
import { openDisk } from '../image/open-disk.ts';
import type { Scratch } from '../image/scratch.ts';
import type { PlannedImage } from '../model.ts';
import { type DiskSource, type Patch, patched } from './disk-source.ts';

const MBR_ENTRY_AT = 446;
const MBR_ENTRY_BYTES = 16;
const MBR_TYPE_GPT = 0xee;
/** Offsets in a GPT header (UEFI specification, 5.3.2). */
const AT = { size: 12, crc: 16, own: 24, other: 32, lastUsable: 48, table: 72, entries: 80, entryBytes: 84 } as const;

/** A header with its own checksum put right. */
function sealed(header: Buffer): Buffer {
  header.writeUInt32LE(0, AT.crc);
  header.writeUInt32LE(crc32(header.subarray(0, header.readUInt32LE(AT.size))), AT.crc);
  return header;
}

/** The protective MBR says how large the disk is, as far as 32 bits can. */
function protectiveMbr(mbr: Buffer, sectors: number): Buffer {
  const patched = Buffer.from(mbr);
  for (let entry = 0; entry < 4; entry++) {
    const at = MBR_ENTRY_AT + entry * MBR_ENTRY_BYTES;
    if (patched[at + 4] === MBR_TYPE_GPT) patched.writeUInt32LE(Math.min(sectors - 1, 0xffff_ffff), at + 12);
  }
  return patched;
}

/** @param head the first two sectors; @param table the partition entries of the primary GPT */
function patchesOf(image: PlannedImage, sizeBytes: number, head: Buffer, table: Buffer): readonly Patch[] {
  const [sectors, oldSectors] = [sizeBytes / SECTOR, image.sizeBytes / SECTOR];
  const tableSectors = Math.ceil(table.length / SECTOR);
  const [last, backupTable] = [sectors - 1, sectors - 1 - tableSectors];
  const primary = Buffer.from(head.subarray(SECTOR, 2 * SECTOR));
  primary.writeBigUInt64LE(BigInt(last), AT.other);
  primary.writeBigUInt64LE(BigInt(backupTable - 1), AT.lastUsable);
  const backup = Buffer.from(primary);
  backup.writeBigUInt64LE(BigInt(last), AT.own);
  backup.writeBigUInt64LE(1n, AT.other);
  backup.writeBigUInt64LE(BigInt(backupTable), AT.table);
  return [
    { at: 0, bytes: protectiveMbr(head.subarray(0, SECTOR), sectors) },
    { at: SECTOR, bytes: sealed(primary) },
    // The old copy goes first: a new one may lie partly over it.
    { at: (oldSectors - 1 - tableSectors) * SECTOR, bytes: Buffer.alloc((tableSectors + 1) * SECTOR) },
    { at: backupTable * SECTOR, bytes: Buffer.concat([table], tableSectors * SECTOR) },
    { at: last * SECTOR, bytes: sealed(backup) },
  ];
}

async function patchesFor(image: PlannedImage, disk: Disk, sizeBytes: number): Promise<readonly Patch[]> {
  const head = await bytesOf(disk, 0, 2 * SECTOR);
  const header = head.subarray(SECTOR);
  const atEnd = Number(header.readBigUInt64LE(AT.other)) === image.sizeBytes / SECTOR - 1;
  if (header.toString('latin1', 0, 8) !== 'EFI PART' || !atEnd) {
    throw new Fault('BAD_IMAGE', `image ${image.path}: --pad: expected a GPT whose backup is at the image's end`);
  }
  const tableBytes = header.readUInt32LE(AT.entries) * header.readUInt32LE(AT.entryBytes);
  const table = await bytesOf(disk, Number(header.readBigUInt64LE(AT.table)) * SECTOR, tableBytes);
  return patchesOf(image, sizeBytes, head, table);
}

/**
 * @param sizeBytes of the disk, a multiple of 512, at least the image's
 * @throws Fault BAD_IMAGE when the image has no GPT whose backup stands at its end, and as `openDisk`
 */
export async function paddedSource(image: PlannedImage, sizeBytes: number, scratch: Scratch): Promise<DiskSource> {
  const plain = await openDisk(image, scratch);
  try {
    const patches = await patchesFor(image, plain, sizeBytes);
    const disk = patched(plain, sizeBytes, patches);
    const blocks: number[] = [];
    const hash = createHash('sha256');
    for (let block = 0; block * BLOCK_BYTES < sizeBytes; block++) {
      const bytes = await bytesOf(disk, block * BLOCK_BYTES, Math.min(BLOCK_BYTES, sizeBytes - block * BLOCK_BYTES));
      hash.update(bytes);
      if (bytes.some((byte) => byte !== 0)) blocks.push(block);
    }
    const open = async (signal: AbortSignal) => patched(await openDisk(image, scratch, signal), sizeBytes, patches);
    return { image, sizeBytes, blocks, sha256: hash.digest('hex'), open };
  } finally {
    await plain.close();
  }
}
