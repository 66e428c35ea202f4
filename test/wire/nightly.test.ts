/**
 * Nights as a CI runs them: processes on one lab that is a process, too. Two nights that know nothing of each other,
 * one that is killed, a lab that refuses everybody, a fault of the lab that passes. Guests are simulated.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { labFileOf, night, planOf, root, simulated, write } from './night-process.ts';

const SCHEMA = fileURLToPath(new URL('../harness/reporters/fixtures/junit.xsd', import.meta.url));

/** How many guests were on at a time at the most, by the lab's own log. */
function mostAtATime(said: string): number {
  let [now, most] = [0, 0];
  for (const line of said.split('\n')) {
    if (/^VM bootwitness .*: started in /.test(line)) most = Math.max(most, ++now);
    if (/^VM bootwitness .*: off: /.test(line)) now--;
  }
  return most;
}

const SLOW = { answers: { 'guest-identity': { delayMs: 700 } } };
const runsIn = (
  reports: string,
): readonly { history: { night: string; known: unknown }; verdict: { status: string } }[] =>
  readdirSync(join(root, reports, 'runs'))
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(join(root, reports, 'runs', name), 'utf8')));

t.test('two nights share a pool: never more guests than it may have, and all pass', async (t) => {
  const lab = await simulated(t, SLOW, '--slots', '8');
  const labFile = labFileOf(lab, 'max_guests = 2');
  const junit = join(root, 'junit.xml');
  const [one, two] = await Promise.all([
    night(planOf(labFile, { images: 3, name: 'one' }), { args: ['--junit', junit] }),
    night(planOf(labFile, { images: 2, name: 'two' }), { cache: 'cache-2' }),
  ]);
  t.equal(one.code, 0, one.stderr);
  t.equal(two.code, 0, two.stderr);
  t.equal(mostAtATime(lab.said()), 2, 'two at a time, by its own log, and no more');
  t.equal((lab.said().match(/: started in /g) ?? []).length, 5);
  t.match(one.stdout, /^TAP version 14\nok 1 - phase9.reference0.pool$/m);
  t.match(one.stdout, /^1\.\.3$/m);
  const runs = runsIn('reports');
  t.equal(runs.length, 5, 'each case is in the history');
  t.same(new Set(runs.map(({ history }) => history.night.replace(/-\d{4}-.*/, ''))), new Set(['one', 'two']));
  const [folder = ''] = readdirSync(join(root, 'state', 'bootwitness', 'nights'));
  t.ok(existsSync(join(root, 'state', 'bootwitness', 'nights', folder, 'night.json')));
  t.equal(spawnSync('xmllint', ['--noout', '--schema', SCHEMA, junit]).status, 0, 'valid (setup.sh brings xmllint)');
});

t.test('a night that is killed with its cases frees its place: on its machine at once', async (t) => {
  const lab = await simulated(t, { answers: { 'guest-identity': { delayMs: 3_000 } } });
  const labFile = labFileOf(lab, 'max_guests = 1\nticket_wait_s = 2');
  const plan = planOf(labFile, { images: 2, more: 'retries = 0' });
  const registry = join(root, 'cache-k', 'runs');
  let killed = false;
  const first = await night(plan, {
    cache: 'cache-k',
    args: ['--reports-dir', 'none'],
    onStderr: (all, pid) => {
      if (killed || !all.includes('begins')) return;
      killed = true;
      const kill = setInterval(() => {
        if (!/started in/.test(lab.said())) return;
        clearInterval(kill);
        process.kill(pid, 'SIGKILL');
        for (const file of readdirSync(registry)) {
          process.kill(JSON.parse(readFileSync(join(registry, file), 'utf8')).pid, 'SIGKILL');
        }
      }, 50);
    },
  });
  t.equal(first.code, null, 'killed');
  const elsewhere = await night(plan, { cache: 'cache-l', args: ['--reports-dir', 'none', '--cases', '*reference0*'] });
  t.equal(elsewhere.code, 3, 'another machine cannot know that it is dead, and waits');
  t.match(elsewhere.stderr, /NO_FREE_TICKET/);
  const again = await night(plan, { cache: 'cache-k', args: ['--reports-dir', 'none', '--cases', '*reference0*'] });
  t.notMatch(again.stderr, /NO_FREE_TICKET/, 'this machine sweeps guest and ticket first');
  t.equal(mostAtATime(lab.said()), 1);
});

t.test('what refuses one case refuses all: they end at once, and the history has them', async (t) => {
  const lab = await simulated(t, SLOW);
  const token = write('wrong.token', 'x'.repeat(43));
  const file = write(
    'refusing.toml',
    readFileSync(lab.labFile, 'utf8').replace(/token_file = .*/, `token_file = "${token}"`),
  );
  const { code, stdout, stderr } = await night(
    planOf(file, { images: 4, more: 'retries = 3', ofLab: 'parallel = 1' }),
    {
      args: ['--reports-dir', join(root, 'refused')],
    },
  );
  t.equal(code, 3, stderr);
  t.equal((stderr.match(/: begins/g) ?? []).length, 1, 'one case was begun');
  t.match(stderr, /pool: XO_SIGN_IN_REFUSED concerns the whole lab: its remaining cases end with it/);
  t.equal((stdout.match(/^not ok /gm) ?? []).length, 4);
  t.equal((stdout.match(/seen\s+by\s+phase9.reference0.pool;\s+this\s+case\s+did\s+not/g) ?? []).length, 3);
  t.same(
    runsIn('refused').map(({ verdict }) => verdict.status),
    ['ERROR', 'ERROR', 'ERROR', 'ERROR'],
  );
});

t.test('a fault of the lab that passes is tried again, and recorded', async (t) => {
  const lab = await simulated(t, {}, '--mishap', 'deleted-before=vm.start:once');
  const json = join(root, 'night.json');
  const { code, stderr } = await night(planOf(lab.labFile), {
    args: ['--report-json', json, '--reports-dir', join(root, 'again')],
  });
  t.equal(code, 0, stderr);
  const { cases } = JSON.parse(readFileSync(json, 'utf8'));
  t.match(cases, [{ standing: 'pass', retried: [{ cause: { code: 'VM_LOST', party: 'lab' } }] }]);
  t.same(
    runsIn('again')
      .map(({ verdict }) => verdict.status)
      .sort(),
    ['ERROR', 'PASS'],
    'both attempts are kept',
  );
});

t.test('what is known to fail does not fail the night, until it expires', async (t) => {
  const facts = { kind: 'absent', content: null };
  const lab = await simulated(t, { answers: { 'ready-marker': { facts } } });
  const entry = (expires: string) =>
    write(
      'known.toml',
      `[known.marker]\nscenario = "phase9"\nimage = "reference*"\ncheck = "ready_marker"\nreason = "moved"\n` +
        `link = "https://tracker.example/1"\nexpires = ${expires}\n`,
    );
  const plan = planOf(lab.labFile, {
    more: 'known_failures = "known.toml"',
    ofLab: 'args = ["--budget-scale", "0.1"]',
  });
  entry('2999-12-31');
  const args = ['--reports-dir', join(root, 'known')];
  const known = await night(plan, { args });
  t.equal(known.code, 0, known.stderr);
  t.match(
    known.stdout,
    new RegExp(`^not ok 1 - phase9.reference0.pool # ${'TO'}DO known until 2999-12-31: moved`, 'm'),
  );
  t.match(runsIn('known'), [
    { verdict: { status: 'FAIL' }, history: { known: { reason: 'moved', expires: '2999-12-31' } } },
  ]);
  entry('2026-01-31');
  const expired = await night(plan, { args });
  t.equal(expired.code, 1, expired.stderr);
  t.match(expired.stderr, /FAILURE: known failure marker .* has expired on 2026-01-31/);
  t.match(expired.stdout, /^not ok 1 - phase9.reference0.pool$/m);
});
