/**
 * Reads a VHD, fixed or dynamic. Sections named here are those of Microsoft's "Virtual Hard Disk Image Format
 * Specification" 1.0. Whatever a footer, header or table claims is compared with the file before it is believed.
 */
import { type Bad, type Disk, SECTOR, whyNoDisk } from './disk.ts';
import { bytesOf } from './file-disk.ts';

const FOOTER_BYTES = 512;
const HEADER_BYTES = 1024;
const UNUSED = 0xffff_ffff;
/** Known writers take 512 KiB or 2 MiB; smaller ones would only make the table larger than memory is worth. */
const BLOCK_BYTES_MIN = 512 * 1024;
const TYPES = { fixed: 2, dynamic: 3, differencing: 4 } as const;
/** "CHS" of a disk that is too large for it, and what qemu writes to say "go by the size". */
const CHS_MAX = { cylinders: 65535, heads: 16, perTrack: 255 } as const;

export interface OpenedVhd {
  readonly format: 'vhd-fixed' | 'vhd-dynamic';
  readonly disk: Disk;
}

interface Footer {
  readonly type: number;
  readonly sizeBytes: number;
  readonly headerAt: bigint;
  /** Size, type, place of the header and uuid: what the footer and its copy must agree in. */
  readonly essence: string;
}

/** The sum of all bytes without the checksum's own four, inverted ("Hard Disk Footer Format", Checksum). */
export function vhdChecksum(structure: Buffer, fieldAt: number): number {
  let sum = 0;
  for (let at = 0; at < structure.length; at++) {
    if (at < fieldAt || at >= fieldAt + 4) sum += structure[at] ?? 0;
  }
  return ~(sum >>> 0) >>> 0;
}

/** "Hard Disk Footer Format". The size is Current Size, which XCP-ng's tapdisk goes by too; CHS only rounds it down. */
function parseFooter(bytes: Buffer, which: string, bad: Bad): Footer {
  if (bytes.toString('latin1', 0, 8) !== 'conectix') {
    throw bad(`it is a VHD that is cut or damaged: ${which} is missing`);
  }
  if (bytes.readUInt32BE(64) !== vhdChecksum(bytes, 64)) throw bad(`it is a damaged VHD: the checksum of ${which}`);
  const sizeBytes = Number(bytes.readBigUInt64BE(48));
  const why = whyNoDisk(sizeBytes);
  if (why !== null) throw bad(`it is a VHD of which ${which} is not to be believed: ${why}`);
  const [cylinders, heads, perTrack] = [bytes.readUInt16BE(56), bytes.readUInt8(58), bytes.readUInt8(59)];
  const unlimited = cylinders === CHS_MAX.cylinders && heads === CHS_MAX.heads && perTrack === CHS_MAX.perTrack;
  const chsBytes = cylinders * heads * perTrack * SECTOR;
  if (chsBytes > sizeBytes && !unlimited) {
    throw bad(`it is a VHD that contradicts itself: a geometry of ${chsBytes} bytes, a size of ${sizeBytes} bytes`);
  }
  const essence = bytes.toString('hex', 16, 24) + bytes.toString('hex', 48, 56) + bytes.toString('hex', 60, 64);
  return {
    ...{ type: bytes.readUInt32BE(60), sizeBytes, headerAt: bytes.readBigUInt64BE(16) },
    essence: essence + bytes.toString('hex', 68, 84),
  };
}

/**
 * @param file the bytes of the file
 * @throws Fault BAD_IMAGE where it is differencing, cut, damaged, or contradicts itself or the file's length
 */
export async function openVhd(file: Disk, bad: Bad): Promise<OpenedVhd> {
  if (file.sizeBytes < FOOTER_BYTES) throw bad('it is a VHD that is cut: it is shorter than a footer');
  const footerAt = file.sizeBytes - FOOTER_BYTES;
  const footer = parseFooter(await bytesOf(file, footerAt, FOOTER_BYTES), 'the footer at its end', bad);
  const { type, sizeBytes } = footer;
  if (type === TYPES.differencing)
    throw bad('it is a differencing VHD, whose rest is in another file; merge them first');
  if (type === TYPES.fixed) {
    if (sizeBytes !== footerAt) {
      throw bad(`it is a fixed VHD that is cut or lies: its footer says ${sizeBytes} bytes, before it are ${footerAt}`);
    }
    return { format: 'vhd-fixed', disk: { ...file, sizeBytes, read: fixedRead(file, sizeBytes) } };
  }
  if (type !== TYPES.dynamic) throw bad(`it is a VHD of a type that nobody knows (${type})`);
  const copy = parseFooter(await bytesOf(file, 0, FOOTER_BYTES), 'the copy of the footer at its start', bad);
  if (copy.essence !== footer.essence) throw bad('it is a damaged VHD: its footer and the copy of it differ');
  const layout = await readLayout(file, footer, bad);
  return { format: 'vhd-dynamic', disk: { ...file, sizeBytes, read: dynamicRead(file, sizeBytes, layout, bad) } };
}

/** The footer is no part of the disk. */
const fixedRead = (file: Disk, sizeBytes: number): Disk['read'] => {
  return async (into, at) => {
    const inside = Math.max(0, Math.min(into.length, sizeBytes - at));
    await file.read(into.subarray(0, inside), at);
    into.fill(0, inside);
  };
};

interface Layout {
  readonly blockBytes: number;
  /** Of the sector bitmap in front of each block, padded to sectors ("Block Allocation Table and Data Blocks"). */
  readonly bitmapBytes: number;
  /** Where each block starts with its bitmap, in sectors; UNUSED: it is not there, and reads as zeros. */
  readonly table: Uint32Array;
}

/** "Dynamic Disk Header Format" and "Block Allocation Table". */
async function readLayout(file: Disk, { sizeBytes, headerAt }: Footer, bad: Bad): Promise<Layout> {
  const footerAt = file.sizeBytes - FOOTER_BYTES;
  if (headerAt < FOOTER_BYTES || headerAt > footerAt - HEADER_BYTES) {
    throw bad('it is a VHD that is cut or damaged: its header would lie outside the file');
  }
  const header = await bytesOf(file, Number(headerAt), HEADER_BYTES);
  if (header.toString('latin1', 0, 8) !== 'cxsparse' || header.readUInt32BE(36) !== vhdChecksum(header, 36)) {
    throw bad('it is a damaged VHD: the checksum of the dynamic header');
  }
  const [tableAt, entries] = [header.readBigUInt64BE(16), header.readUInt32BE(28)];
  const blockBytes = header.readUInt32BE(32);
  if (blockBytes < BLOCK_BYTES_MIN || (blockBytes & (blockBytes - 1)) !== 0) {
    throw bad(`it is a VHD with blocks of ${blockBytes} bytes; expected a power of two from ${BLOCK_BYTES_MIN} on`);
  }
  const needed = Math.ceil(sizeBytes / blockBytes);
  if (needed > entries) {
    throw bad(`it is a VHD that lies: its table of ${entries} blocks is too small for a disk of ${sizeBytes} bytes`);
  }
  if (tableAt < FOOTER_BYTES || tableAt > BigInt(footerAt - needed * 4)) {
    throw bad('it is a VHD that is cut or damaged: its block table would lie outside the file');
  }
  const bytes = await bytesOf(file, Number(tableAt), needed * 4);
  const table = Uint32Array.from({ length: needed }, (_, index) => bytes.readUInt32BE(index * 4));
  const bitmapBytes = Math.ceil(blockBytes / SECTOR / 8 / SECTOR) * SECTOR;
  const layout = { blockBytes, bitmapBytes, table };
  const taken: Extent[] = [
    { at: 0, bytes: FOOTER_BYTES },
    { at: Number(headerAt), bytes: HEADER_BYTES },
    { at: Number(tableAt), bytes: needed * 4 },
  ];
  refuseOverlaps([...taken, ...blockExtents(layout, sizeBytes)], footerAt, bad);
  return layout;
}

interface Extent {
  readonly at: number;
  readonly bytes: number;
}

function blockExtents({ table, blockBytes, bitmapBytes }: Layout, sizeBytes: number): Extent[] {
  const extents: Extent[] = [];
  table.forEach((sector, index) => {
    const bytes = bitmapBytes + Math.min(blockBytes, sizeBytes - index * blockBytes);
    if (sector !== UNUSED) extents.push({ at: sector * SECTOR, bytes });
  });
  return extents;
}

function refuseOverlaps(extents: Extent[], endAt: number, bad: Bad): void {
  extents.sort((one, other) => one.at - other.at);
  let free = 0;
  for (const { at, bytes } of extents) {
    if (at < free) throw bad(`it is a damaged VHD: two things lie at byte ${at} of the file`);
    free = at + bytes;
    if (free > endAt) throw bad(`it is a VHD that is cut or damaged: a block at byte ${at} would reach behind its end`);
  }
}

/**
 * Sectors whose bit is not set were never written: tapdisk gives zeros for them, qemu what stands there. Where that
 * makes a difference the file holds two disks.
 */
function dynamicRead(file: Disk, sizeBytes: number, layout: Layout, bad: Bad): Disk['read'] {
  const { blockBytes, bitmapBytes, table } = layout;
  let bitmap: { readonly block: number; readonly bits: Buffer; readonly full: boolean } | null = null;
  const bitmapOf = async (block: number, startAt: number) => {
    if (bitmap?.block === block) return bitmap;
    const bits = await bytesOf(file, startAt, bitmapBytes);
    const sectors = Math.min(blockBytes, sizeBytes - block * blockBytes) / SECTOR;
    const whole = bits.subarray(0, sectors >> 3).every((byte) => byte === 0xff);
    bitmap = { block, bits, full: whole && sectors % 8 === 0 };
    return bitmap;
  };
  return async (into, at) => {
    for (let done = 0; done < into.length; ) {
      const [block, inBlock] = [Math.floor((at + done) / blockBytes), (at + done) % blockBytes];
      const piece = into.subarray(done, done + Math.min(into.length - done, blockBytes - inBlock));
      const inside = Math.max(0, Math.min(piece.length, sizeBytes - at - done));
      const sector = table[block] ?? UNUSED;
      piece.fill(0, sector === UNUSED ? 0 : inside);
      if (sector !== UNUSED && inside > 0) {
        const startAt = sector * SECTOR;
        await file.read(piece.subarray(0, inside), startAt + bitmapBytes + inBlock);
        const { bits, full } = await bitmapOf(block, startAt);
        if (!full && holdsUnwritten(piece.subarray(0, inside), inBlock, bits)) {
          throw bad(`it is a damaged VHD: block ${block} has data in sectors that its bitmap calls unwritten`);
        }
      }
      done += piece.length;
    }
  };
}

function holdsUnwritten(piece: Buffer, inBlock: number, bits: Buffer): boolean {
  const last = Math.floor((inBlock + piece.length - 1) / SECTOR);
  for (let sector = Math.floor(inBlock / SECTOR); sector <= last; sector++) {
    const written = ((bits[sector >> 3] ?? 0) & (0x80 >> (sector & 7))) !== 0;
    const bytes = piece.subarray(Math.max(0, sector * SECTOR - inBlock), (sector + 1) * SECTOR - inBlock);
    if (!written && bytes.some((byte) => byte !== 0)) return true;
  }
  return false;
}
