/** `sweep --nights` as far as it asks no lab: what is refused, and nights that leave nothing to ask for. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { sweep } from '../../../harness/commands/sweep.ts';
import { Deadline } from '../../../harness/deadline.ts';
import { writeNightMark } from '../../../harness/night/night-folder.ts';
import { sweepWithLate } from '../../../harness/night/sweep-late.ts';
import { placeOf } from '../../../harness/process/process-place.ts';
import { callCommand } from '../../command-call.ts';

const root = mkdtempSync(join(tmpdir(), 'bw-sweep-nights-'));
t.teardown(() => rmSync(root, { recursive: true }));
const labFile = join(root, 'lab.toml');
const token = join(root, 'token');
writeFileSync(token, 'x'.repeat(43));
// Nobody listens there.
writeFileSync(labFile, `[xo]\nurl = "http://127.0.0.1:9"\ntoken_file = "${token}"\n`);

/** It has ended: its pid is another one's now. */
const GONE = { ...placeOf(), startTicks: '1' };

function night(
  name: string,
  labs: readonly (readonly string[])[] | undefined,
  process: object | null,
  run?: string,
): string {
  const dir = join(root, name);
  const workdir = join(dir, 'phase9.a.pool1/attempt-1/run/a-1');
  mkdirSync(workdir, { recursive: true });
  writeNightMark(dir, '2026-01-01T00:00:00Z', { labs });
  if (process !== null) writeFileSync(join(workdir, '../../process.json'), JSON.stringify(process));
  if (run !== undefined) writeFileSync(join(workdir, 'log.ndjson'), `{"run":"${run}"}\n`);
  return dir;
}

t.test('misuse is one sentence', async (t) => {
  const gone = night('lab-gone', [['--lab', join(root, 'gone.toml')]], GONE, 'r');
  const rows = [
    [['--nights', labFile], /--nights: expected the folder of a night, or one of nights, given \//],
    [['--nights', root, '--lab', labFile], /--nights: expected no --lab beside it: .*, given --lab/],
    [['--run-id', 'x', '--nights', root], /--nights: expected no --run-id beside it/],
    [['--nights', gone], /gone\.toml/],
  ] as const;
  for (const [args, says] of rows) t.match(await callCommand(sweep, ...args), { code: 2, stderr: says });
});

t.test('where no night was begun, or its cases came to nothing, no lab is asked', async (t) => {
  const nowhere = await callCommand(sweep, '--nights', join(root, 'nowhere'));
  t.match(nowhere, { code: 0, stdout: /nowhere: no night was begun here, nothing to take back\n$/ });
  const dir = night('nothing', [['--lab', labFile]], GONE);
  t.match(await callCommand(sweep, '--nights', dir), { code: 0, stdout: /^1 nights: no run came so far/ });
});

t.test('a run that may still run elsewhere is not swept, and that is no good end', async (t) => {
  const dir = night('elsewhere', [['--lab', labFile]], { ...placeOf(), host: 'runner-2' }, 'run-7');
  const told = /^NOT SWEPT phase9\.a\.pool1\/attempt-1, run run-7: it may still run on runner-2, as process \d+ /;
  t.match(await callCommand(sweep, '--nights', dir), { code: 3, stdout: told });
});

t.test('a dry run ends nobody, and takes nothing from who lives', async (t) => {
  // This very process: it would not live through being asked to end.
  const dir = night('alive', [['--lab', labFile]], placeOf(), 'run-8');
  const told = /^NOT SWEPT .*, run run-8: it still runs as process \d+\n$/;
  t.match(await callCommand(sweep, '--nights', dir, '--dry-run'), { code: 3, stdout: told });
});

t.test('a lab that cannot be asked is exit code 3', async (t) => {
  const dir = night('unreachable', [['--lab', labFile]], GONE, 'run-9');
  t.match(await callCommand(sweep, '--nights', dir), { code: 3, stderr: /^HEAD http:.*ECONNREFUSED/ });
});

t.test('a run whose process nobody wrote down is not swept', async (t) => {
  const dir = night('unnamed', [['--lab', labFile]], null, 'run-10');
  const told = /^NOT SWEPT .*, run run-10: it may still run: nobody wrote down as which process\n$/;
  t.match(await callCommand(sweep, '--nights', dir), { code: 3, stdout: told });
});

t.test('a lab that is gone does not keep the others from being swept', async (t) => {
  const dir = night(
    'one-gone',
    [
      ['--lab', join(root, 'gone.toml')],
      ['--lab', labFile],
    ],
    GONE,
    'run-11',
  );
  const { code, stdout, stderr } = await callCommand(sweep, '--nights', dir);
  t.equal(code, 2);
  t.match(stderr, /gone\.toml/);
  t.match(stdout, /^http:\/\/127\.0\.0\.1:9: 1 runs of 1 nights$/m);
});

t.test('each user of one Xen Orchestra is asked, and each once', async (t) => {
  const other = join(root, 'other.toml');
  writeFileSync(join(root, 'token-2'), 'y'.repeat(43));
  writeFileSync(other, readFileSync(labFile, 'utf8').replace(token, join(root, 'token-2')));
  const again = join(root, 'again.toml');
  writeFileSync(again, readFileSync(labFile, 'utf8'));
  const labs = [labFile, other, again].map((file) => ['--lab', file]);
  const { code, stdout } = await callCommand(sweep, '--nights', night('two-users', labs, GONE, 'run-12'));
  t.equal(code, 3);
  t.equal(stdout.match(/^http:\/\/127\.0\.0\.1:9: 1 runs of 1 nights$/gm)?.length, 2);
});

t.test('runs of which no lab is known are told: embedded ones are well, others are not', async (t) => {
  const embedded = night('embedded', [], GONE, 'run-13');
  const well = /embedded: 1 runs, on embedded labs only, which ended with them\n$/;
  t.match(await callCommand(sweep, '--nights', embedded), { code: 0, stdout: well });
  const told = /^NOT SWEPT .*\/unknown: nobody wrote down on which labs its 1 runs were; sweep each by --lab\n$/;
  t.match(await callCommand(sweep, '--nights', night('unknown', undefined, GONE, 'run-14')), { code: 3, stdout: told });
});

t.test('it looks again while something may come, and tells whose that is', async (t) => {
  let nowMs = 0;
  const clock = {
    nowMs: () => nowMs,
    sleep: async (ms: number) => {
      nowMs += ms;
    },
  };
  const swept = (until: number) =>
    sweepWithLate({
      deadline: Deadline.after(600_000, new AbortController().signal, clock),
      sweep: async () => ({ removed: [`at ${nowMs}`], stayed: [], left: [] }),
      pending: () => (nowMs < until ? ['run-15'] : []),
    });
  t.same(await swept(6_000), { swept: { removed: ['at 0', 'at 3000', 'at 6000'], stayed: [], left: [] }, late: [] });
  nowMs = 0;
  t.match(await swept(120_000), { late: ['run-15'] });
  t.equal(nowMs, 60_000);
});
