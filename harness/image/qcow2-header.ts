/**
 * Reads and judges the header of a qcow2 image. Sections named here are those of "docs/interop/qcow2.txt" of QEMU.
 * Nothing that it claims is believed before it was compared with the file.
 */
import { type Bad, type Disk, whyNoDisk } from './disk.ts';
import { bytesOf } from './file-disk.ts';

const V2_BYTES = 72;
const V3_BYTES_MIN = 104;
/** As much as qemu takes: 32 MiB of level 1 table, 8 MiB of refcount table. */
const L1_BYTES_MAX = 32 * 1024 ** 2;
const REFCOUNT_TABLE_BYTES_MAX = 8 * 1024 ** 2;

/** Incompatible features ("Header", bytes 72 - 79). */
const FEATURE = { dirty: 1n, corrupt: 2n, externalData: 4n, compressionType: 8n, extendedL2: 16n } as const;
/** A dirty image has refcounts that may be wrong; where the data is, is not told by them. */
const TAKEN = FEATURE.dirty | FEATURE.compressionType;

export interface Qcow2Header {
  readonly version: 2 | 3;
  readonly sizeBytes: number;
  readonly clusterBits: number;
  readonly clusterBytes: number;
  readonly l1At: number;
  /** Entries of the level 1 table that the disk needs. */
  readonly l1Entries: number;
  readonly refcountTableAt: number;
  readonly refcountTableBytes: number;
  readonly compression: 'deflate' | 'zstd';
}

/** @throws Fault BAD_IMAGE where it needs another file or a key, has features that we do not know, or lies */
export async function readQcow2Header(file: Disk, bad: Bad): Promise<Qcow2Header> {
  const head = await bytesOf(file, 0, V3_BYTES_MIN + 8);
  if (file.sizeBytes < V2_BYTES) throw bad('it is a qcow2 image that is cut: it is shorter than its header');
  const version = head.readUInt32BE(4);
  if (version !== 2 && version !== 3) throw bad(`it is a qcow2 image of version ${version}; expected 2 or 3`);
  const compression = version === 2 ? 'deflate' : features(head, bad);
  if (head.readBigUInt64BE(8) !== 0n) {
    throw bad('it is a qcow2 image with a backing file, so not a whole disk; merge them with qemu-img convert');
  }
  if (head.readUInt32BE(32) !== 0) throw bad('it is an encrypted qcow2 image; decrypt it with qemu-img convert');
  const clusterBits = head.readUInt32BE(20);
  if (clusterBits < 9 || clusterBits > 21) {
    throw bad(`it is a damaged qcow2 image: clusters of 2^${clusterBits} bytes; expected 2^9 to 2^21`);
  }
  const sizeBytes = Number(head.readBigUInt64BE(24));
  const why = whyNoDisk(sizeBytes);
  if (why !== null) throw bad(`it is a qcow2 image whose header is not to be believed: ${why}`);
  const clusterBytes = 2 ** clusterBits;
  const l1Entries = Math.ceil(sizeBytes / (clusterBytes * (clusterBytes / 8)));
  const l1Claimed = head.readUInt32BE(36);
  if (l1Claimed < l1Entries || l1Claimed * 8 > L1_BYTES_MAX) {
    throw bad(`it is a qcow2 image that lies: ${sizeBytes} bytes with a level 1 table of ${l1Claimed} entries`);
  }
  const refcountTableBytes = head.readUInt32BE(56) * clusterBytes;
  if (refcountTableBytes > REFCOUNT_TABLE_BYTES_MAX) {
    throw bad(`it is a damaged qcow2 image: a refcount table of ${refcountTableBytes} bytes`);
  }
  const place = (what: string, field: number, bytes: number): number => {
    const at = head.readBigUInt64BE(field);
    if (at % BigInt(clusterBytes) === 0n && at > 0n && at + BigInt(bytes) <= file.sizeBytes) return Number(at);
    throw bad(`it is a qcow2 image that is cut or damaged: its ${what} would lie outside the file`);
  };
  return {
    ...{ version, sizeBytes, clusterBits, clusterBytes, l1Entries, compression, refcountTableBytes },
    l1At: place('level 1 table', 40, l1Entries * 8),
    refcountTableAt: place('refcount table', 48, refcountTableBytes),
  };
}

/** What version 3 added. @returns the way in which clusters are compressed */
function features(head: Buffer, bad: Bad): Qcow2Header['compression'] {
  const incompatible = head.readBigUInt64BE(72);
  const has = (feature: bigint): boolean => (incompatible & feature) !== 0n;
  if (has(FEATURE.corrupt)) throw bad('it is a qcow2 image that is marked as corrupt; qemu-img check may repair it');
  if (has(FEATURE.externalData)) {
    throw bad('it is a qcow2 image with an external data file, so not a whole disk; give that raw file instead');
  }
  if (has(FEATURE.extendedL2)) {
    throw bad('it is a qcow2 image with extended L2 entries (subclusters); write it anew with qemu-img convert');
  }
  const unknown = incompatible & ~TAKEN;
  if (unknown !== 0n) throw bad(`it is a qcow2 image with unknown incompatible features (0x${unknown.toString(16)})`);
  const headerBytes = head.readUInt32BE(100);
  if (headerBytes < V3_BYTES_MIN || headerBytes % 8 !== 0) {
    throw bad(`it is a damaged qcow2 image: a header of ${headerBytes} bytes`);
  }
  const type = headerBytes > V3_BYTES_MIN ? head.readUInt8(104) : 0;
  if (type > 1) throw bad(`it is a qcow2 image whose clusters are compressed in a way that nobody knows (${type})`);
  if ((type !== 0) !== has(FEATURE.compressionType)) {
    throw bad('it is a damaged qcow2 image: its compression type and its feature bits disagree');
  }
  return type === 1 ? 'zstd' : 'deflate';
}
