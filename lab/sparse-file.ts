/** Writes into a file that reads as zeros, and leaves holes where there would be only zeros again. */
import type { FileHandle } from 'node:fs/promises';

const PIECE = 64 * 1024;
const ZEROS = Buffer.alloc(PIECE);

/** Leaves holes where there are only zeros; the file must read as zeros there already. */
export async function writeSparse(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  let start = -1;
  for (let at = 0; at <= bytes.length; at += PIECE) {
    const piece = bytes.subarray(at, at + PIECE);
    const empty = piece.length === 0 || piece.equals(ZEROS.subarray(0, piece.length));
    if (!empty && start < 0) start = at;
    if (empty && start >= 0) {
      await writeAll(file, bytes.subarray(start, at), position + start);
      start = -1;
    }
  }
  if (start >= 0) await writeAll(file, bytes.subarray(start), position + start);
}

async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    written += (await file.write(bytes, written, bytes.length - written, position + written)).bytesWritten;
  }
}
