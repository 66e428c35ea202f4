/** Runs of this machine that were killed: swept by the next one, again at its end, forgotten when nothing may come. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Lab, SweepLines } from '../../../harness/lab.ts';
import { AmongOthers } from '../../../harness/process/predecessors.ts';
import { RunRegistry } from '../../../harness/process/run-registry.ts';

const root = mkdtempSync(join(tmpdir(), 'bw-predecessors-'));
t.teardown(() => rmSync(root, { recursive: true }));
const URL = 'https://xo.example.org';
const NOTHING: SweepLines = { removed: [], stayed: [], left: [] };
let rows = 0;

/** One run after another that was killed when its journal held these lines. */
function after(lines: readonly Readonly<Record<string, string>>[], stayed: readonly string[] = []) {
  const dir = join(root, `row-${++rows}`);
  const workdir = join(dir, 'workdir');
  mkdirSync(workdir, { recursive: true });
  writeFileSync(join(workdir, 'journal.ndjson'), `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`);
  const registry = new RunRegistry(dir);
  registry.add({ runId: 'killed', url: URL, workdir, startedAt: new Date().toISOString() });
  // As if its process were gone: it counts as dead by what it says of itself.
  registry.ended('killed', true);
  const swept: string[][] = [];
  const lab = {
    sweepDead: async (dead: readonly { readonly runId: string }[]) => {
      swept.push(dead.map(({ runId }) => runId));
      return { ...NOTHING, stayed };
    },
  } as unknown as Lab;
  const run = { runId: 'next', url: URL, workdir: join(dir, 'next'), startedAt: new Date().toISOString() };
  const { signal } = new AbortController();
  const told: (readonly [string, boolean | undefined])[] = [];
  const tell = (line: string, stays?: true): void => void told.push([line, stays]);
  const steps: string[] = [];
  const others = new AmongOthers({ registry, lab, run, signal, tell, step: (step) => void steps.push(step) });
  const known = (): readonly string[] => registry.runs(URL).map(({ runId }) => runId);
  return { others, swept, known, told, steps };
}

const asked = (msAgo: number): Readonly<Record<string, string>> => ({
  ...{ at: new Date(Date.now() - msAgo).toISOString(), event: 'intent', what: 'VM', guest: 'g', name: 'n' },
});

t.test('what it asked for last may still come: swept again at the end, and remembered', async (t) => {
  const { others, swept, known, steps } = after([asked(1_000)]);
  await others.begin();
  await others.afterwards();
  t.same(swept, [['killed'], ['killed']]);
  t.same(steps, ['sweep', 'sweep'], 'who watches is told: it may take minutes');
  others.ended(false);
  t.same(known(), ['killed'], 'for the run after this one');
});

t.test('nothing may come any more: swept once, and forgotten', async (t) => {
  for (const lines of [
    [asked(3_600_000)],
    [asked(1_000), { ...asked(1_000), event: 'note', uuid: 'u' }],
    [asked(1_000), { ...asked(1_000), event: 'undone' }],
    [],
  ]) {
    const { others, swept, known } = after(lines);
    await others.begin();
    await others.afterwards();
    t.same(swept, [['killed']]);
    t.same(known(), ['next']);
  }
});

t.test('something of it stayed: the next run tries again', async (t) => {
  const { others, known, told } = after([], ['VM 1 name: in use']);
  await others.begin();
  t.same(told, [['STILL LEFT IN THE LAB by a run that died: VM 1 name: in use', true]], 'as what stays');
  others.ended(false);
  t.same(known(), ['killed']);
});

t.test('that a guest is kept cannot be remembered: whoever keeps it is told', async (t) => {
  const registry = {
    keep: () => {
      throw new Error('EROFS');
    },
  } as unknown as RunRegistry;
  const run = { runId: 'r', url: URL, workdir: root, startedAt: new Date().toISOString() };
  const { signal } = new AbortController();
  const step = (): void => void t.fail('there is nothing to sweep');
  const others = new AmongOthers({ registry, lab: {} as Lab, run, signal, tell: () => undefined, step });
  t.throws(() => others.keep(1_000), /EROFS/);
});
