/** What is known hides exactly itself, until its last day; what it says of the list is told. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { Fault, faultRecord } from '../../../harness/faults/faults.ts';
import { judge } from '../../../harness/judge.ts';
import { aboutAny, knownOf, parseKnownFailures, remarksOn } from '../../../harness/night/known-failures.ts';
import { check } from '../reporters/summaries.ts';

const COMMANDS = ['phase9', 'phase11'];
const ENTRY = `[known.one]
scenario = "phase9"
image = "fruix-*"
check = "ready"
reason = "it moved"
link = "https://tracker.example/1"
expires = 2026-12-31
`;
const parse = (text: string) => parseKnownFailures('/p/known.toml', text, COMMANDS);
const failing = (...names: readonly string[]) =>
  judge({ checks: [check('uname', 'held'), ...names.map((name) => check(name, 'failed'))], fault: null });
const HERE = { scenario: 'phase9', image: 'fruix-main' };
const [LAST_DAY, DAY_AFTER] = ['2026-12-31', '2027-01-01'];

t.test('the example is a list', async (t) => {
  const file = fileURLToPath(new URL('../../../plans/known-failures.example.toml', import.meta.url));
  t.match(parseKnownFailures(file, readFileSync(file, 'utf8'), COMMANDS), [
    { name: 'sshd-slow-start', scenario: 'phase9', image: 'fruix-*', check: 'sshd_status', expires: '2026-12-31' },
  ]);
});

t.test('an entry covers its check, of its scenario, with its images, until its last day', async (t) => {
  const known = parse(ENTRY);
  const covered = (of: typeof HERE, verdict: ReturnType<typeof judge>, today = LAST_DAY) =>
    knownOf(known, of, verdict, today).map((note) => note.check);
  t.same(covered(HERE, failing('ready')), ['ready']);
  t.same(covered(HERE, failing('ready', 'sshd')), ['ready'], 'and nothing of the other');
  t.same(covered(HERE, failing('sshd')), []);
  t.same(covered(HERE, failing('ready@boot2')), [], 'another boot is another check');
  t.same(covered({ ...HERE, scenario: 'phase11' }, failing('ready')), []);
  t.same(covered({ ...HERE, image: 'other' }, failing('ready')), []);
  t.same(covered(HERE, failing('ready'), DAY_AFTER), [], 'expired');
  const lost = judge({ checks: [check('ready', 'failed')], fault: faultRecord(new Fault('XO_UNREACHABLE', 'x')) });
  t.same(covered(HERE, lost), [], 'an ERROR is no failure of the image');
  const panicked = judge({ checks: [], fault: faultRecord(new Fault('GUEST_PANICKED', 'x')) });
  t.same(covered(HERE, panicked), []);
  const panic = parse(ENTRY.replace('"ready"', '"GUEST_PANICKED"'));
  t.same(
    knownOf(panic, HERE, panicked, LAST_DAY).map((note) => note.check),
    ['GUEST_PANICKED'],
  );
});

t.test('where only some of the plan runs, entries about none of it tell nothing', async (t) => {
  const known = parse(ENTRY);
  t.same(aboutAny(known, [{ ...HERE, image: 'other' }, HERE]), known);
  t.same(aboutAny(known, [{ ...HERE, image: 'other' }]), []);
});

t.test('what has expired, passes unexpectedly or is about nothing is told', async (t) => {
  const told = (text: string, cases: Parameters<typeof remarksOn>[1], today = LAST_DAY) =>
    remarksOn(parse(text), cases, today).map((remark) => `${remark.level}: ${remark.text}`);
  const here = { ...HERE, name: 'phase9.fruix-main.pool' };
  const passing = judge({ checks: [check('uname', 'held'), check('ready', 'held')], fault: null });
  t.same(told(ENTRY, [{ ...here, verdict: failing('ready') }]), [], 'as expected');
  const [expired = ''] = told(ENTRY, [{ ...here, verdict: failing('ready') }], DAY_AFTER);
  t.match(
    expired,
    /^failure: known failure one \(ready of phase9 with fruix-\*, https:.*\) has expired on 2026-12-31:/,
  );
  t.match(told(ENTRY, [{ ...here, verdict: passing }]), [
    /^warning: .*: it passes unexpectedly in phase9.fruix-main.pool/,
  ]);
  t.match(told(ENTRY, [{ ...here, verdict: failing('sshd') }]), [], 'a check that was not reached tells nothing');
  const alsoHeld = judge({ checks: [check('ready', 'held'), check('sshd', 'failed')], fault: null });
  t.match(told(ENTRY, [{ ...here, verdict: alsoHeld }]), [/passes unexpectedly/], 'beside another failure, too');
  t.match(told(ENTRY.replace('"ready"', '"raedy"'), [{ ...here, verdict: passing }]), [/there is no such check/]);
  t.match(told(ENTRY, []), [/^warning: .*: no case of the plan is of that kind/]);
  t.same(told(ENTRY, [{ ...here, verdict: null }]), [], 'it did not run');
  const panic = ENTRY.replace('"ready"', '"GUEST_PANICKED"');
  t.match(told(panic, [{ ...here, verdict: passing }]), [/passes unexpectedly/]);
});

t.test('what is wrong is told in one sentence, with its line', async (t) => {
  const rows: readonly (readonly [RegExp | string, string, RegExp])[] = [
    [
      'scenario = "phase9"',
      'scenario = "phase8"',
      /line 2: known.one.scenario: expected phase9 or phase11, given "phase8"/,
    ],
    [/^image.*$/m, '', /known.one.image: expected a pattern of images/],
    [/^reason.*$/m, 'reason = ""', /line 5: known.one.reason: expected a text that is not empty/],
    ['https://tracker.example/1', 'later', /line 6: known.one.link: expected a URL, given "later"/],
    [/^expires.*$/m, '', /known.one.expires: expected the last day on which it counts, as 2026-12-31, given nothing/],
    ['2026-12-31', '"soon"', /line 7: known.one.expires: expected the last day/],
    ['2026-12-31', '2026-13-31', /known.toml, line 7/],
    [
      '2026-12-31',
      '2026-02-30',
      /line 7: no day of the calendar, known.one.expires: expected the last day .*, given "2026-02-30"$/,
    ],
    ['2026-12-31', '2027-02-29 # 2027-02-28 is the last', /line 7: no day of the calendar/],
    ['2026-12-31', '10:00:00', /line 7: .*known.one.expires: expected the last day/],
    [
      '"ready"',
      '"XO_UNREACHABLE"',
      /line 4: known.one.check: expected the name of a check, or a fault that is the image/,
    ],
    ['"ready"', '"CHECKS_FAILED"', /known.one.check/],
    ['"ready"', '"*"', /known.one.check/],
    ['reason', 'because', /unknown key known.one.because/],
    ['[known.one]', '[[known]]', /known: expected a table/],
  ];
  for (const [from, to, message] of rows) {
    t.throws(() => parse(ENTRY.replace(from, to)), { code: 'BAD_PLAN', message });
  }
});
