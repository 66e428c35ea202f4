/** The file of an image as it lies there, and its state: what was read holds only while the state is the same. */
import type { BigIntStats } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { Fault } from '../faults/faults.ts';
import { type Bad, badImage } from './disk.ts';

export interface ImageFile {
  readonly path: string;
  readonly file: FileHandle;
  /** When it was opened. */
  readonly stats: BigIntStats;
  readonly sizeBytes: number;
  readonly bad: Bad;
}

/**
 * The state of the file. The change time is in it besides the modification time: builders that make
 * reproducible images set the latter to a constant, and file systems reuse inodes.
 */
export const stateOf = (stats: BigIntStats): string => `${stats.size} ${stats.mtimeNs} ${stats.ctimeNs}`;

/** @throws Fault BAD_IMAGE where it is no regular file that can be read */
export async function openImageFile(path: string): Promise<ImageFile> {
  const bad = badImage(path);
  try {
    // Looked at before it is opened: opening a pipe would wait for a writer.
    const kind = await stat(path);
    if (kind.isDirectory()) throw bad('expected a file, given a directory');
    if (!kind.isFile()) throw bad('expected a regular file, given a device or pipe');
    const file = await open(path, 'r');
    const stats = await file.stat({ bigint: true });
    return { path, file, stats, sizeBytes: Number(stats.size), bad };
  } catch (error) {
    if (error instanceof Fault) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw bad(code === 'ENOENT' ? 'there is no such file' : `it cannot be opened (${code})`, error);
  }
}

/** What was decompressed or planned from the file is of one state of it. */
export async function sameState({ file }: ImageFile, state: string): Promise<boolean> {
  return stateOf(await file.stat({ bigint: true })) === state;
}
