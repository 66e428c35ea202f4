/**
 * The one place that starts programs for an image: `xz` and `zstd`, from their standard input to their standard output.
 * Why programs: docs/decisions/0011-image-formats.md.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { Fault } from '../faults/faults.ts';
import type { Bad } from './disk.ts';

/** Enough for `xz -9` (65 MiB) and `zstd --ultra -22` (128 MiB); what asks for more is refused by its program. */
const MEMORY = '512MiB';
const PROGRAMS = {
  xz: ['xz', '--decompress', '--stdout', '--format=xz', `--memlimit-decompress=${MEMORY}`],
  zst: ['zstd', '--decompress', '--stdout', '--quiet', `--memory=${MEMORY}`],
} as const;
const SAID_CHARACTERS_MAX = 300;
/** Options of the user's shell that would change what the program does. */
const NO_OPTIONS = { XZ_DEFAULTS: '', XZ_OPT: '', LC_ALL: 'C' };

/** What programs find in their environment; undefined: that of this process. */
export type Environment = Readonly<Record<string, string>> | undefined;

type Ending =
  | { readonly error: NodeJS.ErrnoException }
  | { readonly exit: number | null; readonly signal: string | null };

/**
 * @param packed the file's bytes; destroyed at the end
 * @throws Fault BAD_IMAGE where the program refuses the bytes, PROGRAM_MISSING where there is none or it was killed
 */
export async function* unpackByProgram(
  by: keyof typeof PROGRAMS,
  packed: Readable,
  environment: Environment,
  bad: Bad,
): AsyncGenerator<Buffer, void, undefined> {
  const [program, ...args] = PROGRAMS[by];
  // A group of its own: a Ctrl-C at the terminal is for us. Without us its pipes end, and so does it.
  const env = { ...environment, ...NO_OPTIONS };
  const child = spawn(program, args, { ...(environment ? { env } : {}), stdio: 'pipe', detached: true });
  const ended = endingOf(child);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(0, SAID_CHARACTERS_MAX);
  });
  child.stdin.on('error', () => undefined); // it ended before it had read all: its exit says why
  let unread: unknown = null;
  packed.once('error', (error) => {
    unread = error;
    child.kill('SIGKILL');
  });
  packed.pipe(child.stdin);
  try {
    yield* child.stdout as AsyncIterable<Buffer>;
    const ending = await ended;
    if (unread !== null) throw unread;
    refuse(ending, program, withoutName(said, program), bad);
  } catch (error) {
    // Of a program that cannot be started the stream ends early; the reason is in its ending.
    if (child.pid === undefined) refuse(await ended, program, '', bad);
    throw error;
  } finally {
    packed.destroy();
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  }
}

/** Both begin with their name and the name of their input, or of one of them; it is ours that is told. */
const withoutName = (said: string, program: string): string =>
  said
    .trim()
    .replace(/\s+/g, ' ')
    .replace(new RegExp(`^(${program}: )?((\\(stdin\\)|/\\*stdin\\*\\\\) ?: ?)?`), '');

function endingOf(child: ChildProcess): Promise<Ending> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ error }));
    child.once('close', (exit, signal) => resolve({ exit, signal }));
  });
}

function refuse(ending: Ending, program: string, said: string, bad: Bad): void {
  if ('error' in ending) {
    const { error } = ending;
    const why = error.code === 'ENOENT' ? 'is not on this machine' : `cannot be started (${error.code})`;
    throw new Fault('PROGRAM_MISSING', `${bad('').message}the program ${program} ${why}`, { cause: error });
  }
  if (ending.signal !== null) {
    throw new Fault('PROGRAM_MISSING', `${bad('').message}the program ${program} was ended by ${ending.signal}`);
  }
  if (ending.exit === 0) return;
  throw bad(`it cannot be decompressed: ${program}: ${said || `exit code ${ending.exit}`}`);
}
