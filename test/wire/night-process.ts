/**
 * For tests: nights as a CI runs them, processes on a lab that is a process, too, with simulated guests. All is in one
 * folder, which goes with the tests.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { type LabProcess, startLab } from '../lab-process.ts';
import { ownEnvironment } from '../phase-process.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const root = mkdtempSync(join(tmpdir(), 'bw-nightly-'));
t.teardown(() => rmSync(root, { recursive: true, force: true }));

export interface NightRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Wish {
  readonly args?: readonly string[];
  /** Of another machine: it knows nothing of the runs of this one. */
  readonly cache?: string;
  readonly onStderr?: (all: string, pid: number) => void;
}

let nights = 0;

/** Runs a night to its end. */
export async function night(plan: string, { args = [], cache = 'cache', onStderr }: Wish = {}): Promise<NightRun> {
  const child = spawn(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), join(ROOT, 'nightly.ts'), '--plan', plan, ...args],
    {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...ownEnvironment(), BOOTWITNESS_CACHE_DIR: join(root, cache), XDG_STATE_HOME: join(root, 'state') },
    },
  );
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    onStderr?.(stderr, child.pid ?? 0);
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stdout, stderr };
}

/** A file of the tests. */
export const write = (name: string, text: string): string => {
  writeFileSync(join(root, name), text);
  return join(root, name);
};

/** A plan over the lab's own image, on as many tables of the same lab as there are to be cases of one phase. */
export function planOf(labFile: string, { images = 1, more = '', name = 'nightly', ofLab = '' } = {}): string {
  const tables = Array.from({ length: images }, (_, nth) => `[images.reference${nth}]\nscenarios = ["phase9"]\n`);
  const lab = `[labs.pool]\nlab = "${labFile}"\n${ofLab}`;
  return write(`plan-${++nights}.toml`, `name = "${name}"\n${more}\n${tables.join('')}${lab}\n`);
}

let labs = 0;
/** The lab's file, with `max_guests` and the like above it. */
export const labFileOf = (lab: LabProcess, head: string): string =>
  write(`lab-${++labs}.toml`, `${head}\n${readFileSync(lab.labFile, 'utf8')}`);

/** A lab whose guests answer so. */
export async function simulated(t: Test, answers: unknown, ...args: readonly string[]): Promise<LabProcess> {
  const file = write(`answers-${++labs}.json`, JSON.stringify({ guests: [answers] }));
  const lab = await startLab('--backend', 'simulated', '--guest-answers', file, ...args);
  t.teardown(() => lab.stop());
  return lab;
}
