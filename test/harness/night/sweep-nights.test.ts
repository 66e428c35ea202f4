/** `sweep --nights` as far as it asks no lab: what is refused, and nights that leave nothing to ask for. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { sweep } from '../../../harness/commands/sweep.ts';
import { writeNightMark } from '../../../harness/night/night-folder.ts';
import { placeOf } from '../../../harness/process-place.ts';
import { callCommand } from '../../command-call.ts';

const root = mkdtempSync(join(tmpdir(), 'bw-sweep-nights-'));
t.teardown(() => rmSync(root, { recursive: true }));
const labFile = join(root, 'lab.toml');
const token = join(root, 'token');
writeFileSync(token, 'x'.repeat(43));
// Nobody listens there.
writeFileSync(labFile, `[xo]\nurl = "http://127.0.0.1:9"\ntoken_file = "${token}"\n`);

function night(name: string, labs: readonly (readonly string[])[], process: object | null, run?: string): string {
  const dir = join(root, name);
  const workdir = join(dir, 'phase9.a.pool1/attempt-1/run/a-1');
  mkdirSync(workdir, { recursive: true });
  writeNightMark(dir, '2026-01-01T00:00:00Z', { labs });
  if (process !== null) writeFileSync(join(workdir, '../../process.json'), JSON.stringify(process));
  if (run !== undefined) writeFileSync(join(workdir, 'log.ndjson'), `{"run":"${run}"}\n`);
  return dir;
}

t.test('misuse is one sentence', async (t) => {
  const gone = night('lab-gone', [['--lab', join(root, 'gone.toml')]], null, 'r');
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
  const dir = night('nothing', [['--lab', labFile]], null);
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
  const dir = night('unreachable', [['--lab', labFile]], null, 'run-9');
  t.match(await callCommand(sweep, '--nights', dir), { code: 3, stderr: /^HEAD http:.*ECONNREFUSED/ });
});
