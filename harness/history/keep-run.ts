/**
 * Writes a run into the history: `runs/<run-id>.json`, whole or absent, and never over what is there. In two steps, so
 * that what can go wrong (a full disk) goes wrong before the report of the run says its exit code.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Report } from '../report/report.ts';
import { makeFolder } from '../workdir/make-folder.ts';
import { scrub } from '../workdir/secrets.ts';
import { keepFrames } from './console-frames.ts';
import { consoleMoments } from './console-moments.ts';
import { CONSOLE_CHARACTERS_MAX, endOf, excerpts } from './excerpt.ts';
import { type ConsoleExcerpt, HISTORY_SCHEMA, type Night, NO_NIGHT, RUN_ID, recordText } from './run-record.ts';

/** More evidence than this is not searched: the record then says less of it, and the workdir all. */
const EVIDENCE_BYTES_MAX = 64 * 1024 * 1024;

/** What a writer that was killed has left aside is nobody's any more when it is that old. */
const ASIDE_MS = 24 * 3_600_000;
const ASIDE = /^\.[\w.:-]+\.\d+\.(console\.)?part$/;

/** Where the records are, below the folder of the reports. */
export const runsFolder = (reportsDir: string): string => join(reportsDir, 'runs');
/** Where the pictures of a run are. */
export const framesFolder = (reportsDir: string, runId: string): string =>
  join(runsFolder(reportsDir), `${runId}.console`);

/** A record that is on the disk under a name that no reader takes. */
export interface StagedRun {
  /** Gives it its name. @returns the path @throws Error of the operating system; EEXIST: there is one of this run */
  keep(): string;
  /** Removes it. */
  discard(): void;
}

/**
 * First step: everything is written and synced.
 * @param reportsDir is made where it is missing
 * @throws Error of the operating system; nothing of it stays then
 */
export function stageRun(reportsDir: string, report: Report, night: Night = NO_NIGHT): StagedRun {
  const { runId, workdir, verdict } = report;
  if (!RUN_ID.test(runId)) throw new Error(`a run id that is a file name was expected, given ${JSON.stringify(runId)}`);
  const runs = runsFolder(reportsDir);
  makeFolder(runs);
  clearAside(runs, Date.parse(report.startedAt));
  const [path, frames] = [join(runs, `${runId}.json`), framesFolder(reportsDir, runId)];
  if (existsSync(path)) throw Object.assign(new Error(`${path} is there already`), { code: 'EEXIST' });
  const aside = join(runs, `.${runId}.${process.pid}.part`);
  const framesAside = join(runs, `.${runId}.${process.pid}.console.part`);
  const discard = (): void => {
    for (const each of [aside, framesAside]) rmSync(each, { recursive: true, force: true });
  };
  try {
    const kept = keepFrames(workdir, framesAside, writeSynced);
    const lines = evidenceLines(workdir);
    const history = {
      ...({ schema: HISTORY_SCHEMA, night: night.night, known: night.known } as const),
      evidence: excerpts(lines, verdict.checks),
      console: consoleOf(workdir, {
        ...{ frames: kept.names, moments: consoleMoments(lines), framesLeftOut: kept.leftOut },
      }),
    };
    writeSynced(aside, Buffer.from(scrub(recordText(report, history))));
  } catch (error) {
    discard();
    throw error;
  }
  const keep = (): string => {
    // A folder that holds something is not renamed over either.
    if (existsSync(framesAside)) renameSync(framesAside, frames);
    nameOnce(aside, path);
    syncFolder(runs);
    return path;
  };
  return { keep, discard };
}

/** @param nowMs time of day, as the run has it */
function clearAside(runs: string, nowMs: number): void {
  for (const name of readdirSync(runs)) if (ASIDE.test(name)) removeOld(join(runs, name), nowMs - ASIDE_MS);
}

/** Never throws: what cannot be removed is hidden, and no reader takes it. */
function removeOld(path: string, beforeMs: number): void {
  try {
    if (statSync(path).mtimeMs < beforeMs) rmSync(path, { recursive: true });
  } catch {
    return; // another writer was faster, or it is not ours to remove
  }
}

/** Both steps. @returns the path of the record @throws Error of the operating system; nothing of it stays then */
export function keepRun(reportsDir: string, report: Report, night: Night = NO_NIGHT): string {
  const staged = stageRun(reportsDir, report, night);
  try {
    return staged.keep();
  } catch (error) {
    staged.discard();
    throw error;
  }
}

function writeSynced(path: string, bytes: Buffer): void {
  const fd = openSync(path, 'wx', 0o644);
  try {
    writeFileSync(fd, bytes); // not `writeSync`: on a full disk that writes what fits, and says nothing
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** A link, unlike a rename, never replaces. Where the file system knows none, the look before must do. */
function nameOnce(aside: string, path: string): void {
  try {
    linkSync(aside, path);
    rmSync(aside);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' || existsSync(path)) throw error;
    renameSync(aside, path);
  }
}

function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } catch (error) {
    // Some file systems cannot sync a folder; the record itself is on the disk.
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
  } finally {
    closeSync(fd);
  }
}

function evidenceLines(workdir: string): readonly string[] {
  const path = join(workdir, 'evidence.ndjson');
  if (!existsSync(path) || statSync(path).size > EVIDENCE_BYTES_MAX) return [];
  return readFileSync(path, 'utf8').split('\n');
}

function consoleOf(workdir: string, frames: Omit<ConsoleExcerpt, 'text'>): ConsoleExcerpt {
  const folder = join(workdir, 'console');
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.txt')) : [];
  // What the guest wrote says more than what was read off its screen; what the control image wrote is another's.
  const name = ['serial.txt', 'screen.txt'].find((each) => names.includes(each));
  if (name === undefined) return { ...frames, text: null };
  const end = endOf(readFileSync(join(folder, name), 'utf8'), CONSOLE_CHARACTERS_MAX);
  return { ...frames, text: { source: name.replace(/\.txt$/, ''), end } };
}
