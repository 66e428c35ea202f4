/**
 * State of an ext2, ext3 or ext4, read from its superblock: Linux Documentation/filesystems/ext4/super.rst, 1024 bytes
 * at byte 1024.
 */
import { crc32c } from './crc32c.ts';
import { broken, doubtful, fine, type Look, shownBytes } from './look.ts';
import type { Window } from './window.ts';

const SUPERBLOCK_AT = 1024;
const SUPERBLOCK_BYTES = 1024;
const MAGIC = 0xef53;

/** Offsets in the superblock. */
const AT = {
  blocksLow: 0x04,
  logBlockSize: 0x18,
  magic: 0x38,
  state: 0x3a,
  compat: 0x5c,
  incompat: 0x60,
  roCompat: 0x64,
  volumeName: 0x78,
  lastMounted: 0x88,
  blocksHigh: 0x150,
  checksumType: 0x175,
  checksum: 0x3fc,
} as const;

const STATE_CLEAN = 0x1;
const STATE_ERRORS = 0x2;
const COMPAT_HAS_JOURNAL = 0x4;
const INCOMPAT_RECOVER = 0x4;
const INCOMPAT_EXTENTS = 0x40;
const INCOMPAT_64BIT = 0x80;
const RO_COMPAT_METADATA_CSUM = 0x400;
/** crc32c is the only type there is. */
const CHECKSUM_CRC32C = 1;
/** Blocks of 64 KiB are the largest. */
const LOG_BLOCK_SIZE_MAX = 6;

const CHECK = 'Unmount it before the image is made, or run `e2fsck -f` on it.';

/** @returns null where there is no ext file system */
export async function judgeExt(volume: Window): Promise<Look | null> {
  const block = await volume.read(SUPERBLOCK_AT, SUPERBLOCK_BYTES);
  if (block.readUInt16LE(AT.magic) !== MAGIC) return null;
  const shown = describe(block);
  const logBlockSize = block.readUInt32LE(AT.logBlockSize);
  if (logBlockSize > LOG_BLOCK_SIZE_MAX) {
    const seen = `${shown} whose superblock is damaged: blocks of 2^${10 + logBlockSize} bytes`;
    return broken(seen, 'Linux does not mount it.', 'Build the file system again.');
  }
  return judgeChecksum(block, shown) ?? judgeSize(block, shown, volume.sizeBytes) ?? judgeState(block, shown);
}

function describe(block: Buffer): string {
  const text = (at: number, bytes: number): string => {
    const all = block.toString('latin1', at, at + bytes);
    return all.slice(0, all.indexOf('\0') < 0 ? undefined : all.indexOf('\0')).replace(/[^\x20-\x7e]/g, '?');
  };
  const [label, mounted] = [text(AT.volumeName, 16), text(AT.lastMounted, 64)];
  const isExt4 = (block.readUInt32LE(AT.incompat) & (INCOMPAT_EXTENTS | INCOMPAT_64BIT)) !== 0;
  const hasJournal = (block.readUInt32LE(AT.compat) & COMPAT_HAS_JOURNAL) !== 0;
  const type = isExt4 ? 'ext4' : hasJournal ? 'ext3' : 'ext2';
  const where = mounted === '' ? 'never mounted' : `last mounted on ${mounted}`;
  return `${type}${label === '' ? '' : ` "${label}"`}, ${where}`;
}

/** Over everything before the field itself. */
function judgeChecksum(block: Buffer, shown: string): Look | null {
  const kept = (block.readUInt32LE(AT.roCompat) & RO_COMPAT_METADATA_CSUM) !== 0;
  if (!kept || block.readUInt8(AT.checksumType) !== CHECKSUM_CRC32C) return null;
  const [stored, computed] = [block.readUInt32LE(AT.checksum), crc32c(block.subarray(0, AT.checksum))];
  if (stored === computed) return null;
  const sums = `0x${stored.toString(16)}, its bytes give 0x${computed.toString(16)}`;
  return broken(`${shown}: superblock checksum is ${sums}`, 'Linux refuses to mount it.', CHECK);
}

function judgeSize(block: Buffer, shown: string, volumeBytes: number): Look | null {
  const wide = (block.readUInt32LE(AT.incompat) & INCOMPAT_64BIT) !== 0;
  const blocks = block.readUInt32LE(AT.blocksLow) + (wide ? block.readUInt32LE(AT.blocksHigh) * 2 ** 32 : 0);
  const bytes = blocks * 2 ** (10 + block.readUInt32LE(AT.logBlockSize));
  if (bytes <= volumeBytes && blocks > 0) return null;
  return broken(
    `${shown}: ${shownBytes(bytes)} in a partition of ${shownBytes(volumeBytes)}`,
    'Linux refuses to mount what is larger than its device ("bad geometry").',
    'Make the partition as large as the file system, or copy the image again.',
  );
}

function judgeState(block: Buffer, shown: string): Look {
  const state = block.readUInt16LE(AT.state);
  if (state & STATE_ERRORS) {
    return doubtful(`${shown}, errors were detected`, 'Linux may mount it read-only, or fsck stops the boot.', CHECK);
  }
  if (block.readUInt32LE(AT.incompat) & INCOMPAT_RECOVER) {
    const why = 'It was not unmounted: Linux replays its journal at the mount, and what was not yet written is lost.';
    return doubtful(`${shown}, the journal needs recovery`, why, CHECK);
  }
  if (!(state & STATE_CLEAN)) {
    return doubtful(`${shown}, not clean`, 'It was not unmounted: files may be damaged, and fsck runs at boot.', CHECK);
  }
  return fine(`${shown}, clean`);
}
