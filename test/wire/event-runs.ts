/** For tests: phases and nights as processes, and the events that they print. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import type { Event } from '../../harness/progress/event.ts';
import { type LabProcess, startLab } from '../lab-process.ts';
import { ownEnvironment } from '../phase-process.ts';

const DOCS = new URL('../../docs/', import.meta.url);
const ENTRIES = { phase9: 'phase9-xcpng-boot.ts', nightly: 'nightly.ts', repro: 'repro.ts' } as const;

export const folder = mkdtempSync(join(tmpdir(), 'bw-events-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

export function written(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

export const documentation = readFileSync(new URL('events.md', DOCS), 'utf8');
export const schema = JSON.parse(readFileSync(new URL('events.schema.json', DOCS), 'utf8')) as {
  readonly oneOf: readonly { readonly title: string; readonly properties: Readonly<Record<string, object>> }[];
  readonly $defs: object;
};

const ajv = new Ajv({ strict: true, allowUnionTypes: true });
const forms = new Map(
  schema.oneOf.map(({ title, ...form }) => [title, ajv.compile({ $defs: schema.$defs, ...form, title })]),
);

/** What is wrong with a line; empty: it is an event as the schema says. */
export function wrongWith(line: string): string {
  let value: { readonly event?: unknown };
  try {
    value = JSON.parse(line) as typeof value;
  } catch {
    return `no JSON: ${line.slice(0, 100)}`;
  }
  const form = forms.get(String(value.event));
  if (form === undefined) return `an event that is not in the schema: ${line.slice(0, 100)}`;
  return form(value) ? '' : `${ajv.errorsText(form.errors)}: ${line}`;
}

/** Names of the events that any run of this process has printed. */
export const produced = new Set<string>();

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Of stdout; lines that are none are in `wrong`. */
  readonly events: readonly Event[];
  readonly wrong: readonly string[];
}

interface Wish {
  readonly onStdout?: (all: string, child: ChildProcess) => void;
  readonly onStderr?: (all: string, child: ChildProcess) => void;
}

export const argumentsOf = (entry: keyof typeof ENTRIES, args: readonly string[]): readonly string[] => [
  ...['--import', import.meta.resolve('tsx'), fileURLToPath(new URL(`../../${ENTRIES[entry]}`, import.meta.url))],
  ...args,
  // It has no outputs of its own.
  ...(entry === 'repro' ? [] : ['--reports-dir', 'none']),
];

export const environmentOf = (cache = 'cache'): NodeJS.ProcessEnv => ({
  ...{ ...ownEnvironment(), BOOTWITNESS_CACHE_DIR: join(folder, cache), XDG_STATE_HOME: join(folder, 'state') },
});

export async function started(
  entry: keyof typeof ENTRIES,
  args: readonly string[],
  { onStdout, onStderr }: Wish = {},
): Promise<Ended> {
  const child = spawn(process.execPath, argumentsOf(entry, args), {
    ...{ cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], env: environmentOf() },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    onStdout?.(stdout, child);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    onStderr?.(stderr, child);
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  const lines = args.includes('--json') && stdout !== '' ? stdout.trimEnd().split('\n') : [];
  const wrong = lines.map(wrongWith).filter((each) => each !== '');
  const events = wrong.length > 0 ? [] : lines.map((line) => JSON.parse(line) as Event);
  for (const { event } of events) produced.add(event);
  return { code, stdout, stderr, events, wrong };
}

export async function simulated(
  t: { teardown(done: () => Promise<void>): unknown },
  answers: unknown,
  ...args: readonly string[]
): Promise<LabProcess> {
  const file = written(`answers-${performance.now()}.json`, JSON.stringify({ guests: [answers] }));
  const lab = await startLab('--backend', 'simulated', '--guest-answers', file, ...args);
  t.teardown(() => lab.stop());
  return lab;
}

/** A plan over the lab's own image, so many cases of phase 9. @param head lines above the tables */
export function plan(labFile: string, images: number, head = '', ofLab = ''): string {
  const tables = Array.from({ length: images }, (_, nth) => `[images.reference${nth}]\nscenarios = ["phase9"]\n`);
  const text = `${head}\n${tables.join('')}[labs.pool]\nlab = "${labFile}"\nparallel = ${images}\n${ofLab}\n`;
  return written(`plan-${performance.now()}.toml`, text);
}
