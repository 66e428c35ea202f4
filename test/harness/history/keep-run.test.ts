/** A run is kept once, whole, without secrets, with what is lost together with its workdir. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { keepRun, stageRun } from '../../../harness/history/keep-run.ts';
import { Secret } from '../../../harness/workdir/secrets.ts';
import { aReport, check, PASS } from './a-report.ts';
import { folders, PNG, read } from './folders.ts';

t.test('the record is result.json and more, under the id of the run', async (t) => {
  const { reports, runs, workdir } = folders(t);
  const path = keepRun(reports, aReport(PASS, { workdir }), { night: '2026-04-02', known: null });
  t.equal(path, join(runs, 'r-1.json'));
  t.same(readdirSync(runs), ['r-1.json'], 'and nothing beside it');
  const record = read(path);
  t.match(record, { schema: 2, status: 'PASS', runId: 'r-1', image: { nonZeroBlocks: 2 }, result: { vm: 'v-1' } });
  t.match(record.history, { schema: 1, night: '2026-04-02', known: null, console: { frames: [], text: null } });
});

t.test('what is there is never replaced, whoever comes second', async (t) => {
  const { reports, runs, workdir } = folders(t);
  const first = stageRun(reports, aReport(PASS, { workdir }));
  writeFileSync(join(runs, 'r-1.json'), 'another writer');
  t.throws(() => first.keep(), { code: 'EEXIST' });
  first.discard();
  t.throws(() => keepRun(reports, aReport(PASS, { workdir })), { code: 'EEXIST' });
  t.equal(readFileSync(join(runs, 'r-1.json'), 'utf8'), 'another writer');
  t.same(readdirSync(runs), ['r-1.json'], 'nothing of the others stays');
});

t.test('until it has its name there is no record, and one that is given up leaves nothing', async (t) => {
  const { reports, runs, workdir } = folders(t);
  writeFileSync(join(workdir, 'console/001-boot.png'), PNG);
  const staged = stageRun(reports, aReport(PASS, { workdir }));
  t.notOk(readdirSync(runs).some((name) => !name.startsWith('.')));
  staged.discard();
  t.same(readdirSync(runs), []);
});

t.test('no secret, and no run id that is a path', async (t) => {
  const { reports, workdir } = folders(t);
  const secret = new Secret('planted"secret/of+a=run');
  const repeat = `npm run -s phase9 -- --label ${secret.reveal()}`;
  const text = readFileSync(keepRun(reports, aReport(PASS, { workdir, repeat })), 'utf8');
  t.notMatch(text, 'planted');
  t.match(text, '[secret]');
  t.throws(() => keepRun(reports, aReport(PASS, { workdir, runId: '../r' })), /a run id that is a file name/);
});

t.test(
  'the evidence behind each check: long where it did not hold, and a line that is cut off is passed over',
  async (t) => {
    const { reports, workdir } = folders(t);
    const command = {
      exit: 3,
      durationMs: 12.4,
      stderr: 'no such file',
      truncated: true,
      timedOut: false,
      transport: null,
    };
    const line = (sequence: number, kind: string, name: string, data: unknown): string =>
      JSON.stringify({ sequence, at: '2026-04-02T00:00:00.000Z', sinceStartMs: 1, kind, name, data });
    const facts = { probe: 'ready-marker', kind: 'absent', content: 'x'.repeat(9_000) };
    const lines = [
      line(1, 'command', 'ready-marker', command),
      line(2, 'observation', 'ready-marker', { state: 'seen', facts }),
      line(3, 'command', 'uname', command),
      line(4, 'observation', 'uname', { state: 'unseen', reason: 'cut: no end line' }),
      line(5, 'observation', 'sshd-status', { state: 'seen', facts: { content: 'y'.repeat(900) } }),
      '{"sequence":6,"at":"2026',
    ];
    writeFileSync(join(workdir, 'evidence.ndjson'), lines.join('\n'));
    const checks = [
      check('ready_marker', { outcome: 'failed' }),
      check('uname_output', { outcome: 'unobserved', evidence: 'evidence.ndjson#4' }),
      check('sshd_status', { evidence: 'evidence.ndjson#5' }),
      check('cut', { evidence: 'evidence.ndjson#6' }),
      check('nowhere', { evidence: '' }),
    ] as const;
    const { evidence } = read(keepRun(reports, aReport({ status: 'PASS', checks: [...checks] }, { workdir }))).history;
    t.same(Object.keys(evidence), ['2', '4', '5']);
    t.match(evidence[2], { facts: { kind: 'absent', content: /^x{4000} …$/ }, unseen: '' });
    t.notOk('probe' in evidence[2].facts);
    t.same(evidence[2].command, { exit: 3, ms: 12, stderr: 'no such file', flaw: 'cut' });
    t.match(evidence[4], { facts: null, unseen: 'cut: no end line' });
    t.match(evidence[5], { facts: { content: /^y{400} …$/ }, command: null });
  },
);

t.test('no workdir any more: the record says less, and is kept', async (t) => {
  const { reports } = folders(t);
  t.ok(existsSync(keepRun(reports, aReport())));
});

t.test('what a writer left that was killed goes after a day, and nothing else does', async (t) => {
  const { reports, runs, workdir } = folders(t);
  keepRun(reports, aReport(PASS, { workdir }));
  const [old, young] = ['.r-0.77.part', '.r-2.78.part'];
  for (const name of [old, young, '.somebodys.part', 'r-3.part']) writeFileSync(join(runs, name), '{');
  mkdirSync(join(runs, '.r-0.77.console.part'));
  writeFileSync(join(runs, '.r-0.77.console.part', '1.png'), PNG);
  const report = aReport(PASS, { workdir, runId: 'r-9' });
  const yesterday = new Date(Date.parse(report.startedAt) - 25 * 3_600_000);
  for (const name of readdirSync(runs)) if (name !== young) utimesSync(join(runs, name), yesterday, yesterday);
  keepRun(reports, report);
  t.same(readdirSync(runs).sort(), [young, '.somebodys.part', 'r-1.json', 'r-3.part', 'r-9.json']);
});

t.test('a disk that is full keeps nothing of it, not even half', async (t) => {
  const { reports, runs, workdir } = folders(t);
  mkdirSync(runs, { recursive: true });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8k', 'tmpfs', runs], { stdio: 'ignore' });
  } catch {
    t.pass('# SKIP a small file system cannot be mounted here');
    return;
  }
  try {
    writeFileSync(join(workdir, 'console', 'serial.txt'), 'x'.repeat(9_000));
    t.throws(() => keepRun(reports, aReport(PASS, { workdir })), { code: 'ENOSPC' });
    t.same(readdirSync(runs), []);
  } finally {
    execFileSync('umount', ['-l', runs]);
  }
});
