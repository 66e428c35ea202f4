/** Plans an image: finds the disk in it, and reads that once for its digest, block map and GUIDs. */
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import type { PlannedImage } from '../model.ts';
import { openContents } from './contents.ts';
import { BLOCK_BYTES } from './disk.ts';
import { readGptIdentity, readStartsBy } from './gpt.ts';
import { type ImageFile, openImageFile, sameState, stateOf } from './image-file.ts';
import { type ImageReading, recallImage, rememberImage } from './readings.ts';
import { Scratch } from './scratch.ts';
import { readSidecar } from './sidecar.ts';

export interface PlanImageOptions {
  /** Folder for what planning reads found; made when needed. */
  readonly cacheDir: string;
  /** Room for what must be decompressed. Default: the temp folder, given back when planning ends. */
  readonly scratch?: Scratch;
  /** Milliseconds since 1970; only to tell a file that has just been written. Default: the system's. */
  readonly nowMs?: () => number;
  /** Ends decompressing early, with its reason. */
  readonly signal?: AbortSignal;
}

const ZEROS = Buffer.alloc(BLOCK_BYTES);
/** Two writes within one tick of the file system's clock look alike; what is that fresh is not remembered. */
const FRESH_MS = 100;

/** The planning read: every byte of the virtual disk once, in blocks, at two blocks of memory. */
async function readThrough(image: ImageFile, scratch: Scratch, signal?: AbortSignal): Promise<ImageReading> {
  const { format, disk } = await openContents(image, scratch, signal);
  const hash = createHash('sha256');
  const blocks: number[] = [];
  const buffer = Buffer.allocUnsafe(BLOCK_BYTES);
  for (let block = 0; block * BLOCK_BYTES < disk.sizeBytes; block++) {
    const bytes = buffer.subarray(0, Math.min(BLOCK_BYTES, disk.sizeBytes - block * BLOCK_BYTES));
    await disk.read(bytes, block * BLOCK_BYTES);
    hash.update(bytes);
    if (!bytes.equals(ZEROS.subarray(0, bytes.length))) blocks.push(block);
  }
  if (blocks.length === 0) throw image.bad('it holds nothing but zeros');
  const [identity, startsBy] = [await readGptIdentity(disk), await readStartsBy(disk)];
  return { format, sizeBytes: disk.sizeBytes, sha256: hash.digest('hex'), blocks, identity, startsBy };
}

async function reading(image: ImageFile, o: PlanImageOptions): Promise<ImageReading> {
  const { stats, bad } = image;
  const known = await recallImage(o.cacheDir, stats);
  if (known !== null) return known;
  const startedMs = (o.nowMs ?? Date.now)();
  const scratch = o.scratch ?? new Scratch({ dir: tmpdir() });
  try {
    const found = await readThrough(image, scratch, o.signal);
    if (!(await sameState(image, stateOf(stats)))) throw bad('it changed while it was read');
    if (startedMs - Number(stats.ctimeNs / 1_000_000n) > FRESH_MS) await rememberImage(o.cacheDir, stats, found);
    return found;
  } finally {
    if (scratch !== o.scratch) await scratch.close();
  }
}

/**
 * Plans an image. Reads it once, or not at all when the cache knows it in this state: then nothing is decompressed.
 * @throws Fault BAD_IMAGE when it is no disk that can be read, or its sidecar is malformed; BAD_WORKDIR when there is
 *   no room to decompress it; PROGRAM_MISSING
 */
export async function planImage(path: string, options: PlanImageOptions): Promise<PlannedImage> {
  const image = await openImageFile(path);
  try {
    const sidecar = await readSidecar(path);
    const found = await reading(image, options);
    return { path, fileState: stateOf(image.stats), ...found, sidecar };
  } finally {
    await image.file.close();
  }
}
