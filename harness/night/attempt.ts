/**
 * One attempt at a case of a night: its phase as a process of its own, so that its crash is its own, and what it left
 * on disk read back. Its words go to files: they outlive the night, and a night that dies ends no case.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { EXIT } from '../../help/exits.ts';
import { systemClock } from '../deadline.ts';
import { FAULTS, type FaultCode } from '../faults/fault-table.ts';
import { Fault, faultRecord } from '../faults/faults.ts';
import type { FaultRecord, Verdict } from '../model.ts';
import { placeOf } from '../process/process-place.ts';
import type { Event } from '../progress/event.ts';
import { EVENTS_FD } from '../progress/open.ts';
import { readEvents } from '../progress/relay.ts';
import { SCHEMA } from '../report/report.ts';
import { inWorkdir, writeWhole } from '../workdir/workdir.ts';
import type { NightCase } from './cases.ts';
import type { StoredReport } from './keep-history.ts';

export interface AttemptOptions {
  readonly theCase: NightCase;
  /** Folder of this attempt; made here. */
  readonly dir: string;
  readonly environment: Readonly<Record<string, string>>;
  /** More arguments of the phase. */
  readonly args: readonly string[];
  /** Told what the case tells of itself while it runs. */
  readonly onEvent: (event: Event) => void;
  /** Asks the case to end in good order. */
  readonly signal: AbortSignal;
}

/** What an attempt came to. */
export interface Attempted {
  readonly verdict: Verdict;
  readonly exitCode: number;
  readonly runId: string | null;
  readonly imageSha256: string | null;
  readonly leaked: readonly string[];
  readonly workdir: string | null;
  readonly repeat: string | null;
  /** What the run wrote of itself; null: nothing that can be believed. */
  readonly stored: StoredReport | null;
}

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  /** It was asked to end. */
  readonly asked: boolean;
}

const ASKS_WITH = 'SIGTERM';
const LAST_LINES = 3;
/** What a process told is read so long after its end. */
const LAST_EVENTS_MS = 1_000;
/** In the folder of an attempt. */
export const ATTEMPT_PROCESS = 'process.json';
export const ATTEMPT_RUNS = 'run';
const files = (dir: string) => ({
  tap: join(dir, 'case.tap'),
  log: join(dir, 'case.log'),
  runs: join(dir, ATTEMPT_RUNS),
});

/** Runs it to its end. Never throws for what the case does. @throws Fault OUTPUT_UNWRITABLE: it was not begun */
export async function attempt(options: AttemptOptions): Promise<Attempted> {
  const { theCase, dir } = options;
  const opened = inWorkdir(dir, () => openFiles(dir));
  const ended = await runProcess(options, opened);
  return readAttempt(dir, ended, theCase);
}

/** What a case says on stdout and stderr. */
interface Opened {
  readonly out: number;
  readonly err: number;
}

/** @throws Error of the operating system */
function openFiles(dir: string): Opened {
  const { tap, log, runs } = files(dir);
  mkdirSync(runs, { recursive: true });
  return { out: openSync(tap, 'ax', 0o644), err: openSync(log, 'ax', 0o644) };
}

/** Each ends its case. One listener for all: a night has as many cases at a time as its labs have room for. */
const ends = new Set<() => void>();
const endAll = (): void => {
  for (const end of ends) end();
};

async function runProcess(
  { theCase, dir, environment, args, onEvent, signal }: AttemptOptions,
  { out, err }: Opened,
): Promise<Ended> {
  const { runs } = files(dir);
  const { phase, name } = theCase;
  const child = spawn(
    process.execPath,
    [
      ...['--import', import.meta.resolve('tsx'), fileURLToPath(phase.file), ...theCase.args, ...args],
      ...['--workdir-root', runs, '--label', name],
    ],
    // Its own group: a Ctrl-C at the terminal is for the night, which passes it on.
    { stdio: ['ignore', out, err, 'pipe'], env: { ...environment, [EVENTS_FD]: '3' }, detached: true },
  );
  const told = child.stdio[3] instanceof Readable ? child.stdio[3] : null;
  if (told !== null) readEvents(told, onEvent);
  closeSync(out);
  closeSync(err);
  remember(dir, child);
  const end = (): void => void child.kill(ASKS_WITH);
  signal.addEventListener('abort', end);
  // Whoever leaves at once tells its cases a second time: then they leave at once, too.
  if (ends.size === 0) process.once('exit', endAll);
  ends.add(end);
  try {
    return await new Promise<Ended>((resolve) => {
      child.once('error', (error) => resolve({ code: null, signal: error.message, asked: false }));
      child.once('exit', (code, how) => {
        const ended = { code, signal: how, asked: signal.aborted };
        void allTold(told).then(() => resolve(ended));
      });
      if (signal.aborted) end();
    });
  } finally {
    signal.removeEventListener('abort', end);
    ends.delete(end);
    if (ends.size === 0) process.removeListener('exit', endAll);
  }
}

/** Which process a case is: for whoever ends what a night that was killed has left behind. */
function remember(dir: string, child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    writeWhole(join(dir, ATTEMPT_PROCESS), `${JSON.stringify(placeOf(child.pid))}\n`);
  } catch {
    child.kill(ASKS_WITH); // nobody would find it; its end says that the disk is full
  }
}

/** Whatever else holds the pipe must not hold the night. */
async function allTold(told: Readable | null): Promise<void> {
  if (told === null || told.closed) return;
  const stop = new AbortController();
  const closed = new Promise<void>((resolve) => told.once('close', resolve));
  await Promise.race([closed, systemClock.sleep(LAST_EVENTS_MS, stop.signal)]);
  stop.abort();
  told.destroy();
}

/** Exported for tests: a case that ended so, with these files. */
export function readAttempt(dir: string, { code, signal, asked }: Ended, { repeat }: NightCase): Attempted {
  const { runs } = files(dir);
  const [folder] = readdirSync(runs);
  const workdir = folder === undefined ? null : join(runs, folder);
  const result = workdir === null ? null : readResult(join(workdir, 'result.json'));
  const leaked = result?.result?.leaked ?? [];
  if (result !== null && code === result.exitCode) {
    const { verdict, exitCode, runId, image } = result;
    const imageSha256 = image?.sha256 ?? null;
    return { verdict, exitCode, runId, imageSha256, leaked, workdir, repeat, stored: result };
  }
  const told = { runId: result?.runId ?? null, imageSha256: null, leaked, stored: null, workdir, repeat };
  if (asked && signal === ASKS_WITH) {
    // A case that does not listen to signals has made nothing yet, or has taken it back.
    const when = result === null ? 'before the case had begun' : 'as the case ended';
    const cause = faultRecord(new Fault('INTERRUPTED', `the night was interrupted ${when}`));
    return { ...told, verdict: { status: 'ERROR', checks: [], cause }, exitCode: EXIT.interrupted };
  }
  const cause = code === EXIT.misuse ? misuseOf(dir) : crash(dir, { code, signal });
  const exitCode = code === EXIT.misuse ? EXIT.misuse : EXIT.bug;
  return { ...told, verdict: { status: 'ERROR', checks: [], cause }, exitCode };
}

/** Null: none, or not whole, which is our own child's crash. */
function readResult(file: string): StoredReport | null {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null; // told by whoever asked, with the exit code
  }
  const { schema, verdict, runId, exitCode } = value as Record<string, unknown>;
  const whole = schema === SCHEMA && typeof exitCode === 'number' && typeof runId === 'string' && verdict !== undefined;
  return whole ? (value as StoredReport) : null;
}

const lastLines = (file: string): string =>
  readFileSync(file, 'utf8').trim().split('\n').slice(-LAST_LINES).join(' / ');

/** A call that was refused says why in its TAP, by code. */
function misuseOf(dir: string): FaultRecord {
  const said = /^Bail out! (\w+) \(\w+\): (.*)$/m.exec(readFileSync(files(dir).tap, 'utf8'));
  const code = said?.[1] as FaultCode | undefined;
  if (code === undefined || !(code in FAULTS)) return crash(dir, { code: EXIT.misuse, signal: null });
  const { party, remedy } = FAULTS[code];
  return { code, party, message: said?.[2] ?? '', remedy, causes: [] };
}

function crash(dir: string, { code, signal }: Pick<Ended, 'code' | 'signal'>): FaultRecord {
  const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
  const { log } = files(dir);
  return faultRecord(new Error(`the case's process ended ${how}, without a report: ${lastLines(log)} (${log})`));
}
