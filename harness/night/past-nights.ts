/** What the nights in a folder left on disk of themselves: their processes, their labs, the runs of their cases. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { bad } from '../given.ts';
import { type ProcessPlace, placeIn } from '../process-place.ts';
import { ATTEMPT_PROCESS, ATTEMPT_RUNS } from './attempt.ts';
import { readNightMark } from './night-folder.ts';

/** One attempt at a case. */
export interface PastAttempt {
  /** `phase9.fruix-main.pool1/attempt-1`, for people. */
  readonly name: string;
  /** Null: it was not started. */
  readonly process: ProcessPlace | null;
  /** Null: it has made none, or is not that far. */
  readonly workdir: string | null;
  /** Null: it never came so far that it could make anything in a lab. */
  readonly runId: string | null;
}

export interface PastNight {
  readonly dir: string;
  /** Null: nobody wrote it down. */
  readonly process: ProcessPlace | null;
  /** Options of a phase that say which lab; the embedded ones are left out: they end with their runs. */
  readonly labs: readonly (readonly string[])[];
  /** As they are on disk now. */
  attempts(): readonly PastAttempt[];
}

/**
 * @param from the option that named it, for the message
 * @param dir a night's folder, or one in which there are some; that it is not there is no mistake: no night was begun
 * @throws Fault BAD_OPTION, BAD_ENVIRONMENT where it is no folder
 */
export function nightsIn(from: string, dir: string): readonly PastNight[] {
  const found = statSync(dir, { throwIfNoEntry: false });
  if (found === undefined) return [];
  if (!found.isDirectory()) throw bad(from, 'the folder of a night, or one of nights', dir);
  return [dir, ...folders(dir)].flatMap((each) => nightAt(each) ?? []);
}

function nightAt(dir: string): PastNight | null {
  const mark = readNightMark(dir);
  if (mark === null) return null;
  const labs = Array.isArray(mark.labs) ? mark.labs.filter(isTexts) : [];
  return { dir, process: placeIn(mark.process), labs, attempts: () => attemptsIn(dir) };
}

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string');

function attemptsIn(night: string): readonly PastAttempt[] {
  return folders(night).flatMap((theCase) =>
    folders(theCase).map((dir) => {
      const [workdir = null] = folders(join(dir, ATTEMPT_RUNS));
      return {
        name: dir.slice(night.length + 1),
        process: placeIn(parsed(join(dir, ATTEMPT_PROCESS))),
        ...{ workdir, runId: workdir === null ? null : runIdIn(workdir) },
      };
    }),
  );
}

/** Written before a run makes anything, and synchronously. */
function runIdIn(workdir: string): string | null {
  const run = parsed(join(workdir, 'log.ndjson'))?.run;
  return typeof run === 'string' ? run : null;
}

/** The first line of a file, as JSON; null: it is not there, or not whole. */
function parsed(file: string): Readonly<Record<string, unknown>> | null {
  try {
    const [line = ''] = readFileSync(file, 'utf8').split('\n', 1);
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null; // not written yet, or never
  }
}

function folders(dir: string): readonly string[] {
  try {
    const entries = readdirSync(dir, { withFileTypes: true });
    return entries.flatMap((entry) => (entry.isDirectory() ? [join(dir, entry.name)] : [])).sort();
  } catch {
    return []; // gone, or none was made
  }
}
