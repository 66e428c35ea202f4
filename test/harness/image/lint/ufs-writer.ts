/**
 * Writes the superblock of a UFS, and nothing else of one: from documentation (struct fs of FreeBSD's
 * sys/ufs/ffs/fs.h), seen by no FreeBSD. `synthetic`
 */
const CRC32C = 0x82f63b78;

export interface UfsWish {
  readonly mib: number;
  readonly version?: 1 | 2;
  readonly clean?: boolean;
  /** fs_flags, besides FS_METACKHASH. */
  readonly flags?: number;
  readonly hash?: 'right' | 'wrong' | 'none';
  /** Fragments of 4 KiB that it claims; default: all that fit. */
  readonly fragments?: number;
  readonly magic?: number;
  readonly bsize?: number;
}

/** Bit by bit, unlike the one under test. */
function slowCrc32c(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? CRC32C : 0);
  }
  return crc >>> 0;
}

export function ufs({ mib, version = 2, clean = true, flags = 0, hash = 'right', ...more }: UfsWish): Buffer {
  const volume = Buffer.alloc(mib * 1024 * 1024);
  const at = version === 2 ? 65536 : 8192;
  const block = volume.subarray(at, at + 8192);
  const fragments = more.fragments ?? volume.length / 4096;
  block.writeUInt32LE(4, 44); // fs_ncg
  block.writeInt32LE(more.bsize ?? 32768, 48);
  block.writeInt32LE(4096, 52); // fs_fsize
  block.writeInt32LE(1376, 104); // fs_sbsize
  block.writeInt8(clean ? 1 : 0, 209);
  block.writeUInt8(0x80, 211); // FS_FLAGS_UPDATED
  block.write('/', 212);
  block.write('rootfs', 680);
  if (version === 1) block.writeInt32LE(fragments, 36);
  block.writeBigInt64LE(BigInt(at), 1000);
  block.writeBigInt64LE(BigInt(fragments), 1080);
  block.writeInt32LE(flags | (hash === 'none' ? 0 : 0x200), 1312);
  block.writeUInt32LE(hash === 'none' ? 0 : 1, 1308);
  block.writeInt32LE(more.magic ?? (version === 2 ? 0x19540119 : 0x011954), 1372);
  const sum = slowCrc32c(block.subarray(0, 1376));
  block.writeUInt32LE(hash === 'wrong' ? (sum ^ 1) >>> 0 : sum, 1304);
  return volume;
}
