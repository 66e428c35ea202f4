/**
 * Starts the embedded lab as a process of its own and waits for its lab file. The pipe to its stdin
 * is its life line: when this process ends, however, the lab ends.
 */
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { byDeadline, type Deadline } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import { makeCacheDir } from '../workdir/make-folder.ts';

const LAB_MAIN = fileURLToPath(new URL('../../lab/main.ts', import.meta.url));
const STDERR_CHARACTERS_MAX = 4_000;
const STOP_MS = 10_000;

/** A running embedded lab. */
export interface EmbeddedLab {
  readonly labFile: string;
  /**
   * Has it live on when this process ends: until its last VM is removed, and for so long at most.
   * @throws Fault EMBEDDED_LAB_FAILED
   */
  hold(forMs: number, deadline: Deadline): Promise<void>;
  /** Lets go of one that lives on. */
  leave(): void;
  /** Resolves when the process is gone. */
  stop(): Promise<void>;
  /** Ends it without waiting for that: whoever calls leaves at once. */
  abandon(): void;
}

export interface EmbeddedOptions {
  readonly environment: Readonly<Record<string, string>>;
  readonly cacheDir: string;
  readonly deadline: Deadline;
  /** The lab's own words: progress of the first build, accelerator, VMs. */
  readonly onLine: (line: string) => void;
}

/**
 * @throws Fault LAB_UNSUPPORTED off Linux, BAD_ENVIRONMENT (no cache folder), EMBEDDED_LAB_FAILED with the lab's
 *   last words
 */
export async function startEmbeddedLab(options: EmbeddedOptions): Promise<EmbeddedLab> {
  if (process.platform !== 'linux') {
    throw new Fault('LAB_UNSUPPORTED', `--lab: the embedded lab runs on Linux only, this is ${process.platform}`);
  }
  // The reference guest is kept there; the default one may be no better than one that is named.
  makeCacheDir('BOOTWITNESS_CACHE_DIR (or XDG_CACHE_HOME, or HOME)', options.cacheDir);
  const loader = import.meta.resolve('tsx');
  const child = spawn(process.execPath, ['--import', loader, LAB_MAIN, '--parent', '--cache-dir', options.cacheDir], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: options.environment,
    // Its own group: a Ctrl-C at the terminal is for us, and we still need the lab to clean up.
    detached: true,
  });
  child.stdin.on('error', () => child.stdin.destroy());
  let said = '';
  let partial = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-STDERR_CHARACTERS_MAX);
    const lines = (partial + text).split('\n');
    partial = lines.pop() ?? '';
    for (const line of lines) options.onLine(line);
  });
  const gone = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(`exit ${code ?? signal}`));
  });
  let held = false;
  const stop = async (): Promise<void> => {
    child.stdin.end();
    if (held) child.kill('SIGTERM'); // one that was held does not end by that
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await gone;
    clearTimeout(timer);
  };
  const nextLine = linesOf(child.stdout);
  const died = gone.then((how): never => {
    throw new Fault('EMBEDDED_LAB_FAILED', `the embedded lab did not start (${how}): ${lastWords(said)}`);
  });
  died.catch(() => undefined);
  const answer = (deadline: Deadline): Promise<string> =>
    byDeadline(deadline, 'EMBEDDED_LAB_FAILED', 'embedded lab', Promise.race([nextLine(), died]));
  const hold = async (forMs: number, deadline: Deadline): Promise<void> => {
    held = true;
    child.stdin.write(`hold ${Math.ceil(forMs)}\n`);
    const line = await answer(deadline);
    if (!line.includes('"held"')) throw new Fault('EMBEDDED_LAB_FAILED', `the embedded lab was to stay: ${line}`);
  };
  const leave = (): void => {
    child.stdin.end();
    child.stdout.destroy();
    child.stderr.destroy();
    child.unref();
  };
  try {
    return {
      labFile: labFileOf(await answer(options.deadline)),
      hold,
      leave,
      stop,
      abandon: () => void child.kill('SIGTERM'),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Each call gives the next line; a line that nobody asked for yet waits. */
function linesOf(stream: Readable): () => Promise<string> {
  const lines: string[] = [];
  const asked: ((line: string) => void)[] = [];
  let partial = '';
  stream.setEncoding('utf8').on('data', (text: string) => {
    const pieces = (partial + text).split('\n');
    partial = pieces.pop() ?? '';
    for (const line of pieces) {
      const next = asked.shift();
      if (next === undefined) lines.push(line);
      else next(line);
    }
  });
  return () =>
    new Promise((resolve) => {
      const line = lines.shift();
      if (line === undefined) asked.push(resolve);
      else resolve(line);
    });
}

/** The line in which the lab says why it ends; else the last ones. */
function lastWords(said: string): string {
  const lines = said.trim().split('\n');
  const why = lines.findLast((line) => line.startsWith('lab: '))?.slice('lab: '.length);
  return why ?? (lines.slice(-3).join(' / ') || 'it said nothing');
}

function labFileOf(line: string): string {
  try {
    const { labFile } = JSON.parse(line) as { labFile?: unknown };
    if (typeof labFile === 'string') return labFile;
  } catch (cause) {
    throw new Fault('EMBEDDED_LAB_FAILED', `expected a line of JSON from the lab, given ${line.slice(0, 200)}`, {
      cause,
    });
  }
  throw new Fault('EMBEDDED_LAB_FAILED', `expected the path of a lab file from the lab, given ${line.slice(0, 200)}`);
}
