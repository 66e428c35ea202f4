/** Finds the virtual disk in a file: decompresses it where needed, and opens the container that is then there. */
import type { Compression, DiskFormat, ImageFormat } from '../model.ts';
import { type Bad, type Disk, whyNoDisk } from './disk.ts';
import { bytesOf, fileDisk } from './file-disk.ts';
import { HEAD_BYTES, NAMES, type Sniffed, sniff, TAIL_BYTES } from './format.ts';
import { type ImageFile, sameState, stateOf } from './image-file.ts';
import { openQcow2 } from './qcow2.ts';
import type { Scratch } from './scratch.ts';
import { openVhd } from './vhd.ts';

export interface Contents {
  readonly format: ImageFormat;
  readonly disk: Disk;
}

/**
 * @param image left open by the disk's `close`
 * @throws Fault BAD_IMAGE where it is nothing that we read, cut, damaged or lying, and as `Scratch.unpacked`
 */
export async function openContents(image: ImageFile, scratch: Scratch, signal?: AbortSignal): Promise<Contents> {
  const { bad, sizeBytes } = image;
  if (sizeBytes === 0) throw bad('it is empty');
  const outer = fileDisk(image.file, sizeBytes, bad);
  const found = await sniffDisk(outer);
  if (found !== 'gz' && found !== 'xz' && found !== 'zst') return openDiskFile(outer, found, bad);
  const inner = await unpacked(image, found, scratch, signal);
  const within: Bad = (why, cause) => bad(`decompressed (${found}), ${why}`, cause);
  if (inner.sizeBytes === 0) throw within('it is empty');
  const { format, disk } = await openDiskFile(inner, await sniffDisk(inner), within);
  return { format: `${format}+${found}`, disk };
}

async function sniffDisk(disk: Disk): Promise<Sniffed> {
  const tailAt = Math.max(0, disk.sizeBytes - TAIL_BYTES);
  return sniff(await bytesOf(disk, 0, HEAD_BYTES), await bytesOf(disk, tailAt, TAIL_BYTES), disk.sizeBytes);
}

async function unpacked(image: ImageFile, by: Compression, scratch: Scratch, signal?: AbortSignal): Promise<Disk> {
  const { file, stats, sizeBytes, bad } = image;
  const state = stateOf(stats);
  const there = await scratch.unpacked(`${stats.dev}-${stats.ino} ${state}`, { by, file, sizeBytes }, bad, signal);
  if (!(await sameState(image, state))) throw bad('it changed while it was read');
  return fileDisk(there.file, there.sizeBytes, bad);
}

/** @param file the bytes of the file, decompressed */
async function openDiskFile(file: Disk, found: Sniffed, bad: Bad): Promise<{ format: DiskFormat; disk: Disk }> {
  if (found === 'vhd') return holdingDisk(await openVhd(file, bad), bad);
  if (found === 'qcow2') return holdingDisk({ format: 'qcow2', disk: await openQcow2(file, bad) }, bad);
  if (found !== 'raw') {
    const what = typeof found === 'object' ? found.foreign : NAMES[found];
    throw bad(
      `it is ${what}; expected a raw disk, VHD or qcow2 image, as it is or compressed once by gzip, xz or zstd`,
    );
  }
  const why = whyNoDisk(file.sizeBytes);
  if (why !== null) throw bad(why);
  return { format: 'raw', disk: file };
}

/** The same disk is judged alike in every container: what is refused as a raw file is refused in one, too. */
async function holdingDisk<T extends { readonly disk: Disk }>(contents: T, bad: Bad): Promise<T> {
  const inside = await sniffDisk(contents.disk);
  if (inside === 'raw') return contents;
  const what = typeof inside === 'object' ? inside.foreign : NAMES[inside];
  throw bad(`expected a disk in it, given ${what}`);
}
