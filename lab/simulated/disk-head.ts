/** Reads the head of a disk file as a guest would: its GUID, and the bytes as `od -Ax -tx1` prints them. */
import { open } from 'node:fs/promises';

/** What the guest reads of its disk: six blocks of 4 KiB, whole sectors on any disk. */
const HEAD_BYTES = 6 * 4096;
const SECTORS: readonly number[] = [512, 4096];
const OD_BYTES = 16;

/** Bytes from the start of the file; fewer where it is shorter. */
export async function readDiskHead(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** GUID of the disk's GPT, lower case; null where there is none. */
export function diskGuid(head: Buffer): string | null {
  const at = SECTORS.find((sector) => head.toString('latin1', sector, sector + 8) === 'EFI PART');
  if (at === undefined || head.length < at + 72) return null;
  const raw = head.subarray(at + 56, at + 72);
  const reversed = (from: number, to: number): string => Buffer.from(raw.subarray(from, to)).reverse().toString('hex');
  const fields = [reversed(0, 4), reversed(4, 6), reversed(6, 8), raw.toString('hex', 8, 10), raw.toString('hex', 10)];
  return fields.join('-');
}

/** As od does: equal lines after the first are one `*`, the last line is the length alone. */
export function octalDump(bytes: Buffer): string {
  const offset = (at: number): string => at.toString(16).padStart(6, '0');
  const lines: string[] = [];
  let before: string | null = null;
  let folded = false;
  for (let at = 0; at < bytes.length; at += OD_BYTES) {
    const line = bytes.toString('hex', at, at + OD_BYTES).replaceAll(/../g, ' $&');
    if (line === before) {
      if (!folded) lines.push('*');
      folded = true;
    } else {
      lines.push(offset(at) + line);
      folded = false;
    }
    before = line;
  }
  return [...lines, offset(bytes.length)].join('\n');
}
