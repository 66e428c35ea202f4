/** What the nights in a folder left on disk of themselves: their processes, their labs, the runs of their cases. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { bad } from '../options/given.ts';
import { type ProcessPlace, placeIn } from '../process/process-place.ts';
import type { RunRegistry } from '../process/run-registry.ts';
import { writeWhole } from '../workdir/workdir.ts';
import { ATTEMPT_PROCESS, ATTEMPT_RUNS } from './attempt.ts';
import { readNightMark } from './night-folder.ts';

/** One attempt at a case. */
export interface PastAttempt {
  /** `phase9.fruix-main.pool1/attempt-1`, for people. */
  readonly name: string;
  /** As its night wrote it, or else the run itself. Null: nobody did. */
  readonly process: ProcessPlace | null;
  /** It has said so itself, after its clean-up. */
  readonly ended: boolean;
  /** Null: it has made none, or is not that far. */
  readonly workdir: string | null;
  /** Null: it never came so far that it could make anything in a lab. */
  readonly runId: string | null;
}

export interface PastNight {
  readonly dir: string;
  /** Null: nobody wrote it down. */
  readonly process: ProcessPlace | null;
  /**
   * Options of a phase that say which lab; the embedded ones are left out: they end with their runs. Null: nobody wrote
   * them down.
   */
  readonly labs: readonly (readonly string[])[] | null;
  /** As they are on disk now. */
  attempts(): readonly PastAttempt[];
}

/** What a run of this machine wrote of itself, by its id. */
export type Registered = Pick<RunRegistry, 'processOf'>;

/**
 * @param from the option that named it, for the message
 * @param dir a night's folder, or one in which there are some; that it is not there is no mistake: no night was begun
 * @throws Fault BAD_OPTION, BAD_ENVIRONMENT where it is no folder
 */
export function nightsIn(from: string, dir: string, registry: Registered): readonly PastNight[] {
  const found = statSync(dir, { throwIfNoEntry: false });
  if (found === undefined) return [];
  if (!found.isDirectory()) throw bad(from, 'the folder of a night, or one of nights', dir);
  return [dir, ...folders(dir)].flatMap((each) => nightAt(each, registry) ?? []);
}

function nightAt(dir: string, registry: Registered): PastNight | null {
  const mark = readNightMark(dir);
  if (mark === null) return null;
  const labs = Array.isArray(mark.labs) ? mark.labs.filter(isTexts) : null;
  return { dir, process: placeIn(mark.process), labs, attempts: () => attemptsIn(dir, registry) };
}

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string');

function attemptsIn(night: string, registry: Registered): readonly PastAttempt[] {
  return folders(night).flatMap((theCase) =>
    folders(theCase).map((dir) => {
      const [workdir = null] = folders(join(dir, ATTEMPT_RUNS));
      const runId = workdir === null ? null : runIdIn(workdir);
      const itself = runId === null ? null : registry.processOf(runId);
      return {
        name: dir.slice(night.length + 1),
        // A night that was killed as it started a case has not written it down.
        process: placeIn(parsed(join(dir, ATTEMPT_PROCESS))) ?? (itself?.ended === true ? null : itself),
        // The report of a run is written when its clean-up is over.
        ended: itself?.ended === true || (workdir !== null && existsSync(join(workdir, 'result.json'))),
        ...{ workdir, runId },
      };
    }),
  );
}

/**
 * Who ran it, where its night was killed before it could say so. Null: nobody knows.
 * @throws Error of the operating system
 */
export function writeDownProcess(workdir: string, process: ProcessPlace | null): void {
  const file = join(workdir, '..', '..', ATTEMPT_PROCESS);
  if (process !== null && !existsSync(file)) writeWhole(file, `${JSON.stringify(process)}\n`);
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
