/** Plans an image: says whether it is a raw disk, and reads it once for its digest, block map and GUIDs. */
import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { Fault } from '../faults.ts';
import type { PlannedImage } from '../model.ts';
import { BLOCK_BYTES } from './disk.ts';
import { foreignFormat, HEAD_BYTES, TAIL_BYTES } from './format.ts';
import { readGptIdentity, readStartsBy } from './gpt.ts';
import { type ImageReading, recallImage, rememberImage, stateOf } from './readings.ts';
import { readSidecar } from './sidecar.ts';

export interface PlanImageOptions {
  /** Folder for what planning reads found; made when needed. */
  readonly cacheDir: string;
  /** Milliseconds since 1970; only to tell a file that has just been written. Default: the system's. */
  readonly nowMs?: () => number;
}

const SECTOR = 512;
const ZEROS = Buffer.alloc(BLOCK_BYTES);
/** Two writes within one tick of the file system's clock look alike; what is that fresh is not remembered. */
const FRESH_MS = 100;

function whyNotOpened(path: string, error: unknown): Fault {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  const why = code === 'ENOENT' ? 'there is no such file' : `it cannot be opened (${code})`;
  return new Fault('BAD_IMAGE', `image ${path}: ${why}`, { cause: error });
}

async function openImage(path: string): Promise<FileHandle> {
  try {
    // Looked at before it is opened: opening a pipe would wait for a writer.
    const stats = await stat(path);
    if (stats.isDirectory()) throw new Fault('BAD_IMAGE', `image ${path}: expected a file, given a directory`);
    if (!stats.isFile()) {
      throw new Fault('BAD_IMAGE', `image ${path}: expected a regular file, given a device or pipe`);
    }
    return await open(path, 'r');
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw whyNotOpened(path, error);
  }
}

async function checkFormat(path: string, image: FileHandle, stats: BigIntStats): Promise<void> {
  const refuse = (why: string): never => {
    throw new Fault('BAD_IMAGE', `image ${path}: ${why}`);
  };
  const sizeBytes = Number(stats.size);
  if (sizeBytes === 0) refuse('it is empty');
  const head = Buffer.alloc(HEAD_BYTES);
  const tail = Buffer.alloc(TAIL_BYTES);
  await image.read(head, 0, head.length, 0);
  await image.read(tail, 0, tail.length, Math.max(0, sizeBytes - TAIL_BYTES));
  const foreign = foreignFormat(head, tail);
  if (foreign !== null) refuse(`it is ${foreign}; convert it to a raw disk image first`);
  if (sizeBytes % SECTOR !== 0) {
    refuse(`expected a raw disk whose size is a multiple of ${SECTOR} bytes, given ${sizeBytes} bytes`);
  }
}

/** The planning read: every byte once, in blocks, at two blocks of memory. */
async function readThrough(path: string, image: FileHandle, sizeBytes: number): Promise<ImageReading> {
  const hash = createHash('sha256');
  const blocks: number[] = [];
  const buffer = Buffer.allocUnsafe(BLOCK_BYTES);
  for (let block = 0; block * BLOCK_BYTES < sizeBytes; block++) {
    const wanted = Math.min(BLOCK_BYTES, sizeBytes - block * BLOCK_BYTES);
    let read = 0;
    while (read < wanted) {
      const { bytesRead } = await image.read(buffer, read, wanted - read, block * BLOCK_BYTES + read);
      if (bytesRead === 0) throw new Fault('BAD_IMAGE', `image ${path}: it shrank while it was read`);
      read += bytesRead;
    }
    const bytes = buffer.subarray(0, wanted);
    hash.update(bytes);
    if (!bytes.equals(ZEROS.subarray(0, wanted))) blocks.push(block);
  }
  if (blocks.length === 0) throw new Fault('BAD_IMAGE', `image ${path}: it holds nothing but zeros`);
  const [identity, startsBy] = [await readGptIdentity(image, sizeBytes), await readStartsBy(image, sizeBytes)];
  return { sha256: hash.digest('hex'), blocks, identity, startsBy };
}

async function reading(path: string, image: FileHandle, stats: BigIntStats, o: PlanImageOptions) {
  const known = await recallImage(o.cacheDir, stats);
  if (known !== null) return known;
  const startedMs = (o.nowMs ?? Date.now)();
  const found = await readThrough(path, image, Number(stats.size));
  const after = await image.stat({ bigint: true });
  if (after.size !== stats.size || after.mtimeNs !== stats.mtimeNs || after.ctimeNs !== stats.ctimeNs) {
    throw new Fault('BAD_IMAGE', `image ${path}: it changed while it was read`);
  }
  if (startedMs - Number(stats.ctimeNs / 1_000_000n) > FRESH_MS) await rememberImage(o.cacheDir, stats, found);
  return found;
}

/**
 * Plans an image. Reads it once, or not at all when the cache knows it in this state.
 * @throws Fault BAD_IMAGE when it is not a raw disk that can be read, or its sidecar is malformed
 */
export async function planImage(path: string, options: PlanImageOptions): Promise<PlannedImage> {
  const image = await openImage(path);
  try {
    const stats = await image.stat({ bigint: true });
    await checkFormat(path, image, stats);
    const sidecar = await readSidecar(path);
    const found = await reading(path, image, stats, options);
    return { path, sizeBytes: Number(stats.size), fileState: stateOf(stats), ...found, sidecar };
  } finally {
    await image.close();
  }
}
