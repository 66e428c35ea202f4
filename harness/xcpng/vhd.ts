/**
 * A disk as a sparse dynamic VHD: the plan (its exact length, known before the first byte) and
 * the stream (the disk read once, in ascending order, in bounded memory).
 */
import { Fault } from '../faults/faults.ts';
import { BLOCK_BYTES, DISK_BYTES_MAX, type Disk, SECTOR } from '../image/disk.ts';
import { vhdChecksum } from '../image/vhd.ts';

const FOOTER_BYTES = 512;
const HEADER_BYTES = 1024;
/** A block costs its 2 MiB plus this on the wire: one bit per sector of it, 4096 bits, which is exactly one sector. */
const BITMAP_BYTES = BLOCK_BYTES / SECTOR / 8;

/** What is sent: the bytes before the blocks, the blocks, and the footer that ends it. */
export interface VhdPlan {
  /** Bytes of the virtual disk, a multiple of 512. */
  readonly sizeBytes: number;
  /** Bytes on the wire: what goes into Content-Length. */
  readonly lengthBytes: number;
  readonly blocks: readonly number[];
  /** Footer copy, header, block allocation table. */
  readonly head: Buffer;
  readonly footer: Buffer;
}

/** Cylinders, heads and sectors as the VHD specification computes them from the size. */
function geometry(sectors: number): { cylinders: number; heads: number; perTrack: number } {
  const total = Math.min(sectors, 65535 * 16 * 255);
  if (total >= 65535 * 16 * 63) return { cylinders: Math.floor(total / 255 / 16), heads: 16, perTrack: 255 };
  let perTrack = 17;
  let tracks = Math.floor(total / perTrack);
  let heads = Math.max(4, Math.ceil(tracks / 1024));
  if (tracks >= heads * 1024 || heads > 16) {
    perTrack = 31;
    heads = 16;
    tracks = Math.floor(total / perTrack);
  }
  if (tracks >= heads * 1024) {
    perTrack = 63;
    heads = 16;
    tracks = Math.floor(total / perTrack);
  }
  return { cylinders: Math.floor(tracks / heads), heads, perTrack };
}

/**
 * The creator application decides how a reader takes the size. For `tap\0` (what XCP-ng's tapdisk
 * writes) qemu takes the current size and not the geometry, which rounds down (block/vpc.c; the test
 * shows the difference with `vpc `). Readers of the blktap family look for a batmap behind the table
 * if a `tap\0` creator's version is above 0.1: ours has none, so the version is 0.1.
 */
function footerOf(sizeBytes: number, uuid: Buffer): Buffer {
  const footer = Buffer.alloc(FOOTER_BYTES);
  const { cylinders, heads, perTrack } = geometry(sizeBytes / SECTOR);
  footer.write('conectix', 0, 'latin1');
  footer.writeUInt32BE(2, 8); // features: the reserved bit, always set
  footer.writeUInt32BE(0x0001_0000, 12);
  footer.writeBigUInt64BE(BigInt(FOOTER_BYTES), 16); // where the dynamic header is
  footer.writeUInt32BE(0, 24); // time stamp: none, so that the same image gives the same bytes
  footer.write('tap\0', 28, 'latin1');
  footer.writeUInt32BE(0x0000_0001, 32);
  footer.writeUInt32BE(0, 36); // creator's host: none
  footer.writeBigUInt64BE(BigInt(sizeBytes), 40);
  footer.writeBigUInt64BE(BigInt(sizeBytes), 48);
  footer.writeUInt16BE(cylinders, 56);
  footer.writeUInt8(heads, 58);
  footer.writeUInt8(perTrack, 59);
  footer.writeUInt32BE(3, 60); // dynamic
  uuid.copy(footer, 68, 0, 16);
  footer.writeUInt32BE(vhdChecksum(footer, 64), 64);
  return footer;
}

function headerOf(entries: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write('cxsparse', 0, 'latin1');
  header.fill(0xff, 8, 16); // no next structure
  header.writeBigUInt64BE(BigInt(FOOTER_BYTES + HEADER_BYTES), 16);
  header.writeUInt32BE(0x0001_0000, 24);
  header.writeUInt32BE(entries, 28);
  header.writeUInt32BE(BLOCK_BYTES, 32);
  header.writeUInt32BE(vhdChecksum(header, 36), 36);
  return header;
}

/**
 * Plans the VHD of a disk.
 * @param sizeBytes bytes of the virtual disk, a multiple of 512, at most 2040 GiB
 * @param blocks indices of the 2 MiB blocks that hold anything but zeros, ascending
 * @param sha256 hex digest of the disk; its first 16 bytes become the VHD's uuid
 * @throws Fault BAD_IMAGE when no VHD can hold the disk
 */
export function planVhd(sizeBytes: number, blocks: readonly number[], sha256: string): VhdPlan {
  if (sizeBytes <= 0 || sizeBytes % SECTOR !== 0) {
    throw new Fault('BAD_IMAGE', `expected a disk size that is a multiple of ${SECTOR} bytes, given ${sizeBytes}`);
  }
  if (sizeBytes > DISK_BYTES_MAX) {
    throw new Fault('BAD_IMAGE', `expected a disk of at most 2040 GiB (the limit of a VHD), given ${sizeBytes} bytes`);
  }
  const entries = Math.ceil(sizeBytes / BLOCK_BYTES);
  const tableBytes = Math.ceil((entries * 4) / SECTOR) * SECTOR;
  const table = Buffer.alloc(tableBytes, 0xff);
  const firstSector = (FOOTER_BYTES + HEADER_BYTES + tableBytes) / SECTOR;
  let previous = -1;
  blocks.forEach((block, position) => {
    if (block <= previous || block >= entries) {
      throw new Error(`expected ascending block numbers below ${entries}, given ${block} after ${previous}`);
    }
    previous = block;
    table.writeUInt32BE(firstSector + (position * (BITMAP_BYTES + BLOCK_BYTES)) / SECTOR, block * 4);
  });
  const footer = footerOf(sizeBytes, Buffer.from(sha256, 'hex'));
  const head = Buffer.concat([footer, headerOf(entries), table]);
  const lengthBytes = head.length + blocks.length * (BITMAP_BYTES + BLOCK_BYTES) + footer.length;
  return { sizeBytes, lengthBytes, blocks, head, footer };
}

/**
 * Yields the VHD piece by piece; the next block is read only when the last one was taken, so memory
 * stays at two blocks whatever the size. Every piece is a fresh buffer and may be kept.
 * @param disk left open
 * @throws Fault BAD_IMAGE as `Disk.read`
 */
export async function* vhdStream(plan: VhdPlan, disk: Pick<Disk, 'read'>): AsyncGenerator<Buffer, void, undefined> {
  yield plan.head;
  for (const block of plan.blocks) {
    const start = block * BLOCK_BYTES;
    const wanted = Math.min(BLOCK_BYTES, plan.sizeBytes - start);
    const piece = Buffer.allocUnsafe(BITMAP_BYTES + BLOCK_BYTES);
    piece.fill(0xff, 0, BITMAP_BYTES);
    await disk.read(piece.subarray(BITMAP_BYTES, BITMAP_BYTES + wanted), start);
    piece.fill(0, BITMAP_BYTES + wanted);
    yield piece;
  }
  yield plan.footer;
}
