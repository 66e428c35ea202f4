/**
 * State of a UFS, read from its superblock: struct fs of FreeBSD's sys/ufs/ffs/fs.h (1376 bytes on 64-bit machines, the
 * layout is the same in releases 12 to 15) and what sys/ufs/ffs/ffs_subr.c and ffs_vfsops.c do with it.
 */
import { crc32c } from './crc32c.ts';
import { broken, doubtful, fine, type Look, shownBytes } from './look.ts';
import type { Window } from './window.ts';

const SUPERBLOCK_BYTES = 8192;
/** SBLOCKSEARCH, in its order: UFS2, UFS1, floppy, piggy. */
const PLACES = [65536, 8192, 0, 262144] as const;
const UFS1_PLACE_MAX = 8192;

const UFS1_MAGIC = 0x011954;
const UFS2_MAGIC = 0x19540119;
/** newfs writes it first and the right one last. */
const BAD_MAGIC = 0x19960408;

/** Offsets in struct fs. */
const AT = {
  oldSize: 36,
  ncg: 44,
  bsize: 48,
  fsize: 52,
  sbsize: 104,
  clean: 209,
  oldFlags: 211,
  fsmnt: 212,
  volname: 680,
  sblockloc: 1000,
  size: 1080,
  ckhash: 1304,
  metackhash: 1308,
  flags: 1312,
  magic: 1372,
} as const;
const FSMNT_BYTES = 468;
const VOLNAME_BYTES = 32;
const STRUCT_BYTES = 1376;

const FS_DOSOFTDEP = 0x02;
const FS_NEEDSFSCK = 0x04;
const FS_SUJ = 0x08;
/** In fs_old_flags: the flags have moved to fs_flags. */
const FS_FLAGS_UPDATED = 0x80;
const FS_METACKHASH = 0x200;
const CK_SUPERBLOCK = 0x01;

const BUILD_AGAIN = 'Build the file system again, or check it with `fsck_ffs -f` and make the image from the result.';

/** @returns null where there is no UFS */
export async function judgeUfs(volume: Window): Promise<Look | null> {
  for (const place of PLACES) {
    if (place + SUPERBLOCK_BYTES > volume.sizeBytes) continue;
    const block = await volume.read(place, SUPERBLOCK_BYTES);
    const magic = block.readInt32LE(AT.magic);
    if (magic === BAD_MAGIC) {
      return broken('a UFS that newfs did not finish', 'FreeBSD refuses to mount it.', BUILD_AGAIN);
    }
    const isUfs1 = magic === UFS1_MAGIC && place <= UFS1_PLACE_MAX;
    // A UFS1 with 64 KiB blocks keeps a copy of its superblock where that of a UFS2 is; it names another place.
    const isUfs2 = magic === UFS2_MAGIC && block.readBigInt64LE(AT.sblockloc) === BigInt(place);
    if (isUfs1 || isUfs2) return judge(block, isUfs2, volume.sizeBytes);
  }
  return null;
}

function judge(block: Buffer, isUfs2: boolean, volumeBytes: number): Look {
  const [ncg, bsize, fsize] = [block.readUInt32LE(AT.ncg), block.readInt32LE(AT.bsize), block.readInt32LE(AT.fsize)];
  const sbsize = block.readInt32LE(AT.sbsize);
  const inRange = bsize >= 4096 && bsize <= 65536 && fsize >= 512 && fsize <= bsize && ncg >= 1;
  if (!inRange || sbsize < STRUCT_BYTES || sbsize > SUPERBLOCK_BYTES) {
    const numbers = `blocks of ${bsize}, fragments of ${fsize}, ${ncg} groups, superblock of ${sbsize} bytes`;
    return broken(`a UFS whose superblock is damaged: ${numbers}`, 'FreeBSD does not mount it.', BUILD_AGAIN);
  }
  const flags = flagsOf(block);
  const shown = describe(block, isUfs2, flags);
  const fragments = isUfs2 ? Number(block.readBigInt64LE(AT.size)) : block.readInt32LE(AT.oldSize);
  const bytes = fragments * fsize;
  if (bytes > volumeBytes || fragments <= 0) {
    const sizes = `${shownBytes(Math.max(0, bytes))} in a partition of ${shownBytes(volumeBytes)}`;
    const why = 'Its end cannot be read: files are damaged, or the mount fails.';
    return broken(
      `${shown}: ${sizes}`,
      why,
      'Make the partition as large as the file system, or copy the image again.',
    );
  }
  return judgeHash(block, sbsize, flags, shown) ?? judgeClean(block, flags, shown);
}

/** Kernels before the field was moved wrote one byte only. */
function flagsOf(block: Buffer): number {
  const old = block.readUInt8(AT.oldFlags);
  return old & FS_FLAGS_UPDATED ? block.readInt32LE(AT.flags) : old;
}

function describe(block: Buffer, isUfs2: boolean, flags: number): string {
  const text = (at: number, bytes: number): string => {
    const all = block.toString('latin1', at, at + bytes);
    return all.slice(0, all.indexOf('\0') < 0 ? undefined : all.indexOf('\0')).replace(/[^\x20-\x7e]/g, '?');
  };
  const label = text(AT.volname, VOLNAME_BYTES);
  const mounted = text(AT.fsmnt, FSMNT_BYTES);
  const journal = flags & FS_SUJ ? ', SU+J' : flags & FS_DOSOFTDEP ? ', SU' : '';
  return [
    `${isUfs2 ? 'UFS2' : 'UFS1'}${label === '' ? '' : ` "${label}"`}${journal}`,
    mounted === '' ? 'never mounted' : `last mounted on ${mounted}`,
  ].join(', ');
}

/** ffs_calc_sbhash: over fs_sbsize bytes with the field itself zero; only where the flags say that it is kept. */
function judgeHash(block: Buffer, sbsize: number, flags: number, shown: string): Look | null {
  const kept = (flags & FS_METACKHASH) !== 0 && (block.readUInt32LE(AT.metackhash) & CK_SUPERBLOCK) !== 0;
  if (!kept) return null;
  const summed = Buffer.from(block.subarray(0, sbsize));
  summed.writeUInt32LE(0, AT.ckhash);
  const [stored, computed] = [block.readUInt32LE(AT.ckhash), crc32c(summed)];
  if (stored === computed) return null;
  return doubtful(
    `${shown}: superblock check-hash is 0x${stored.toString(16)}, its bytes give 0x${computed.toString(16)}`,
    'FreeBSD mounts it as a root only, marked as in need of fsck, and refuses it anywhere else.',
    BUILD_AGAIN,
  );
}

/** ffs_mountfs and ffs_mount: fs_clean 0 refuses read-write, unless soft updates without a journal promise enough. */
function judgeClean(block: Buffer, flags: number, shown: string): Look {
  const clean = block.readInt8(AT.clean) !== 0;
  const needsFsck = (flags & FS_NEEDSFSCK) !== 0;
  if (clean && !needsFsck) return fine(`${shown}, clean`);
  const remedy = 'Unmount it before the image is made, or run `fsck_ffs` on it.';
  if (!needsFsck && (flags & (FS_SUJ | FS_DOSOFTDEP)) === FS_DOSOFTDEP) {
    return doubtful(`${shown}, not clean`, 'FreeBSD mounts it with a warning, and fsck has to follow.', remedy);
  }
  const why =
    'FreeBSD refuses to mount it read-write until fsck has run: /etc/rc does that, a PID 1 of one’s own does not.';
  return doubtful(`${shown}, ${needsFsck ? 'marked as in need of fsck' : 'not clean'}`, why, remedy);
}
