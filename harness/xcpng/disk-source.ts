/** A disk as it is sent: the image's, larger where it is padded, with what then differs from it. */
import type { Disk } from '../image/disk.ts';
import { type ImageDisk, openDisk } from '../image/open-disk.ts';
import type { Scratch } from '../image/scratch.ts';
import type { PlannedImage } from '../model.ts';

/** Bytes that stand on the disk instead of the image's. */
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
  /** @param signal as of `openDisk` @throws Fault as `openDisk` */
  open(signal: AbortSignal): Promise<ImageDisk>;
}

/** The image as it is. */
export const plainSource = (image: PlannedImage, scratch: Scratch): DiskSource => ({
  ...{ image, sizeBytes: image.sizeBytes, sha256: image.sha256, blocks: image.blocks },
  open: (signal) => openDisk(image, scratch, signal),
});

/** The disk with zeros behind its end up to `sizeBytes`, and patches over both. */
export const patched = <T extends Disk>(disk: T, sizeBytes: number, patches: readonly Patch[]): T => ({
  ...disk,
  sizeBytes,
  read: async (into: Buffer, start: number) => {
    await disk.read(into, start);
    for (const { at, bytes } of patches) {
      const [first, end] = [Math.max(at, start), Math.min(at + bytes.length, start + into.length)];
      if (first < end) bytes.copy(into, first - start, first - at, end - at);
    }
  },
});
