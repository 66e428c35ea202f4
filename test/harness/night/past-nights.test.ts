/** What is read of nights that were killed, and how those that go on are ended: nobody is signalled here. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Clock } from '../../../harness/deadline.ts';
import { endNights, type Processes, whyNot } from '../../../harness/night/end-nights.ts';
import { writeNightMark } from '../../../harness/night/night-folder.ts';
import { nightsIn, type PastNight } from '../../../harness/night/past-nights.ts';
import type { ProcessPlace } from '../../../harness/process/process-place.ts';
import type { RegisteredProcess } from '../../../harness/process/run-registry.ts';

const root = mkdtempSync(join(tmpdir(), 'bw-past-'));
t.teardown(() => rmSync(root, { recursive: true }));
const nobody = { processOf: () => null };
const place = (pid: number): ProcessPlace => ({ host: 'h', bootId: 'b', pids: 'p', pid, startTicks: '7' });

function attempt(night: string, theCase: string, { pid = 0, run = '', lines = '' } = {}): void {
  const dir = join(night, theCase, 'attempt-1');
  mkdirSync(join(dir, 'run', run), { recursive: true });
  if (pid > 0) writeFileSync(join(dir, 'process.json'), JSON.stringify(place(pid)));
  if (lines !== '') writeFileSync(join(dir, 'run', run, 'log.ndjson'), lines);
}

t.test('a night is read as far as it came', async (t) => {
  const nights = join(root, 'read');
  const night = join(nights, 'nightly-1');
  mkdirSync(join(nights, 'somebody-else'), { recursive: true });
  mkdirSync(night);
  writeNightMark(night, '2026-01-01T00:00:00Z', { process: place(5), labs: [['--lab', '/l.toml'], 'x', [1]] });
  attempt(night, 'a', { pid: 6, run: 'a-1', lines: '{"run":"r1","msg":"signed in"}\n{"ru' });
  attempt(night, 'b', { pid: 7, run: 'b-1', lines: '{"run":' });
  attempt(night, 'c', { pid: 8 });
  attempt(night, 'd');
  const [found, ...others] = nightsIn('--nights', nights, nobody);
  t.equal(others.length, 0, 'a folder without a mark is none');
  t.match(found, { dir: night, process: place(5), labs: [['--lab', '/l.toml']] });
  t.strictSame(found?.attempts(), [
    { name: 'a/attempt-1', process: place(6), workdir: join(night, 'a/attempt-1/run/a-1'), runId: 'r1', ended: false },
    { name: 'b/attempt-1', process: place(7), workdir: join(night, 'b/attempt-1/run/b-1'), runId: null, ended: false },
    { name: 'c/attempt-1', process: place(8), workdir: null, runId: null, ended: false },
    { name: 'd/attempt-1', process: null, workdir: null, runId: null, ended: false },
  ]);
  t.match(nightsIn('--nights', night, nobody), [{ dir: night }], 'its own folder names it as well');
  t.same(nightsIn('--nights', join(root, 'nowhere'), nobody), [], 'no night was begun');
  const file = join(night, 'night.json');
  const expected = `--nights: expected the folder of a night, or one of nights, given ${file}`;
  t.throws(() => nightsIn('--nights', file, nobody), { message: expected });
});

t.test('whose process its night has not written down may have done so itself', async (t) => {
  const itself = join(root, 'itself');
  mkdirSync(itself);
  writeNightMark(itself, '2026-01-01T00:00:00Z', {});
  for (const run of ['r1', 'r2', 'r3', 'r4']) attempt(itself, run, { run, lines: `{"run":"${run}"}\n` });
  writeFileSync(join(itself, 'r3/attempt-1/run/r3/result.json'), '{}');
  const wrote: Readonly<Record<string, RegisteredProcess>> = {
    r1: { ...place(6), ended: false },
    r2: { ...place(7), ended: true },
  };
  const [found] = nightsIn('', itself, { processOf: (runId) => wrote[runId] ?? null });
  t.equal(found?.labs, null, 'nobody wrote down its labs');
  t.match(found?.attempts(), [
    { runId: 'r1', process: place(6), ended: false },
    { runId: 'r2', process: null, ended: true },
    { runId: 'r3', process: null, ended: true },
    { runId: 'r4', process: null, ended: false },
  ]);
});

/** Processes by pid, and how often each has to be told; null: it never ends. */
class Scripted implements Processes, Clock {
  readonly told: number[] = [];
  readonly #patience: Map<number, number | null>;
  #nowMs = 0;
  onEnd: (pid: number) => void = () => undefined;

  constructor(patience: Readonly<Record<number, number | null>>) {
    this.#patience = new Map(Object.entries(patience).map(([pid, times]) => [Number(pid), times]));
  }
  nowMs(): number {
    return this.#nowMs;
  }
  async sleep(ms: number): Promise<void> {
    this.#nowMs += ms;
  }
  state({ pid, host }: ProcessPlace): 'alive' | 'dead' | 'unknown' {
    if (host !== 'h') return 'unknown';
    return this.#patience.has(pid) ? 'alive' : 'dead';
  }
  end({ pid }: ProcessPlace): void {
    this.told.push(pid);
    const times = this.#patience.get(pid);
    if (times === 1) this.gone(pid);
    else if (times) this.#patience.set(pid, times - 1);
    this.onEnd(pid);
  }
  gone(pid: number): void {
    this.#patience.delete(pid);
  }
}

const night = (pid: number, ...cases: readonly number[]): PastNight => ({
  ...{ dir: `night-${pid}`, process: place(pid), labs: [] },
  attempts: () =>
    cases.map((each) => ({ name: `case-${each}`, process: place(each), workdir: null, runId: null, ended: false })),
});

async function end(processes: Scripted, ...nights: readonly PastNight[]): Promise<readonly string[]> {
  const lines: string[] = [];
  const { signal } = new AbortController();
  await endNights(nights, { processes, signal, clock: processes, tell: (line) => void lines.push(line) });
  return lines;
}

t.test('a night that lives is told, and tells its cases itself', async (t) => {
  const processes = new Scripted({ 1: 1, 2: null });
  processes.onEnd = () => processes.gone(2);
  t.same(await end(processes, night(1, 2)), ['night-1 still runs as process 1: it is asked to end']);
  t.same(processes.told, [1]);
});

t.test('cases of a night that was killed are told, and those of one that dies meanwhile', async (t) => {
  const killed = new Scripted({ 2: 1, 3: 1 });
  await end(killed, night(1, 2, 3));
  t.same(killed.told, [2, 3]);
  const dying = new Scripted({ 1: 1, 2: 1 });
  await end(dying, night(1, 2));
  t.same(dying.told, [1, 2], 'it left its case alone');
});

t.test('who takes too long is told a second time, and no third', async (t) => {
  const processes = new Scripted({ 2: 2, 3: null });
  const lines = await end(processes, night(1, 2, 3));
  t.same(processes.told, [2, 3, 2, 3]);
  t.equal(lines.at(-1), 'case-3 still runs as process 3: it is told to leave at once');
  t.ok(processes.nowMs() > 90_000 && processes.nowMs() < 110_000, `${processes.nowMs()} ms`);
  const [left] = night(1, 3).attempts();
  t.equal(left && whyNot(left, processes), 'still runs as process 3');
});

t.test('who has ended is not told; nobody is, where it was elsewhere', async (t) => {
  const processes = new Scripted({});
  t.same(await end(processes, night(1, 2)), []);
  const [ended] = night(1, 2).attempts();
  t.equal(ended && whyNot(ended, processes), null);
  const elsewhere = { name: 'x', process: { ...place(4), host: 'runner-2' }, workdir: null, runId: 'r', ended: false };
  t.match(whyNot(elsewhere, processes), /^may still run on runner-2/);
  const unnamed = { ...elsewhere, process: null };
  t.equal(whyNot(unnamed, processes), null, 'never started');
  t.equal(whyNot({ ...unnamed, workdir: '/w' }, processes), 'may still run: nobody wrote down as which process');
  t.equal(whyNot({ ...unnamed, workdir: '/w', ended: true }, processes), null, 'it has said so');
});
