/** Takes the console's pictures of a workdir into the history: bounded, regular files only, and only what is a PNG. */
import { closeSync, lstatSync, mkdirSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { FRAME_NAME } from './run-record.ts';

const FRAMES_MAX = 40;
const FRAME_BYTES_MAX = 2 * 1024 * 1024;
const BYTES_MAX = 8 * 1024 * 1024;
/** Shows no more than that something was different. */
const CHANGE = /^\d+-(?:control-)?change\.png$/;
const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

export interface Frames {
  readonly names: readonly string[];
  readonly leftOut: number;
}

interface Frame {
  readonly name: string;
  readonly bytes: Buffer;
}

/**
 * The pictures of a workdir that go into its history; where there is no room for all, the last and the first come
 * before those of milestones, and these before mere changes, of which some at equal steps are taken.
 * @returns none where the folder is not there
 */
export function framesOf(workdir: string): { readonly kept: readonly Frame[]; readonly leftOut: number } {
  const folder = join(workdir, 'console');
  const names = namesIn(folder);
  let room = BYTES_MAX;
  const kept: Frame[] = [];
  for (const name of byWorth(names)) {
    if (kept.length === FRAMES_MAX) break;
    const bytes = pngBytes(join(folder, name), room);
    if (bytes === null) continue;
    room -= bytes.length;
    kept.push({ name, bytes });
  }
  kept.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { kept, leftOut: names.length - kept.length };
}

function byWorth(names: readonly string[]): readonly string[] {
  const ends = [names.at(-1), names[0]].flatMap((name) => name ?? []);
  const between = names.filter((name) => !ends.includes(name));
  const changes = between.filter((name) => CHANGE.test(name));
  const milestones = between.filter((name) => !CHANGE.test(name));
  const room = Math.max(0, FRAMES_MAX - new Set(ends).size - milestones.length);
  return [...new Set([...ends, ...milestones, ...evenly(changes, room)])];
}

/** @param write makes one file, whole or absent */
export function keepFrames(workdir: string, into: string, write: (path: string, bytes: Buffer) => void): Frames {
  const { kept, leftOut } = framesOf(workdir);
  if (kept.length > 0) mkdirSync(into, { recursive: true });
  for (const { name, bytes } of kept) write(join(into, name), bytes);
  return { names: kept.map(({ name }) => name), leftOut };
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => FRAME_NAME.test(name))
      .sort();
  } catch {
    return []; // a lab that shows no screen
  }
}

/** `max` of them at equal steps, the first and the last among them. */
function evenly<T>(all: readonly T[], max: number): readonly T[] {
  if (all.length <= max) return all;
  const step = (all.length - 1) / Math.max(1, max - 1);
  return Array.from({ length: max }, (_, index) => all[Math.round(index * step)]).flatMap((each) => each ?? []);
}

/** Null: no regular file, no PNG, or larger than there is room for. */
function pngBytes(path: string, room: number): Buffer | null {
  const found = lstatSync(path);
  const { size } = found;
  if (!found.isFile() || size > Math.min(FRAME_BYTES_MAX, room)) return null;
  const fd = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(size);
    const read = readSync(fd, bytes, 0, size, 0);
    return read === size && bytes.subarray(0, SIGNATURE.length).equals(SIGNATURE) ? bytes : null;
  } finally {
    closeSync(fd);
  }
}
