/**
 * Remembers what the planning read of an image found, by device, inode, size and times, so that an
 * image that did not change is not read again. Losing or breaking the cache costs one read.
 */
import type { BigIntStats } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../make-folder.ts';
import type { Firmware, ImageIdentity } from '../model.ts';

/** What one planning read finds. */
export interface ImageReading {
  readonly sha256: string;
  readonly blocks: readonly number[];
  readonly identity: ImageIdentity | null;
  readonly startsBy: readonly Firmware[];
}

const VERSION = 2;

/**
 * The state of the file. The change time is in it besides the modification time: builders that make
 * reproducible images set the latter to a constant, and file systems reuse inodes.
 */
export const stateOf = (stats: BigIntStats): string => `${stats.size} ${stats.mtimeNs} ${stats.ctimeNs}`;

const fileOf = (cacheDir: string, stats: BigIntStats): string =>
  join(cacheDir, 'images', `${stats.dev}-${stats.ino}.json`);

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
  const { sha256, blocks, identity, startsBy } = entry;
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256) || !isIdentity(identity)) return null;
  if (!Array.isArray(blocks) || !blocks.every((block) => Number.isInteger(block))) return null;
  if (!isStrings(startsBy)) return null;
  const firmware = (['bios', 'uefi'] as const).filter((each) => startsBy.includes(each));
  return { sha256, blocks, identity, startsBy: firmware };
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
