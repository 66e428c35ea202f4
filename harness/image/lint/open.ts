/** Opens an image file as the disk that it holds: the one place that knows in what containers images come. */
import { open, stat } from 'node:fs/promises';
import { Fault } from '../../faults.ts';
import type { Disk } from '../disk.ts';
import { foreignFormat, HEAD_BYTES, TAIL_BYTES } from '../format.ts';

/** @throws Fault BAD_IMAGE: no such file, or one that is no raw disk */
export async function openDisk(path: string): Promise<Disk> {
  const refuse = (why: string, cause?: unknown): Fault => new Fault('BAD_IMAGE', `image ${path}: ${why}`, { cause });
  let sizeBytes: number;
  try {
    // Looked at before it is opened: opening a pipe would wait for a writer.
    const stats = await stat(path);
    if (!stats.isFile()) throw refuse('expected a regular file, given a directory, device or pipe');
    sizeBytes = stats.size;
  } catch (error) {
    if (error instanceof Fault) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw refuse(code === 'ENOENT' ? 'there is no such file' : `it cannot be opened (${code})`, error);
  }
  if (sizeBytes === 0) throw refuse('it is empty');
  const file = await open(path, 'r').catch((error: unknown) => {
    throw refuse('it cannot be opened', error);
  });
  const disk: Disk = {
    sizeBytes,
    read: async (into, at) => {
      into.fill(0);
      for (let got = 0; got < into.length && at + got < sizeBytes; ) {
        const { bytesRead } = await file.read(into, got, into.length - got, at + got);
        if (bytesRead === 0) throw refuse('it shrank while it was read');
        got += bytesRead;
      }
    },
    close: () => file.close(),
  };
  const [head, tail] = [Buffer.alloc(HEAD_BYTES), Buffer.alloc(TAIL_BYTES)];
  await disk.read(head, 0);
  await disk.read(tail, Math.max(0, sizeBytes - TAIL_BYTES));
  const foreign = foreignFormat(head, tail);
  if (foreign === null) return disk;
  await file.close();
  throw refuse(`it is ${foreign}; convert it to a raw disk image first`);
}
