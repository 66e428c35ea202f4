/** Makes a dynamic VHD of a raw disk, after the published format; for tests only, and without an eye to speed. */

const SECTOR = 512;
export const VHD_BLOCK_BYTES = 2 * 2 ** 20;
const SECTORS_PER_BLOCK = VHD_BLOCK_BYTES / SECTOR;

/** One's complement of the sum of all bytes, put at `at`. */
function sealed(bytes: Buffer, at: number): Buffer {
  bytes.writeUInt32BE(0, at);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.writeUInt32BE(~sum >>> 0, at);
  return bytes;
}

function footer(size: number): Buffer {
  const bytes = Buffer.alloc(SECTOR);
  bytes.write('conectix', 0, 'latin1');
  bytes.writeUInt32BE(2, 8);
  bytes.writeUInt32BE(0x00010000, 12);
  bytes.writeBigUInt64BE(BigInt(SECTOR), 16);
  bytes.writeBigUInt64BE(BigInt(size), 40);
  bytes.writeBigUInt64BE(BigInt(size), 48);
  bytes.writeUInt32BE(3, 60);
  return sealed(bytes, 64);
}

function header(blocks: number): Buffer {
  const bytes = Buffer.alloc(1024);
  bytes.write('cxsparse', 0, 'latin1');
  bytes.writeBigUInt64BE(0xffffffffffffffffn, 8);
  bytes.writeBigUInt64BE(BigInt(SECTOR + 1024), 16);
  bytes.writeUInt32BE(0x00010000, 24);
  bytes.writeUInt32BE(blocks, 28);
  bytes.writeUInt32BE(VHD_BLOCK_BYTES, 32);
  return sealed(bytes, 36);
}

/** @param order in which the blocks lie in the file; default as in the disk. Blocks of zeros are left out. */
export function makeVhd(disk: Buffer, order: (blocks: readonly number[]) => readonly number[] = (all) => all): Buffer {
  const count = Math.ceil(disk.length / VHD_BLOCK_BYTES);
  const table = Buffer.alloc(Math.ceil((count * 4) / SECTOR) * SECTOR, 0xff);
  const used = Array.from({ length: count }, (_, index) => index).filter((index) =>
    disk.subarray(index * VHD_BLOCK_BYTES, (index + 1) * VHD_BLOCK_BYTES).some((byte) => byte !== 0),
  );
  const parts: Buffer[] = [];
  let at = SECTOR + 1024 + table.length;
  for (const index of order(used)) {
    table.writeUInt32BE(at / SECTOR, index * 4);
    const data = Buffer.alloc(VHD_BLOCK_BYTES);
    disk.copy(data, 0, index * VHD_BLOCK_BYTES);
    const bitmap = Buffer.alloc(SECTORS_PER_BLOCK / 8, 0xff);
    parts.push(bitmap, data);
    at += bitmap.length + data.length;
  }
  const foot = footer(disk.length);
  return Buffer.concat([foot, header(count), table, ...parts, foot]);
}
