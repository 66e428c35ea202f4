/** Which runs of this machine are dead, alive, or nobody knows; what the journal of a dead one says. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { RunRegistry } from '../../../harness/process/run-registry.ts';
import { readJournal } from '../../../harness/workdir/journal-reading.ts';

const dir = mkdtempSync(join(tmpdir(), 'bw-registry-'));
t.teardown(() => rmSync(dir, { recursive: true }));
const URL = 'https://xo.example';
const run = (runId: string) => ({ runId, url: URL, workdir: '/nowhere', startedAt: '2026-11-01T00:00:00.000Z' });

/** Pid of a process that has ended. */
async function deadPid(): Promise<number> {
  const child = spawn('true');
  await new Promise((resolve) => child.once('close', resolve));
  return child.pid ?? 0;
}

t.test('alive, dead, unknown', async (t) => {
  const cache = join(dir, 'states');
  const registry = new RunRegistry(cache);
  t.same(registry.runs(URL), [], 'no folder yet');
  registry.add(run('alive'));
  const file = join(cache, 'runs', 'alive.json');
  const record = JSON.parse(readFileSync(file, 'utf8'));
  const variants: Readonly<Record<string, object>> = {
    killed: { pid: await deadPid() },
    'pid-of-somebody-else': record.startTicks === null ? { pid: await deadPid() } : { startTicks: '1' },
    'other-host': { pid: await deadPid(), host: 'another-machine' },
    'other-container': { pid: await deadPid(), pids: 'pid:[1]' },
    'other-boot': { bootId: '00000000-0000-0000-0000-000000000000' },
    'ended-with-a-leak': { ended: true, host: 'another-machine' },
    'other-lab': { url: 'https://xo2.example' },
    broken: { pid: 'x' },
  };
  for (const [runId, changes] of Object.entries(variants)) {
    writeFileSync(join(cache, 'runs', `${runId}.json`), JSON.stringify({ ...record, runId, ...changes }));
  }
  writeFileSync(join(cache, 'runs', 'half.json'), '{"runId":"ha');
  const states = Object.fromEntries(registry.runs(URL).map(({ runId, state }) => [runId, state]));
  const expected: Record<string, string> = {
    ...{
      alive: 'alive',
      killed: 'dead',
      'pid-of-somebody-else': 'dead',
      'other-host': 'unknown',
      'ended-with-a-leak': 'dead',
    },
    'other-container': record.pids === null ? 'dead' : 'unknown',
    'other-boot': record.bootId === null ? 'unknown' : 'dead',
  };
  t.same(states, expected);
});

t.test('a run that ends', async (t) => {
  const cache = join(dir, 'ends');
  const registry = new RunRegistry(cache);
  registry.add(run('clean'));
  registry.ended('clean', false);
  registry.add(run('leaky'));
  registry.ended('leaky', true);
  t.match(registry.runs(URL), [{ runId: 'leaky', state: 'dead' }]);
  registry.ended('never there', true);
  registry.forgetOld(Date.parse('2026-11-02T00:00:00Z'));
  t.equal(registry.runs(URL).length, 1);
  registry.forgetOld(Date.parse('2027-11-02T00:00:00Z'));
  t.same(readdirSync(join(cache, 'runs')), []);
});

t.test('its journal', async (t) => {
  const workdir = join(dir, 'workdir');
  mkdirSync(workdir);
  const lines = [
    { event: 'intent', what: 'VDI', name: 'n', guest: 'bootwitness:guest=1', expires: 'x' },
    { event: 'note', what: 'VDI', uuid: 'disk' },
    { event: 'intent', what: 'VM', name: 'n', guest: 'bootwitness:guest=2' },
    { event: 'note', what: 'slot', uuid: 'no object' },
    { event: 'intent', what: 'fixed-vm', uuid: 'theirs' },
  ].map((line) => JSON.stringify(line));
  writeFileSync(join(workdir, 'journal.ndjson'), `${lines.join('\n')}\n{"event":"note","what":"VM","uu`);
  const { made, guests } = readJournal(workdir);
  t.same([...made], ['disk']);
  t.same(
    [...guests],
    [
      ['bootwitness:guest=1', 'n'],
      ['bootwitness:guest=2', 'n'],
    ],
  );
  t.same([...readJournal(join(dir, 'gone')).made], []);
});

t.test('what was asked for last may still come where its end is not in the journal', async (t) => {
  const workdir = mkdtempSync(join(dir, 'journal-'));
  const written = (...entries: readonly Record<string, string>[]) => {
    const lines = entries.map((entry) => JSON.stringify({ at: '2026-01-02T03:04:05.000Z', ...entry }));
    writeFileSync(join(workdir, 'journal.ndjson'), `${lines.join('\n')}\n`);
    return readJournal(workdir);
  };
  const intent = (what: string) => ({ event: 'intent', what, guest: 'g', name: 'n' });
  const last = Date.parse('2026-01-02T03:04:05.000Z');
  t.match(written(intent('slot'), intent('VM')), { pending: true, lastMs: last });
  t.match(written(intent('VM'), { event: 'note', what: 'VM', uuid: 'u' }), { pending: false });
  t.match(written(intent('VDI'), { event: 'undone', what: 'VDI' }), { pending: false });
  t.match(written(intent('lock')), { pending: true });
  t.match(written(intent('lock'), { event: 'intent', what: 'fixed-vm', uuid: 'u' }), { pending: false });
  const mark = { event: 'intent', what: 'mark', uuid: 'of the entry', tag: 't' };
  t.match(written(mark), { pending: true });
  t.match(written(mark, intent('VDI'), { event: 'note', what: 'VDI', uuid: 'u' }), { pending: false });
  t.match(readJournal(join(dir, 'gone')), { pending: false, lastMs: null });
});
