/** Chooses who is told of the progress: a person at a terminal, a log, nobody but of bad ends; and programs besides. */
import { createWriteStream, fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { onExit } from 'signal-exit';
import type { Fault } from '../faults/faults.ts';
import { bad, type Environment } from '../options/given.ts';
import { LiveView, type Screen } from '../reporters/live-view.ts';
import { Plain, type Sink } from '../reporters/plain.ts';
import { Quiet } from '../reporters/quiet.ts';
import type { Event } from './event.ts';
import { EventStream } from './event-stream.ts';
import { Progress, type Reporter } from './progress.ts';

/** Names the descriptor that gets the events besides; how a night hears of its cases. */
export const EVENTS_FD = 'BOOTWITNESS_EVENTS_FD';
const FD = /^[3-9]$|^[1-9]\d{1,3}$/;
/** A parent that is stopped does not hold a run that has ended. */
const EVENTS_END_MS = 2_000;

export interface Terminals {
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Screen & { readonly isTTY?: boolean };
}

export interface OpenProgress {
  readonly progress: Progress;
  /** Are events on stdout, and nothing else? */
  readonly json: boolean;
  /** What is wrong with what was asked for; to be thrown where it can be told. */
  readonly problem: Fault | null;
}

/**
 * Never throws: whatever is wrong with a call has to be told somehow. So flags are looked for before they are checked.
 */
export function openProgress(args: readonly string[], environment: Environment, terminals: Terminals): OpenProgress {
  const wanted = (name: string): boolean => {
    if (args.some((arg) => arg === `--${name}` || arg === `--${name}=true`)) return true;
    return environment[`BOOTWITNESS_${name.toUpperCase()}`] === 'true' && !args.includes(`--${name}=false`);
  };
  const json = wanted('json');
  const { stdout, stderr } = terminals;
  // Two that draw on one terminal would draw over each other.
  const live = isLive(stderr, environment) && !(json && stdout.isTTY);
  const reporters: Reporter[] = [wanted('quiet') ? new Quiet(stderr) : forPeople(stderr, live, environment)];
  if (json) reporters.push(new EventStream(stdout, { endMs: Number.POSITIVE_INFINITY, mustBeWhole: true }));
  const { stream, problem } = besides(environment[EVENTS_FD]);
  if (stream !== null) reporters.push(stream);
  const progress = new Progress(reporters);
  if (reporters[0] instanceof LiveView) whenItEnds(progress.leave);
  return { progress, json, problem };
}

/** For commands that run phases, and whose stdout is a result of their own: live on a terminal, else plain lines. */
export function liveProgress(stderr: Terminals['stderr'], environment: Environment): Progress {
  const live = isLive(stderr, environment);
  const progress = new Progress([forPeople(stderr, live, environment)]);
  if (live) whenItEnds(progress.leave);
  return progress;
}

/** Is there a person at a terminal that can be drawn on? */
export function isLive({ isTTY }: Terminals['stderr'], { TERM, CI }: Environment): boolean {
  return isTTY === true && TERM !== undefined && TERM !== '' && TERM !== 'dumb' && (CI === undefined || CI === '');
}

function forPeople(stderr: Terminals['stderr'], live: boolean, { NO_COLOR }: Environment): Reporter {
  return live ? new LiveView(stderr, { colours: (NO_COLOR ?? '') === '' }) : new Plain(stderr);
}

/** However the process ends, what was drawn goes before anything else is printed; other listeners are left alone. */
function whenItEnds(leave: () => void): void {
  onExit(leave);
  process.on('uncaughtExceptionMonitor', leave);
}

/** A file that is read later must be whole; who reads while it goes on may have gone, or have stopped. */
function besides(fd: string | undefined): { readonly stream: EventStream | null; readonly problem: Fault | null } {
  if (fd === undefined) return { stream: null, problem: null };
  try {
    if (!FD.test(fd)) throw new Error('no number from 3 on');
    const open = fstatSync(Number(fd));
    if (open.isFile()) {
      const file = createWriteStream('', { fd: Number(fd), autoClose: false });
      const whole = { endMs: Number.POSITIVE_INFINITY, mustBeWhole: true };
      return { stream: new EventStream(file, whole), problem: null };
    }
    if (!open.isFIFO() && !open.isSocket()) throw new Error('neither pipe nor file');
    const reader = new Socket({ fd: Number(fd), readable: false, writable: true });
    reader.unref();
    return { stream: new EventStream(reader, { endMs: EVENTS_END_MS, mustBeWhole: false }), problem: null };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const problem = bad(EVENTS_FD, 'an open descriptor from 3 on that can be written to', `"${fd}" (${why})`);
    return { stream: null, problem };
  }
}

/** Plain lines alone, for commands that only say what they do. @param onEvent told of everything, too */
export function plainProgress(sink: Sink, onEvent: (event: Event) => void = () => undefined): Progress {
  const told: Reporter = { on: onEvent, tick: null, end: () => Promise.resolve(), leave: () => undefined };
  return new Progress([new Plain(sink), told]);
}
