/** A disk as it is sent: the image's file, larger where it is padded, with what then differs from the file. */
import type { FileHandle } from 'node:fs/promises';
import { Fault } from '../faults.ts';
import type { PlannedImage } from '../model.ts';

/** Bytes that stand on the disk instead of the file's. */
export interface Patch {
  readonly at: number;
  readonly bytes: Buffer;
}

export interface DiskSource {
  readonly image: PlannedImage;
  /** Bytes of the virtual disk; more than the image's where it is padded. */
  readonly sizeBytes: number;
  /** Of the whole virtual disk. */
  readonly sha256: string;
  /** Indices of the 2 MiB blocks that hold anything but zeros, ascending. */
  readonly blocks: readonly number[];
  readonly patches: readonly Patch[];
}

/** The image as it is. */
export const plainSource = (image: PlannedImage): DiskSource => ({
  ...{ image, sizeBytes: image.sizeBytes, sha256: image.sha256, blocks: image.blocks, patches: [] },
});

/**
 * Fills `into` with the disk's bytes from `start` on: the file's, zeros behind its end, patches over both.
 * @throws Fault BAD_IMAGE when the file is shorter than it was when it was planned
 */
export async function readSource(
  { image, patches }: Pick<DiskSource, 'image' | 'patches'>,
  file: FileHandle,
  start: number,
  into: Buffer,
): Promise<void> {
  const fromFile = Math.max(0, Math.min(into.length, image.sizeBytes - start));
  let read = 0;
  while (read < fromFile) {
    const { bytesRead } = await file.read(into, read, fromFile - read, start + read);
    if (bytesRead === 0) {
      throw new Fault('BAD_IMAGE', `the image shrank while it was sent: expected ${image.sizeBytes} bytes`);
    }
    read += bytesRead;
  }
  into.fill(0, fromFile);
  for (const { at, bytes } of patches) {
    const [first, end] = [Math.max(at, start), Math.min(at + bytes.length, start + into.length)];
    if (first < end) bytes.copy(into, first - start, first - at, end - at);
  }
}
