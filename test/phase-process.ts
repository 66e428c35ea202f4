/** Runs a phase as a user does, in a process of its own, and reads what it left. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const ENTRIES = { phase9: 'phase9-xcpng-boot.ts', phase11: 'phase11-shepherd-pid1-xcpng.ts' } as const;

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Names of the workdirs in the root; a refused call leaves none. */
  readonly workdirs: readonly string[];
  readonly workdir: string;
  readonly metadata: ReadonlyMap<string, string>;
  /** Parsed result.json, or undefined. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it freely.
  readonly result: any;
  readonly seconds: number;
}

export interface Options {
  readonly environment?: Readonly<Record<string, string>>;
  /** Told of the child, e.g. to signal it; it leads a process group of its own. */
  readonly onStart?: (child: ChildProcess) => void;
  /** Told of each piece of stderr. */
  readonly onStderr?: (all: string, child: ChildProcess) => void;
}

/** A folder for workdirs; `runPhase` puts the only one there into its outcome. */
export function workdirRoot(t: { teardown(done: () => void): unknown }): string {
  const root = mkdtempSync(join(tmpdir(), 'bw-runs-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

/** This process's, without what changes a phase (CI) and what only the contract tests know. */
export function ownEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => name !== 'CI' && !name.startsWith('BOOTWITNESS_TEST_'));
  return Object.fromEntries(kept);
}

/** Runs `phase9` or `phase11` with the arguments; the root gets one more workdir, or none on misuse. */
export async function runPhase(
  phase: keyof typeof ENTRIES,
  root: string,
  args: readonly string[],
  options: Options = {},
): Promise<Outcome> {
  const before = new Set(readdirSync(root));
  const startedMs = performance.now();
  const environment = ownEnvironment();
  const asked = args.includes('--reports-dir') || options.environment?.BOOTWITNESS_REPORTS_DIR !== undefined;
  const keptNowhere = asked ? [] : ['--reports-dir', 'none'];
  const child = spawn(
    process.execPath,
    [
      '--import',
      import.meta.resolve('tsx'),
      join(ROOT, ENTRIES[phase]),
      '--workdir-root',
      root,
      ...keptNowhere,
      ...args,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], detached: true, env: { ...environment, ...options.environment } },
  );
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    options.onStderr?.(stderr, child);
  });
  options.onStart?.(child);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  const workdirs = readdirSync(root).filter((name) => !before.has(name));
  const workdir = workdirs[0] === undefined ? '' : join(root, workdirs[0]);
  return {
    code,
    stdout,
    stderr,
    workdirs,
    workdir,
    metadata: readMetadata(join(workdir, 'metadata.txt')),
    result: existsSync(join(workdir, 'result.json'))
      ? JSON.parse(readFileSync(join(workdir, 'result.json'), 'utf8'))
      : undefined,
    seconds: (performance.now() - startedMs) / 1000,
  };
}

/** The `key=value` lines of a metadata file; empty where there is none. */
export function readMetadata(path: string): ReadonlyMap<string, string> {
  if (!existsSync(path)) return new Map();
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  return new Map(
    lines.map((line): [string, string] => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}
