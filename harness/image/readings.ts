/**
 * Remembers what the planning read of an image found, by device, inode, size and times, so that an
 * image that did not change is not read again. Losing or breaking the cache costs one read.
 */
import type { BigIntStats } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Firmware, ImageFormat, ImageIdentity } from '../model.ts';
import { makeFolder } from '../workdir/make-folder.ts';
import { whyNoDisk } from './disk.ts';
import { stateOf } from './image-file.ts';

/** What one planning read finds; of the virtual disk, whatever holds it. */
export interface ImageReading {
  readonly format: ImageFormat;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly blocks: readonly number[];
  readonly identity: ImageIdentity | null;
  readonly startsBy: readonly Firmware[];
}

const VERSION = 3;
const FORMAT = /^(raw|vhd-fixed|vhd-dynamic|qcow2)(\+(gz|xz|zst))?$/;

const fileOf = (cacheDir: string, stats: BigIntStats): string =>
  join(cacheDir, 'images', `${stats.dev}-${stats.ino}.json`);

const isFormat = (value: unknown): value is ImageFormat => typeof value === 'string' && FORMAT.test(value);

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const isStrings = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((entry) => typeof entry === 'string');

function isIdentity(value: unknown): value is ImageIdentity | null {
  if (value === null) return true;
  return isRecord(value) && typeof value.diskGuid === 'string' && isStrings(value.partitionGuids);
}

function parse(text: string, state: string): ImageReading | null {
  const entry: unknown = JSON.parse(text);
  if (!isRecord(entry) || entry.version !== VERSION || entry.state !== state) return null;
  const { format, sizeBytes, sha256, blocks, identity, startsBy } = entry;
  if (!isFormat(format) || typeof sizeBytes !== 'number' || whyNoDisk(sizeBytes) !== null) return null;
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256) || !isIdentity(identity)) return null;
  if (!Array.isArray(blocks) || !blocks.every((block) => Number.isInteger(block))) return null;
  if (!isStrings(startsBy)) return null;
  const firmware = (['bios', 'uefi'] as const).filter((each) => startsBy.includes(each));
  return { format, sizeBytes, sha256, blocks, identity, startsBy: firmware };
}

/** What was found when the file was in exactly this state; null: never read, or the cache is broken. */
export async function recallImage(cacheDir: string, stats: BigIntStats): Promise<ImageReading | null> {
  try {
    return parse(await readFile(fileOf(cacheDir, stats), 'utf8'), stateOf(stats));
  } catch {
    return null; // absent, unreadable or not JSON: all the same, read the image again
  }
}

/** Remembers by a rename, so that nobody ever reads half a file. A cache that cannot be written is no error. */
export async function rememberImage(cacheDir: string, stats: BigIntStats, reading: ImageReading): Promise<void> {
  const path = fileOf(cacheDir, stats);
  const aside = `${path}.${process.pid}.part`;
  try {
    makeFolder(join(cacheDir, 'images'));
    await writeFile(aside, JSON.stringify({ version: VERSION, state: stateOf(stats), ...reading }));
    await rename(aside, path);
  } catch {
    return; // a full or read-only cache only costs the next run a read
  }
}
