/**
 * Runs the job of a CI recipe as a runner does, each step's shell for real: bash, the folder, the environment, what
 * comes after a step that failed, and what a runner does to processes when the job is cancelled. Left out is what needs
 * a server: actions (but our own) and expressions, which are looked up in a table.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { evaluated, evaluatedAll, isWanted, type Recipe, readAction, type Step } from './ci-recipe.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SHELL = ['--noprofile', '--norc', '-e', '-o', 'pipefail'];

type Texts = Readonly<Record<string, string>>;

/** What a runner does to a step whose job is cancelled, and to the rest of the job. */
export interface Cancel {
  /** When it is cancelled, by what is printed. */
  readonly when: () => boolean;
  /** What it does to the process that it has started. */
  readonly kill: (child: ChildProcess) => void;
  /** Are later steps begun whose condition allows it? */
  readonly laterSteps: boolean;
}

export interface Job {
  readonly recipe: Recipe;
  readonly workspace: string;
  readonly environment: Texts;
  /** Text of each expression → its value. */
  readonly expressions: Texts;
  readonly cancel: Cancel | null;
}

export interface StepRun {
  readonly name: string;
  readonly code: number | null;
  /** What it printed, both streams. */
  readonly said: string;
}

export interface JobRun {
  /** In their order; steps that were not begun are missing. */
  readonly steps: readonly StepRun[];
  readonly summary: string;
  readonly failed: boolean;
}

/** A workspace as after both checkouts: the caller's files, and Bootwitness in its folder, without its packages. */
export function makeWorkspace(root: string, files: Texts): { readonly workspace: string; readonly environment: Texts } {
  const [workspace, bin, home] = ['workspace', 'bin', 'home'].map((name) => join(root, name)) as [
    string,
    string,
    string,
  ];
  const clone = join(workspace, 'bootwitness');
  for (const dir of [join(clone, 'node_modules'), join(workspace, 'ci'), bin, home])
    mkdirSync(dir, { recursive: true });
  const link = (from: string, to: string, left: readonly string[]): void => {
    for (const name of readdirSync(from)) if (!left.includes(name)) symlinkSync(join(from, name), join(to, name));
  };
  link(ROOT, clone, ['node_modules', '.git', 'reports']);
  // What `npm ci` would bring; the mark that setup.sh leaves when it has is not among it.
  link(join(ROOT, 'node_modules'), join(clone, 'node_modules'), ['.bootwitness-installed']);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(workspace, name), text);
  const asked = join(root, 'npm-asked');
  const npm = `#!/bin/sh\n[ "$1" = ci ] || { PATH=\${PATH#*:} exec npm "$@"; }\necho "npm $*" >>'${asked}'\n`;
  writeFileSync(join(bin, 'npm'), npm, { mode: 0o755 });
  const environment = {
    ...{ CI: 'true', HOME: home, PATH: `${bin}:${process.env.PATH}`, npm_config_update_notifier: 'false' },
    ...{ GITHUB_WORKSPACE: workspace, GITHUB_STEP_SUMMARY: join(root, 'summary.md') },
  };
  return { workspace, environment };
}

export async function runJob(job: Job): Promise<JobRun> {
  const { recipe, environment, cancel } = job;
  const base = { ...environment, ...evaluatedAll(recipe.job.env, job.expressions) };
  const steps: StepRun[] = [];
  const afterwards: (() => Promise<StepRun>)[] = [];
  let standing = { failed: false, cancelled: false, setUp: false };
  writeFileSync(environment.GITHUB_STEP_SUMMARY ?? '', '');
  for (const step of recipe.job.steps) {
    if (!isWanted(step, standing) || (standing.cancelled && cancel?.laterSteps === false)) continue;
    const env = { ...base, ...evaluatedAll(step.env ?? {}, job.expressions) };
    const ran = step.run === undefined ? await act(step, job, env, afterwards) : await shell(step, job, env, cancel);
    if (ran === null) continue;
    steps.push(ran);
    const cancelled = standing.cancelled || (step.name === 'Nightly' && cancel !== null);
    standing = {
      ...{ failed: standing.failed || ran.code !== 0, cancelled },
      setUp: standing.setUp || (step.id === 'setup' && ran.code === 0),
    };
  }
  for (const each of afterwards.reverse()) steps.push(await each());
  const failed = steps.some(({ code }) => code !== 0);
  return { steps, summary: readFileSync(environment.GITHUB_STEP_SUMMARY ?? '', 'utf8'), failed };
}

/** An action; only our own is run: its main part now, its second part at the end of the job. */
async function act(
  step: Step,
  { workspace, expressions }: Job,
  env: Texts,
  afterwards: (() => Promise<StepRun>)[],
): Promise<StepRun | null> {
  if (!step.uses?.startsWith('./')) return null;
  const dir = join(workspace, step.uses);
  const { inputs, runs } = readAction(join(dir, 'action.yml'));
  const given = evaluatedAll(step.with ?? {}, expressions);
  const odd = [...Object.keys(given), ...Object.keys(inputs)].find((name) => !(name in given && name in inputs));
  if (odd !== undefined) throw new Error(`${step.name}: the input ${odd} is not known, or not given`);
  if (runs.using !== 'node20' || runs['post-if'] !== 'always()') throw new Error(`${step.name}: not run so here`);
  const asInputs = Object.entries(given).map(([name, text]) => [`INPUT_${name.toUpperCase()}`, text]);
  const all = { ...env, ...Object.fromEntries(asInputs) };
  const part = (file: string, name: string): Promise<StepRun> =>
    finished(name, spawn('node', [join(dir, file)], { cwd: workspace, env: all, stdio: ['ignore', 'pipe', 'pipe'] }));
  afterwards.push(() => part(runs.post, `${step.name}, afterwards`));
  return part(runs.main, step.name);
}

async function shell(step: Step, { recipe, workspace, expressions }: Job, env: Texts, cancel: Cancel | null) {
  const { 'working-directory': folder } = recipe.job.defaults.run;
  const script = join(workspace, '..', `step-${step.name.replaceAll(' ', '-')}.sh`);
  writeFileSync(script, evaluated(step.run ?? '', expressions));
  // A group of its own, as runners start them.
  const child = spawn('bash', [...SHELL, script], {
    ...{ cwd: join(workspace, folder), env, detached: true },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const watch = step.name !== 'Nightly' || cancel === null ? null : setInterval(() => cancelled(), 50);
  const cancelled = (): void => {
    if (cancel === null || !cancel.when()) return;
    clearInterval(watch ?? undefined);
    cancel.kill(child);
  };
  const ran = await finished(step.name, child);
  clearInterval(watch ?? undefined);
  return ran;
}

/** Ends with the process, as a runner's step does, also where somebody else still holds its output open. */
async function finished(name: string, child: ChildProcess): Promise<StepRun> {
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  return { name, code, said };
}

/** One of those that are killed together may have ended by itself meanwhile. */
export function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** All processes below one, by their parents, and itself: what a runner kills at last. */
export function treeOf(pid: number): readonly number[] {
  const parents = readdirSync('/proc').flatMap((name): readonly [number, number][] => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      return [[Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])]];
    } catch {
      return []; // it has ended meanwhile
    }
  });
  const below = (of: number): readonly number[] =>
    parents.flatMap(([child, parent]) => (parent === of ? [child, ...below(child)] : []));
  return [pid, ...below(pid)];
}
