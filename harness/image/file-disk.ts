/** A file as a Disk: what a raw image is, and what the readers of the other formats read from. */
import type { FileHandle } from 'node:fs/promises';
import type { Bad, Disk } from './disk.ts';

/**
 * @param file left open by `close`: whoever opened it closes it
 * @param sizeBytes of the file when it was opened; a file that is shorter by now has changed
 */
export function fileDisk(file: FileHandle, sizeBytes: number, bad: Bad): Disk {
  return {
    sizeBytes,
    close: async () => undefined,
    read: async (into, at) => {
      const wanted = Math.max(0, Math.min(into.length, sizeBytes - at));
      let read = 0;
      while (read < wanted) {
        const { bytesRead } = await file.read(into, read, wanted - read, at + read).catch((error: unknown) => {
          throw bad('it cannot be read', error);
        });
        if (bytesRead === 0) throw bad(`it shrank while it was read: expected ${sizeBytes} bytes`);
        read += bytesRead;
      }
      into.fill(0, wanted);
    },
  };
}

/** Bytes of a disk as a buffer of their own. */
export async function bytesOf(disk: Disk, at: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(bytes);
  await disk.read(buffer, at);
  return buffer;
}
