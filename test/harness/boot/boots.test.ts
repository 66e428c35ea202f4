/** Checks over several boots: each by itself in the report, one value for each of the seed's keys. */
import t from 'tap';
import { allHeld, checksOfBoots } from '../../../harness/boot/boots.ts';
import { overAllBoots } from '../../../harness/guest/over-boots.ts';
import type { Judged } from '../../../harness/guest/probing.ts';
import type { JudgedCheck, Outcome, Probe } from '../../../harness/model.ts';
import { readRequest } from '../../../harness/options/config.ts';
import { parseLabFile } from '../../../harness/options/lab-file.ts';

const check = (name: string, outcome: Outcome, actual = 'ready'): JudgedCheck => ({
  ...{ name, outcome, actual, expected: 'ready', reason: outcome === 'held' ? '' : 'x', evidence: 'evidence.ndjson#1' },
});
const probe = (name: string): Probe => ({
  ...{ name, look: 'settled', paths: [], runs: [] },
  observe: async () => ({ state: 'unseen', reason: 'not asked' }),
  expect: () => [check(name, 'held')],
});
const [ONE, TWO] = [probe('one'), probe('two')];
const SCENARIO = { probes: [ONE, TWO] };
const seen = (...checks: readonly [Probe, JudgedCheck][]): Judged =>
  new Map(
    checks.map(([each, judged]) => [each, { observation: { state: 'seen', facts: {} }, checks: [judged], tookMs: 1 }]),
  );

t.test('from the second boot on a check says which boot it is of', async (t) => {
  const boots = [seen([TWO, check('two', 'held')], [ONE, check('one', 'held')]), seen([ONE, check('one', 'failed')])];
  t.same(
    checksOfBoots(SCENARIO, boots).map(({ name }) => name),
    ['one', 'two', 'one@boot2'],
  );
});

t.test('over all boots the worst of each name counts, and the first of equals', async (t) => {
  const all = [
    ...[check('a', 'held', 'first'), check('b', 'unobserved'), check('c', 'failed', 'once')],
    ...[check('a@boot2', 'held', 'second'), check('b@boot2', 'failed', 'gone'), check('c@boot2', 'held')],
  ];
  t.match(overAllBoots(all), [
    { name: 'a', outcome: 'held', actual: 'first' },
    { name: 'b', outcome: 'failed', actual: 'gone' },
    { name: 'c', outcome: 'failed', actual: 'once' },
  ]);
});

t.test('a boot that was not looked at whole did not hold', async (t) => {
  const held = check('one', 'held');
  t.ok(allHeld(SCENARIO, seen([ONE, held], [TWO, check('two', 'held')])));
  t.notOk(allHeld(SCENARIO, seen([ONE, held])));
  t.notOk(allHeld(SCENARIO, seen([ONE, held], [TWO, check('two', 'unobserved')])));
});

t.test('how often: option, variable, lab file; anything else is misuse', async (t) => {
  const asked = (args: readonly string[], environment = {}) => readRequest(['--lab', 'x', ...args], environment);
  t.match(asked(['--boots', '2', '--time-limit', '900']), { request: { boots: 2, timeLimitS: 900 } });
  t.match(asked([], { BOOTWITNESS_BOOTS: '3' }), { request: { boots: 3, timeLimitS: null } });
  t.match(asked([]), { request: { boots: null } });
  for (const wrong of ['0', '10', '2.5', 'two', '']) {
    t.throws(() => asked([`--boots=${wrong}`]), { code: 'BAD_OPTION' }, `--boots "${wrong}"`);
  }
  t.throws(() => asked(['--time-limit', '0']), { message: /^--time-limit: expected a whole number of seconds/ });
  const file = (line: string) => parseLabFile('/lab.toml', `${line}\n[xo]\nurl = "http://x"\n`);
  t.equal(file('boots = 2').boots, 2);
  t.equal(file('').boots, null);
  t.throws(() => file('boots = 0'), { code: 'BAD_LAB_FILE' });
});
