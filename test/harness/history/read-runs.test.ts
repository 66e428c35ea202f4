/** A folder of runs from several machines: what is no run of ours is named and left out, and ends nothing. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { keepRun } from '../../../harness/history/keep-run.ts';
import { readRuns } from '../../../harness/history/read-runs.ts';
import { imageName, runRow } from '../../../harness/history/run-row.ts';
import { SCHEMA } from '../../../harness/report/report.ts';
import { aReport, check, result, stage } from './a-report.ts';

function folder(t: Test): string {
  const root = mkdtempSync(join(tmpdir(), 'bw-history-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  return root;
}

t.test('what is kept is read again, in the order of time', async (t) => {
  const reports = folder(t);
  t.same(readRuns(join(reports, 'none')), { rows: [], skipped: [] }, 'no folder is no run');
  const timeline = [
    stage('plan', 1, { guest: null }),
    stage('firmware+kernel+services', 11.5),
    stage('ssh', 1.25, { endedBy: 'authenticated over SSH' }),
    stage('kernel', 99, { guest: 'control' }),
    stage('kernel', 7, { boot: 2 }),
  ];
  const checks = [check('ready_marker'), check('baked_prefix_strings', { actual: 'at least 12' })] as const;
  const verdict = { status: 'PASS', checks: [...checks] } as const;
  keepRun(reports, aReport(verdict, { runId: 'late', result: result(verdict, { timeline }) }));
  keepRun(reports, aReport(verdict, { runId: 'early', startedAt: '2026-04-01T00:00:00Z', result: null, image: null }));
  const { rows, skipped } = readRuns(reports);
  t.same(skipped, []);
  t.same(
    rows.map(({ id }) => id),
    ['early', 'late'],
  );
  t.match(rows[0], { image: 'fruix.raw', bootS: null, stages: {}, bakedPrefixes: null });
  t.match(rows[1], { status: 'PASS', image: 'fruix.raw', bootS: 12.75, lab: 'pool1', code: null, leaked: 0 });
  t.same(rows[1]?.stages, { plan: 1, 'firmware+kernel+services': 11.5, ssh: 1.25, kernel: 7 });
});

t.test('damaged and foreign files are named', async (t) => {
  const reports = folder(t);
  const runs = join(reports, 'runs');
  const file = (name: string, text: string): void => writeFileSync(join(runs, name), text);
  const good = JSON.parse(JSON.stringify({ ...aReport(), schema: 1, status: 'PASS', history: { schema: 1 } }));
  const made = (name: string, more: object): void =>
    file(`${name}.json`, JSON.stringify({ ...good, runId: name, ...more }));
  mkdirSync(join(runs, 'good.console'), { recursive: true });
  made('good', {});
  file('cut.json', JSON.stringify(good).slice(0, 500));
  file('empty.json', '');
  file('array.json', '[]');
  file('notes.txt', 'mine');
  file('.r-1.77.part', 'half');
  file('-x.json', '{}');
  made('newer', { schema: SCHEMA + 1 });
  made('newer-history', { history: { schema: 2 } });
  made('no-status', { status: 'MAYBE' });
  made('no-time', { startedAt: 'yesterday' });
  file('renamed.json', JSON.stringify({ ...good, runId: 'other' }));
  mkdirSync(join(runs, 'folder.json'));
  symlinkSync('/etc/hostname', join(runs, 'link.json'));
  execFileSync('mkfifo', [join(runs, 'pipe.json')]);
  file('huge.json', ' '.repeat(9 * 1024 * 1024));
  const { rows, skipped } = readRuns(reports);
  t.same(
    rows.map(({ id }) => id),
    ['good'],
  );
  const why = Object.fromEntries(skipped.map((each) => [each.file, each.why]));
  t.match(why, {
    'cut.json': 'damaged: no JSON',
    'empty.json': 'damaged: no JSON',
    'array.json': 'foreign: it has no schema of ours',
    'notes.txt': 'foreign: its name is no run id',
    '.r-1.77.part': /^not finished/,
    '-x.json': 'foreign: its name is no run id',
    'newer.json': `newer version (schema ${SCHEMA + 1}, history 1)`,
    'newer-history.json': /newer version \(schema 1, history 2\)/,
    'no-status.json': /no status/,
    'no-time.json': /does not say when/,
    'renamed.json': 'damaged: it holds the run of another name',
    'folder.json': 'foreign: no regular file',
    'link.json': 'cannot be read (ELOOP)',
    'pipe.json': 'foreign: no regular file',
    'huge.json': /^foreign: 9437184 bytes/,
  });
  t.equal(skipped.length, 15);
});

t.test('a record in which everything is something else is a row or no run, and never a throw', async (t) => {
  const strange: readonly unknown[] = [null, 7, 'x', [], {}, [[]], { x: 1 }, true, Number.NaN];
  for (const each of strange) {
    const base = { runId: 'r', scenario: 's', status: 'FAIL', startedAt: '2026-04-01', seconds: 1 };
    const fields = ['lab', 'image', 'verdict', 'result', 'history', 'boots', 'reference', 'expectedClosure', 'repeat'];
    const record = { ...base, ...Object.fromEntries(fields.map((name) => [name, each])) };
    t.match(runRow(record), { id: 'r', failed: [], stages: {} });
    t.match(runRow({ ...record, verdict: { checks: [each, { name: each, outcome: 'failed' }], cause: each } }), {
      id: 'r',
    });
    t.match(runRow({ ...record, result: { timeline: [each, { stage: 'ssh', seconds: each }] } }), { bootS: null });
    t.match(runRow({ ...record, runId: each }), typeof each === 'string' ? { id: each } : { why: /no run id/ });
  }
  t.match(
    runRow({
      runId: 'r',
      scenario: 's',
      status: 'PASS',
      startedAt: '2026-04-01',
      seconds: 1,
      image: { path: 'constructor' },
    }),
    {
      image: 'constructor',
    },
  );
});

t.test('a case that ended before its image was looked at is a run of the same case', async (t) => {
  const { asked } = aReport();
  const record = {
    ...aReport(),
    status: 'ERROR',
    image: null,
    asked: { ...asked, options: { image: '/images/fruix-20261127.raw' } },
  };
  t.match(runRow({ ...record }), { image: 'fruix-*.raw' });
});

t.test('an image has one name from night to night', async (t) => {
  const names = ['/a/fruix-20261126.raw', '/b/fruix-2026-11-27.raw', 'c\\fruix-1a2b3c4d5e.raw'];
  t.same(names.map(imageName), ['fruix-*.raw', 'fruix-*.raw', 'fruix-*.raw']);
  const times = [
    '20261126T053000Z',
    '2026-11-26T05:30:00Z',
    '20261126-0530',
    '2026_11_26',
    '2026.11.26',
    '20261126053000',
  ];
  t.same(new Set(times.map((time) => imageName(`fruix-${time}.raw`))), new Set(['fruix-*.raw']));
  t.same(['x/fruix.raw.xz', 'freebsd14.qcow2', 'decade.raw'].map(imageName), [
    'fruix.raw.xz',
    'freebsd14.qcow2',
    'decade.raw',
  ]);
});
