/**
 * A CI recipe as a runner reads it: its one job, step by step. What of it nobody here knows (an expression, an action,
 * a key) is an error, so that a recipe never means more than what was run. The only importer of yaml.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const CI = fileURLToPath(new URL('../docs/ci/', import.meta.url));
export const RECIPES = { github: `${CI}github-nightly.yml`, forgejo: `${CI}forgejo-nightly.yml` } as const;

type Texts = Readonly<Record<string, string>>;

export interface Step {
  readonly id?: string;
  readonly name: string;
  readonly if?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Texts;
  readonly env?: Texts;
  readonly 'timeout-minutes'?: number;
}

export interface Recipe {
  readonly on: {
    readonly schedule: readonly { readonly cron: string }[];
    readonly workflow_dispatch: { readonly inputs: Readonly<Record<string, Texts>> };
  };
  readonly concurrency: { readonly group: string; readonly 'cancel-in-progress': boolean };
  readonly job: {
    readonly 'runs-on': string | readonly string[];
    readonly 'timeout-minutes': number;
    readonly defaults: { readonly run: { readonly shell: string; readonly 'working-directory': string } };
    readonly env: Texts;
    readonly steps: readonly Step[];
  };
}

const KEYS = {
  workflow: ['name', 'on', 'permissions', 'concurrency', 'jobs'],
  job: ['runs-on', 'timeout-minutes', 'defaults', 'env', 'steps'],
  step: ['id', 'name', 'if', 'uses', 'run', 'with', 'env', 'timeout-minutes'],
} as const;

function onlyKnown(what: keyof typeof KEYS, value: object): void {
  const known: readonly string[] = KEYS[what];
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new Error(`${what}: the key ${unknown} is not known here`);
}

export function readRecipe(file: string): Recipe {
  const workflow = parse(readFileSync(file, 'utf8'), { strict: true });
  onlyKnown('workflow', workflow);
  const [job, ...others] = Object.values<Recipe['job']>(workflow.jobs);
  if (job === undefined || others.length > 0) throw new Error('a recipe has one job');
  onlyKnown('job', job);
  for (const step of job.steps) {
    onlyKnown('step', step);
    if ((step.run === undefined) === (step.uses === undefined)) throw new Error(`${step.name}: one of run and uses`);
  }
  return { on: workflow.on, concurrency: workflow.concurrency, job };
}

export interface Action {
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly runs: {
    readonly using: string;
    readonly main: string;
    readonly post: string;
    readonly 'post-if': string;
  };
}

/** An action of our own, with a part that is run at the end of the job. */
export const readAction = (file: string): Action => parse(readFileSync(file, 'utf8'), { strict: true });

/** Puts in what the server would. @param table by the text of the expression @throws where one is not in it */
export function evaluated(text: string, table: Texts): string {
  return text.replace(/\$\{\{\s*(.*?)\s*\}\}/gs, (_, expression: string) => {
    const value = table[expression];
    if (value === undefined) throw new Error(`the expression ${expression} is not known here`);
    return value;
  });
}

export const evaluatedAll = (texts: Texts, table: Texts): Texts =>
  Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, evaluated(String(text), table)]));

/** How a job stands when a step comes up. */
export interface Standing {
  readonly failed: boolean;
  readonly cancelled: boolean;
  readonly setUp: boolean;
}

/** @throws where the condition is not one of ours */
export function isWanted({ if: condition }: Step, { failed, cancelled, setUp }: Standing): boolean {
  if (condition === undefined) return !failed && !cancelled;
  if (condition === "always() && steps.setup.outcome == 'success'") return setUp;
  throw new Error(`the condition ${condition} is not known here`);
}
