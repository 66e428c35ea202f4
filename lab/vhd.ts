/**
 * Reads a VHD from a stream, in one pass and in little memory. As in Xen Orchestra the stream must begin with the
 * footer: so it is a dynamic VHD; a fixed one (footer at its end only) is refused as what it looks like, no VHD.
 */
import { type ByteReader, StreamEnded } from './byte-reader.ts';

const FOOTER_BYTES = 512;
const HEADER_BYTES = 1024;
const SECTOR = 512;
const FOOTER_CHECKSUM_AT = 64;
const HEADER_CHECKSUM_AT = 36;
const DISK_TYPE_DYNAMIC = 3;
const UNUSED_BLOCK = 0xffffffff;
/** 2 TiB in blocks of 2 MiB: the format's own limit, so also ours for what is kept in memory. */
const TABLE_ENTRIES_MAX = 2 ** 20;
const BLOCK_BYTES_MAX = 64 * 2 ** 20;

export interface VhdFooter {
  /** Bytes of the virtual disk. */
  readonly currentSize: number;
  readonly diskType: number;
  /** Byte offset of the dynamic header. */
  readonly dataOffset: number;
}

/** The footer is not one; the message is the one that Xen Orchestra's assertion gives. */
export class VhdFooterInvalid extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'AssertionError';
  }
}

/** The stream began like a VHD, but what follows cannot be read. */
export class VhdDamaged extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'VhdDamaged';
  }
}

/** One's complement of the sum of all bytes but the checksum's own four. */
function checksum(bytes: Buffer, at: number): number {
  let sum = 0;
  for (let index = 0; index < bytes.length; index++) {
    if (index < at || index >= at + 4) sum += bytes[index] ?? 0;
  }
  return ~sum >>> 0;
}

/** Reads and checks the footer at the head of the stream. @throws VhdFooterInvalid */
export async function readVhdFooter(reader: ByteReader): Promise<VhdFooter> {
  const bytes = await reader.exactly(FOOTER_BYTES);
  const actual = bytes.readUInt32BE(FOOTER_CHECKSUM_AT);
  const expected = checksum(bytes, FOOTER_CHECKSUM_AT);
  if (actual !== expected) {
    throw new VhdFooterInvalid(
      `invalid footer checksum ${actual}, expected ${expected}\n+ actual - expected\n\n+ ${actual}\n- ${expected}`,
    );
  }
  if (bytes.toString('latin1', 0, 8) !== 'conectix') throw new VhdFooterInvalid('invalid cookie');
  return {
    dataOffset: Number(bytes.readBigUInt64BE(16)),
    currentSize: Number(bytes.readBigUInt64BE(48)),
    diskType: bytes.readUInt32BE(60),
  };
}

/** The same, where nothing at all may have come. */
export async function readFooterOrEnd(reader: ByteReader): Promise<VhdFooter> {
  try {
    return await readVhdFooter(reader);
  } catch (error) {
    if (error instanceof StreamEnded) throw new VhdFooterInvalid('missing footer');
    throw error;
  }
}

interface Header {
  readonly tableOffset: number;
  readonly tableEntries: number;
  readonly blockBytes: number;
}

async function readHeader(reader: ByteReader, footer: VhdFooter): Promise<Header> {
  if (footer.diskType !== DISK_TYPE_DYNAMIC) {
    throw new VhdDamaged(`disk type ${footer.diskType}, expected ${DISK_TYPE_DYNAMIC} (dynamic)`);
  }
  await skipTo(reader, footer.dataOffset, 'header');
  const bytes = await reader.exactly(HEADER_BYTES);
  if (bytes.toString('latin1', 0, 8) !== 'cxsparse') throw new VhdDamaged('header has another cookie than cxsparse');
  const actual = bytes.readUInt32BE(HEADER_CHECKSUM_AT);
  const expected = checksum(bytes, HEADER_CHECKSUM_AT);
  if (actual !== expected) throw new VhdDamaged(`invalid header checksum ${actual}, expected ${expected}`);
  const tableEntries = bytes.readUInt32BE(28);
  const blockBytes = bytes.readUInt32BE(32);
  if (tableEntries > TABLE_ENTRIES_MAX) throw new VhdDamaged(`${tableEntries} blocks, expected at most 2^20`);
  if (blockBytes === 0 || blockBytes % SECTOR !== 0 || blockBytes > BLOCK_BYTES_MAX) {
    throw new VhdDamaged(`block size ${blockBytes}, expected a multiple of 512 up to 64 MiB`);
  }
  return { tableOffset: Number(bytes.readBigUInt64BE(16)), tableEntries, blockBytes };
}

async function skipTo(reader: ByteReader, offset: number, what: string): Promise<void> {
  if (offset < reader.position) throw new VhdDamaged(`${what} at byte ${offset}, already past it`);
  await reader.skip(offset - reader.position);
}

/** Runs of set bits in a sector bitmap, as [first sector, end). */
function* sectorRuns(bitmap: Buffer, sectors: number): Generator<readonly [number, number]> {
  let start = -1;
  for (let sector = 0; sector <= sectors; sector++) {
    const used = sector < sectors && ((bitmap[sector >> 3] ?? 0) & (0x80 >> (sector & 7))) !== 0;
    if (used && start < 0) start = sector;
    if (!used && start >= 0) {
      yield [start, sector];
      start = -1;
    }
  }
}

export type WriteAt = (bytes: Buffer, position: number) => Promise<unknown>;

/**
 * Reads what follows the footer to the end of the stream and hands each used run of sectors to `write`, in the stream's
 * order. Nothing is written beyond `footer.currentSize`. @throws VhdDamaged, StreamEnded
 */
export async function readVhdBlocks(reader: ByteReader, footer: VhdFooter, write: WriteAt): Promise<void> {
  const header = await readHeader(reader, footer);
  await skipTo(reader, header.tableOffset, 'block table');
  const table = await reader.exactly(header.tableEntries * 4);
  const blocks: { readonly index: number; readonly offset: number }[] = [];
  for (let index = 0; index < header.tableEntries; index++) {
    const sector = table.readUInt32BE(index * 4);
    if (sector !== UNUSED_BLOCK) blocks.push({ index, offset: sector * SECTOR });
  }
  blocks.sort((one, other) => one.offset - other.offset);
  const sectors = header.blockBytes / SECTOR;
  const bitmapBytes = Math.ceil(sectors / 8 / SECTOR) * SECTOR;
  for (const block of blocks) {
    await skipTo(reader, block.offset, `block ${block.index}`);
    const bitmap = await reader.exactly(bitmapBytes);
    const data = await reader.exactly(header.blockBytes);
    const start = block.index * header.blockBytes;
    for (const [first, end] of sectorRuns(bitmap, sectors)) {
      const position = start + first * SECTOR;
      const room = Math.max(0, footer.currentSize - position);
      const run = data.subarray(first * SECTOR, end * SECTOR).subarray(0, room);
      if (run.length > 0) await write(run, position);
    }
  }
  await reader.drain();
}
