/** JUnit XML that readers take, Markdown in which nothing of a guest is markup, and what each ending counts as. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { judge } from '../../../harness/judge.ts';
import { nightCodeOf, pointsOf, standing } from '../../../harness/report/summary.ts';
import { junitText } from '../../../harness/reporters/junit.ts';
import { markdownText, plain } from '../../../harness/reporters/markdown.ts';
import { tapNight } from '../../../harness/reporters/tap.ts';
import { Secret } from '../../../harness/workdir/secrets.ts';
import * as made from './summaries.ts';

const SCHEMA = fileURLToPath(new URL('fixtures/junit.xsd', import.meta.url));

/** What xmllint has against it; empty: nothing. */
function complaints(xml: string): string {
  const { status, stderr } = spawnSync('xmllint', ['--noout', '--schema', SCHEMA, '-'], {
    input: xml,
    encoding: 'utf8',
  });
  return status === 0 ? '' : stderr;
}

const xpath = (xml: string, expression: string): string =>
  spawnSync('xmllint', ['--xpath', expression, '-'], { input: xml, encoding: 'utf8' }).stdout.trim();

t.test('each ending counts as what it is', async (t) => {
  const { PASSED, FAILED, KNOWN, PANICKED, LOST, UNSEEN, LEAKED, SKIPPED } = made;
  t.same([PASSED, FAILED, KNOWN, PANICKED].map(standing), ['pass', 'fail', 'known', 'fail']);
  t.same([LOST, UNSEEN, LEAKED, SKIPPED].map(standing), ['error', 'error', 'leak', 'skip']);
});

t.test('what is known hides nothing else', async (t) => {
  const failing = (more: Parameters<typeof made.check>) => {
    const checks = [made.check('ready', 'failed'), made.check(...more)];
    return made.caseOf('x', { verdict: judge({ checks, fault: null }), exitCode: 1, known: [made.note] });
  };
  t.equal(standing(failing(['uname', 'held'])), 'known');
  t.equal(standing(failing(['uname', 'failed'])), 'fail', 'another failure');
  t.equal(standing(failing(['uname', 'unobserved'])), 'error', 'something that could not be seen');
  t.equal(standing({ ...made.KNOWN, leaked: ['VM 1'] }), 'leak');
  t.equal(standing({ ...made.PANICKED, known: [made.note] }), 'fail', 'a panic beside a known check');
  t.equal(standing({ ...made.LOST, known: [{ ...made.note, check: 'XO_UNREACHABLE' }] }), 'error', 'an ERROR');
  const codes = [
    ...[made.KNOWN, { ...made.KNOWN, leaked: ['VM 1'] }, failing(['uname', 'unobserved'])],
    ...[failing(['uname', 'failed']), made.LOST, made.PASSED],
  ];
  t.equal(nightCodeOf({ ...made.KNOWN, exitCode: 3 }), 3, 'a report that was lost');
  t.equal(nightCodeOf({ ...made.KNOWN, exitCode: 70 }), 70, 'a bug of ours');
  t.same(codes.map(nightCodeOf), [0, 3, 3, 1, 3, 0], 'what is left beside a known failure blames no image');
});

t.test('a case has a point at least, and an ERROR one that is an error', async (t) => {
  for (const each of made.ALL) t.ok(pointsOf(each).length > 0, each.name);
  t.same(
    pointsOf(made.LOST).map(({ name, state }) => `${name} ${state}`),
    ['uname held', 'verdict error'],
  );
});

t.test('JUnit XML is valid by the schema', async (t) => {
  const remarks = [
    { level: 'failure', text: `expired ${made.HOSTILE}` },
    { level: 'warning', text: 'unexpected pass' },
  ] as const;
  for (const each of made.ALL) t.equal(complaints(junitText(made.summary([each]))), '', each.name);
  const xml = junitText(made.summary(made.ALL, remarks));
  t.equal(complaints(xml), '');
  t.equal(complaints(junitText(made.summary([]))), '', 'a night without cases');
  t.equal(xpath(xml, 'count(//failure)'), xpath(xml, 'sum(//testsuite/@failures)'));
  t.equal(xpath(xml, 'count(//error)'), xpath(xml, 'sum(//testsuite/@errors)'));
  t.equal(xpath(xml, 'count(//testcase)'), xpath(xml, 'sum(//testsuite/@tests)'));
  const suite = (name: string, what: string) => xpath(xml, `count(//testsuite[@name="phase9/${name}/pool1"]//${what})`);
  t.same([suite('bad', 'failure'), suite('bad', 'error')], ['1', '0'], 'FAIL is a failure');
  t.same([suite('panicked', 'failure'), suite('panicked', 'error')], ['1', '0'], 'FAIL without a check, too');
  t.same([suite('lost', 'failure'), suite('lost', 'error')], ['0', '1'], 'ERROR is an error');
  t.same([suite('known', 'failure'), suite('known', 'skipped')], ['0', '1'], 'what is known is neither');
  t.match(xpath(xml, 'string(//testsuite[@name="phase9/bad/pool1"]//failure)'), 'alert(1)</script>', 'text as it was');
});

t.test('the schema has something against what is wrong', async (t) => {
  const xml = junitText(made.summary([made.FAILED]));
  t.match(complaints(xml.replaceAll('failure', 'fault')), /fault/);
  t.match(complaints(xml.replace(/ tests="\d+"/, '')), /tests/);
  t.match(complaints(xml.replace('time="', 'time="a')), /time/);
  t.match(complaints(xml.replace('<testsuites>', '<testsuites name="x">')), /name/, 'as Ant has it');
  t.match(complaints(xml.replace('<system-err/>', '')), /system-err/);
  t.match(complaints(xml.replace('</testsuites>', '')), /parser error/);
});

t.test('in Markdown nothing of a guest is markup', async (t) => {
  const text = markdownText(made.summary(made.ALL, [{ level: 'failure', text: made.HOSTILE }]));
  t.notMatch(text, /<script|\[b\]|`a`|@d/);
  const rows = text.split('\n').filter((line) => line.startsWith('| '));
  t.equal(rows.length, made.ALL.length + 2, 'no text makes a row, or breaks one');
  for (const row of rows) t.equal(row.split('|').length, 8, row);
  const order = rows.slice(2).map((row) => row.split('|')[1]?.trim().split(' ').slice(1).join(' '));
  t.same(order.slice(0, 2), ['FAIL', 'FAIL'], 'what wants eyes comes first');
  t.equal(order.at(-1), 'PASS');
  t.match(text, /^## nightly$/m);
  t.match(text, /in 61 min 2 s$/m);
  t.ok(text.endsWith('\n'), 'another step may go on behind it');
});

t.test('a long text is cut, and no half of a pair is left', async (t) => {
  t.equal(plain(`${'x'.repeat(299)}😀${'y'.repeat(50)}`), `${'x'.repeat(299)}😀…`);
});

t.test('no secret is in any of them, whatever the format makes of its characters', async (t) => {
  // Of XML, of Markdown, and of YAML, which folds a long line at a space.
  for (const value of ['hunter2-and-more', 'hunter2_<more>&"*', `hunter2 ${'and more '.repeat(12)}`]) {
    const text = `token ${new Secret(value).reveal()}`;
    const leaky = made.caseOf('s', { repeat: text, leaked: [text], exitCode: 3 });
    const note = { ...made.note, reason: text };
    const failed = made.caseOf('f', { ...made.FAILED, name: text, known: [note] });
    const night = made.summary([leaky, failed, { ...made.KNOWN, known: [note] }], [{ level: 'failure', text }]);
    for (const shown of [junitText(night), markdownText(night), await tapNight(night)]) {
      t.notMatch(shown, /hunter2/, value);
    }
  }
});

t.test('a text of several lines ends no line of TAP', async (t) => {
  const reason = 'it is # SKIP\nBail out! for good\nok 7 - more';
  const skipped = { ...made.SKIPPED, verdict: { status: 'SKIP', checks: [], reason } } as const;
  const night = made.summary([{ ...made.KNOWN, known: [{ ...made.note, reason }] }, skipped, made.FAILED]);
  const text = await tapNight(night);
  t.same(
    (text.match(/^(not )?ok.*$/gm) ?? []).map((line) => line.replace(/ [-#].*/, '')),
    ['not ok 1', 'ok 2', 'not ok 3'],
  );
  t.notMatch(text, /^Bail out!/m);
  t.match(text, /^1\.\.3$/m);
});

t.test('a page is as long as a CI takes: what fails first keeps its details', async (t) => {
  const checks = Array.from({ length: 25 }, (_, nth) => made.check(`check_${nth}`, 'failed', made.HOSTILE.repeat(3)));
  const cases = Array.from({ length: 400 }, (_, nth) =>
    made.caseOf(`n${nth}`, { verdict: judge({ checks, fault: null }), exitCode: 1 }),
  );
  const text = markdownText(made.summary(cases));
  t.ok(Buffer.byteLength(text) < 1_000_000, `${Buffer.byteLength(text)} bytes; GitHub takes 1 MiB`);
  t.equal(text.split('\n').filter((line) => line.startsWith('| ❌')).length, 400, 'every case has its row');
  const shown = text.split('<details>').length - 1;
  t.ok(shown > 10 && shown < 400, `${shown} with details`);
  t.match(text, new RegExp(`^${400 - shown} cases more, without their details`, 'm'));
  t.equal(text.split('</details>').length - 1, shown);
});
