/** What an attempt at a case came to, by what its process left on disk and how it ended. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { judge } from '../../../harness/judge.ts';
import { readAttempt } from '../../../harness/night/attempt.ts';
import { SCHEMA } from '../../../harness/report/report.ts';
import { check } from '../reporters/summaries.ts';
import { PHASES } from './phases.ts';

const dir = mkdtempSync(join(tmpdir(), 'bw-read-attempt-'));
t.teardown(() => rmSync(dir, { recursive: true, force: true }));

const PASS = judge({ checks: [check('uname', 'held')], fault: null });
const CASE = {
  ...{ name: 'phase9.i.a', phase: PHASES[0], args: ['--lab', 'a'], repeat: 'npm run -s phase9 -- --lab a' },
  image: { name: 'i', file: null, scenarios: [], expectClosure: null, sshKey: null, control: null },
  lab: { name: 'a', lab: 'a', images: [], parallel: null, args: [] },
};

t.test('a case whose process ended without a report is our bug, one that was refused the caller’s', async (t) => {
  const left = (name: string, tap: string, result: string | null) => {
    const at = join(dir, name);
    const workdir = join(at, 'run', 'x-1');
    mkdirSync(workdir, { recursive: true });
    writeFileSync(join(at, 'case.tap'), tap);
    writeFileSync(join(at, 'case.log'), 'one\ntwo\nTypeError: x\n');
    if (result !== null) writeFileSync(join(workdir, 'result.json'), result);
    return at;
  };
  const read = (name: string, code: number | null, tap: string, result: unknown, how = 'SIGKILL') =>
    readAttempt(
      left(name, tap, result === null ? null : JSON.stringify(result)),
      { code, signal: code === null ? how : null, asked: how === 'SIGTERM' },
      CASE,
    );
  const stored = { schema: SCHEMA, verdict: PASS, runId: 'r', exitCode: 0, image: null, result: null, repeat: 'again' };
  t.match(read('good', 0, '', stored), { verdict: { status: 'PASS' }, exitCode: 0, runId: 'r', repeat: /--lab a$/ });
  const killed = read('killed', null, '', null);
  t.match(killed, {
    exitCode: 70,
    verdict: { status: 'ERROR', cause: { code: 'HARNESS_BUG', message: /SIGKILL.*TypeError: x/ } },
  });
  const interrupted = { exitCode: 130, verdict: { status: 'ERROR', cause: { code: 'INTERRUPTED' } }, stored: null };
  t.match(read('early', null, '', null, 'SIGTERM'), interrupted, 'where the night asked it to end');
  t.match(read('late', null, '', stored, 'SIGTERM'), { ...interrupted, runId: 'r' });
  t.match(
    read('after', null, '', stored),
    { exitCode: 70, verdict: { status: 'ERROR' } },
    'a PASS that did not end well',
  );
  t.match(
    read('other', 70, '', stored),
    { exitCode: 70, verdict: { status: 'ERROR' } },
    'nor one with another exit code',
  );
  t.match(read('newer', 0, '', { ...stored, schema: SCHEMA + 1 }), { exitCode: 70, verdict: { status: 'ERROR' } });
  const refused = read('refused', 2, 'TAP version 14\nBail out! BAD_KEY (caller): no key\n', null);
  t.match(refused, {
    exitCode: 2,
    verdict: { status: 'ERROR', cause: { code: 'BAD_KEY', party: 'caller', message: 'no key' } },
  });
});
