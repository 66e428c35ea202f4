/** A night that is interrupted: what runs ends in good order, what did not begin is not run, and both are told. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type LabProcess, startLab } from '../lab-process.ts';
import { labFileOf, night, planOf, root, simulated } from './night-process.ts';

const HANGING = { answers: { 'guest-identity': { hang: true } } };
const one = (labFile: string) => planOf(labFile, { images: 3, more: 'retries = 2' });
/** What comes earlier is the same press of a key. */
const ANOTHER_PRESS_MS = 1_000;
const head = 'max_guests = 1';

/** Sends it when something was said, once; what is said elsewhere is looked for each 50 ms. */
function signalWhen(said: () => boolean, signal: NodeJS.Signals, then?: (pid: number) => void) {
  let begun = false;
  return (all: string, pid: number): void => {
    if (begun || !all.includes('begins')) return;
    begun = true;
    const wait = setInterval(() => {
      if (!said()) return;
      clearInterval(wait);
      process.kill(pid, signal);
      then?.(pid);
    }, 50);
  };
}

/** The cases that stand in the night's own file; null: it was not written to its end. */
function casesOf(stderr: string): readonly { readonly standing: string }[] | null {
  const dir = / night: (.*)$/m.exec(stderr)?.[1] ?? '';
  const { ended, summary } = JSON.parse(readFileSync(join(dir, 'night.json'), 'utf8'));
  return ended === true ? summary.cases : null;
}

const startedIn = (lab: LabProcess): boolean => /started in/.test(lab.said());

t.test('a signal in the middle: its case is cleaned up, the others are not run, all is told, 130', async (t) => {
  const lab = await simulated(t, HANGING);
  const [json, junit, reports] = ['json', 'junit', 'reports'].map((name) => join(root, `in-the-middle.${name}`));
  const { code, stdout, stderr } = await night(one(labFileOf(lab, head)), {
    cache: 'cache-1',
    args: ['--report-json', String(json), '--junit', String(junit), '--reports-dir', String(reports)],
    onStderr: signalWhen(() => startedIn(lab), 'SIGINT'),
  });
  t.equal(code, 130, stderr);
  t.match(stderr, /SIGINT: stopping; the cases that run clean up; once more leaves at once/);
  t.equal((stderr.match(/: begins/g) ?? []).length, 1, 'nothing is begun any more, and nothing is tried again');
  t.match(stderr, /phase9\.reference0\.pool: ERROR: INTERRUPTED/);
  t.match(stderr, /phase9\.reference1\.pool: SKIP: the night was interrupted before it was its turn/);
  t.match(stderr, /3 cases: 1 error, 2 skip; exit code 130/);
  t.match(stdout, /^not ok 1 - phase9\.reference0\.pool$/m);
  t.match(stdout, /^ok 3 - phase9\.reference2\.pool # SKIP the night was interrupted/m);
  t.match(stdout, /^1\.\.3$/m);
  const { cases, exitCode } = JSON.parse(readFileSync(String(json), 'utf8'));
  t.equal(exitCode, 130);
  t.match(cases, [{ verdict: { cause: { code: 'INTERRUPTED' } }, leaked: [] }, { standing: 'skip' }, {}]);
  t.match(readFileSync(String(junit), 'utf8'), /<skipped/);
  t.equal(casesOf(stderr)?.length, 3);
  t.equal((lab.said().match(/: started in /g) ?? []).length, 1);
  t.match(lab.said(), /^VM bootwitness .*: off: /m, 'its guest is gone');
  t.same(readdirSync(join(root, 'cache-1', 'runs')), [], 'and nothing is left to be swept');
  t.equal(readdirSync(join(String(reports), 'runs')).length, 1, 'what ran is in the history');
});

t.test('a signal before its case could listen is an interrupt, too, and no bug', async (t) => {
  const lab = await simulated(t, HANGING);
  const { code, stdout, stderr } = await night(one(labFileOf(lab, head)), {
    cache: 'cache-2',
    args: ['--reports-dir', 'none'],
    onStderr: signalWhen(() => true, 'SIGTERM'),
  });
  t.equal(code, 130, stderr);
  t.match(stderr, /phase9\.reference0\.pool: ERROR: INTERRUPTED/);
  t.notMatch(stdout, /HARNESS_BUG/);
  t.notOk(startedIn(lab));
});

t.test('a second signal leaves at once, with its cases', async (t) => {
  const lab = await startLab('--backend', 'simulated', '--mishap', 'stall=vm.delete', '--mishap', 'dead-network');
  t.teardown(() => lab.stop());
  let secondMs = 0;
  const { code, stdout, stderr } = await night(one(labFileOf(lab, head)), {
    cache: 'cache-3',
    args: ['--reports-dir', 'none'],
    onStderr: signalWhen(
      () => startedIn(lab),
      'SIGINT',
      (pid) => {
        const firstMs = performance.now();
        const again = setInterval(() => {
          if (!/mishap stall: vm\.delete/.test(lab.said()) || performance.now() - firstMs < ANOTHER_PRESS_MS) return;
          clearInterval(again);
          secondMs = performance.now();
          process.kill(pid, 'SIGINT');
        }, 50);
      },
    ),
  });
  t.equal(code, 130, stderr);
  t.ok(performance.now() - secondMs < 5_000, 'at once');
  t.equal(stdout, '');
  t.equal(casesOf(stderr), null, 'the night is not told as one that ended');
  const dir = / night: (.*)$/m.exec(stderr)?.[1] ?? '';
  const log = join(dir, 'phase9.reference0.pool', 'attempt-1', 'case.log');
  t.ok(existsSync(log));
  const left = (): string => readFileSync(log, 'utf8');
  for (let nth = 0; nth < 100 && !/left at once/.test(left()); nth++) await new Promise((done) => setTimeout(done, 50));
  t.match(left(), /left at once; what this run created may have stayed: .* sweep/);
});
