/** Where nights are kept: a folder for each, outside the temp folder, for as many days as somebody wants them. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../faults/faults.ts';
import { type ProcessPlace, placeIn, processState } from '../process/process-place.ts';
import { codeIn, makeFolder } from '../workdir/make-folder.ts';
import { keepWhole } from '../workdir/workdir.ts';

const TRIES_MAX = 60;
const DAY_MS = 24 * 3_600_000;
const MARK = 'night.json';
/** The schema of `night.json`. */
const NIGHT_SCHEMA = 1;

/**
 * What the runs of one night have in common in the history, where nights of several machines come together: two that
 * begin in the same second, as cron does it, are two. @param startedAt ISO 8601
 */
export const nightId = (name: string, startedAt: string): string =>
  `${name}-${startedAt.slice(0, 19)}Z-${randomBytes(2).toString('hex')}`;

/** Makes `<root>/<name>-<epoch seconds>`; taken: one second later. @throws Fault BAD_WORKDIR */
export function makeNightFolder(root: string, name: string, nowMs: number): string {
  try {
    makeFolder(root);
    for (let later = 0; later < TRIES_MAX; later++) {
      const path = join(root, `${name}-${Math.floor(nowMs / 1000) + later}`);
      if (isNew(path)) return path;
    }
  } catch (cause) {
    const message = `workdirs: expected a folder that can be made and written to, given ${root}${codeIn(cause)}`;
    throw new Fault('BAD_WORKDIR', message, { cause });
  }
  throw new Fault('BAD_WORKDIR', `workdirs: ${TRIES_MAX} names from ${name} on are taken in ${root}`);
}

function isNew(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Marks the folder as a night's: without it nothing here is ever removed. @throws Fault as `keepWhole` */
export function writeNightMark(dir: string, startedAt: string, more: Readonly<Record<string, unknown>>): void {
  keepWhole(join(dir, MARK), `${JSON.stringify({ schema: NIGHT_SCHEMA, startedAt, ...more }, null, 2)}\n`);
}

/**
 * Removes nights that began so long ago and have ended. Only folders with a mark of ours go; one that does not is told.
 * @returns what was done, a line for each
 */
export function removeOldNights(root: string, keepDays: number, nowMs: number): readonly string[] {
  return names(root).flatMap((name) => {
    const dir = join(root, name);
    const startedMs = startOf(dir);
    if (startedMs === null || nowMs - startedMs <= keepDays * DAY_MS) return [];
    try {
      rmSync(dir, { recursive: true });
      return [`removed ${dir}, older than ${keepDays} days`];
    } catch (error) {
      return [`${dir} is older than ${keepDays} days and could not be removed${codeIn(error)}`];
    }
  });
}

function names(root: string): readonly string[] {
  try {
    return readdirSync(root, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  } catch {
    return []; // no night was kept yet
  }
}

/** Null: no night of ours, or one that still runs. */
function startOf(dir: string): number | null {
  const mark = readNightMark(dir);
  if (mark === null || (mark.ended !== true && isAlive(placeIn(mark.process)))) return null;
  const ms = Date.parse(String(mark.startedAt));
  return Number.isNaN(ms) ? null : ms;
}

const isAlive = (process: ProcessPlace | null): boolean => process !== null && processState(process) === 'alive';

/** What a night wrote of itself; null: the folder is none of ours. */
export function readNightMark(dir: string): Readonly<Record<string, unknown>> | null {
  try {
    const mark = JSON.parse(readFileSync(join(dir, MARK), 'utf8')) as Record<string, unknown>;
    return mark.schema === NIGHT_SCHEMA ? mark : null;
  } catch {
    return null; // without a mark, or with a damaged one, it may be anybody's
  }
}
