/** Runs a program or a script on this machine, bounded in time and output; without a shell where there is a program. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Deadline } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';

export interface Ran {
  /** Null: it was ended by a signal, or never started. */
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a POSIX script somewhere. @throws Fault where there is no way to run it, and the interrupt */
export type ScriptRunner = (name: string, script: string, deadline: Deadline) => Promise<Ran>;

export type Environment = Readonly<Record<string, string>>;

const OUTPUT_CHARACTERS_MAX = 1024 * 1024;

/**
 * @param input written to its standard input
 * @throws Fault ADDRESS_SOURCE_FAILED where it cannot be started, or does not end in time; the interrupt
 */
export async function runProgram(
  [program = '', ...args]: readonly string[],
  environment: Environment,
  deadline: Deadline,
  input = '',
): Promise<Ran> {
  // A group of its own, so that what it started ends with it.
  const child = spawn(program, args, { env: environment, stdio: 'pipe', detached: true });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (piece: string) => {
      said[name] = (said[name] + piece).slice(0, OUTPUT_CHARACTERS_MAX);
    });
  }
  child.stdin.on('error', () => undefined); // a program that does not read
  child.stdin.end(input);
  const ended = new Promise<Ran>((resolve, reject) => {
    child.once('error', (cause) => {
      reject(new Fault('ADDRESS_SOURCE_FAILED', `${program} cannot be started: ${cause.message}`, { cause }));
    });
    child.once('close', (exit) => resolve({ exit, ...said }));
  });
  const stop = new AbortController();
  const late = deadline.clock.sleep(deadline.remainingMs(), AbortSignal.any([stop.signal, deadline.signal]));
  try {
    const first = await Promise.race([ended, late.then(() => null)]);
    if (first !== null) return first;
    deadline.check();
    throw new Fault('ADDRESS_SOURCE_FAILED', `${program} did not end within ${Math.round(deadline.budgetMs / 1000)} s`);
  } finally {
    stop.abort();
    endGroup(child);
  }
}

function endGroup({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  process.kill(-pid, 'SIGKILL');
}

export const runHere =
  (environment: Environment): ScriptRunner =>
  (_name, script, deadline) =>
    runProgram(['/bin/sh', '-s'], environment, deadline, script);
