/** Gives the GPT of a disk image a fresh disk GUID and keeps both of its headers valid. */
import { randomUUID } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

const SECTOR = 512;
const SIGNATURE = 'EFI PART';
// Offsets in a GPT header, UEFI specification 5.3.2.
const HEADER_SIZE_AT = 12;
const HEADER_CRC_AT = 16;
const OTHER_HEADER_AT = 32;
const DISK_GUID_AT = 56;
const SMALLEST_HEADER = 92;

/** On disk the first three fields of a GUID are little-endian. */
export function guidBytes(guid: string): Buffer {
  const bytes = Buffer.from(guid.replaceAll('-', ''), 'hex');
  if (bytes.length !== 16) throw new Error(`a GUID of 16 bytes was expected, and "${guid}" was given`);
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes;
}

function headerCrc(header: Buffer): number {
  const size = header.readUInt32LE(HEADER_SIZE_AT);
  if (size < SMALLEST_HEADER || size > SECTOR) throw new Error(`a GPT header of ${size} bytes is not valid`);
  const counted = Buffer.from(header.subarray(0, size));
  counted.writeUInt32LE(0, HEADER_CRC_AT);
  return crc32(counted);
}

async function readHeader(disk: FileHandle, sector: number): Promise<Buffer> {
  const { buffer, bytesRead } = await disk.read(Buffer.alloc(SECTOR), 0, SECTOR, sector * SECTOR);
  if (bytesRead !== SECTOR || buffer.toString('latin1', 0, SIGNATURE.length) !== SIGNATURE) {
    throw new Error(`a GPT header was expected in sector ${sector} of the image, and there is none`);
  }
  const [found, counted] = [buffer.readUInt32LE(HEADER_CRC_AT), headerCrc(buffer)];
  if (found !== counted) {
    throw new Error(
      `the GPT header in sector ${sector} has checksum ${found.toString(16)}, not ${counted.toString(16)}`,
    );
  }
  return buffer;
}

/** Writes a fresh disk GUID into the primary and the backup header of the image at `path`; returns it, lower case. */
export async function renewDiskGuid(path: string): Promise<string> {
  const guid = randomUUID();
  const disk = await open(path, 'r+');
  try {
    const primary = await readHeader(disk, 1);
    const backupSector = Number(primary.readBigUInt64LE(OTHER_HEADER_AT));
    const headers = [
      { sector: 1, header: primary },
      { sector: backupSector, header: await readHeader(disk, backupSector) },
    ];
    for (const { sector, header } of headers) {
      guidBytes(guid).copy(header, DISK_GUID_AT);
      header.writeUInt32LE(headerCrc(header), HEADER_CRC_AT);
      await disk.write(header, 0, SECTOR, sector * SECTOR);
    }
  } finally {
    await disk.close();
  }
  return guid;
}
