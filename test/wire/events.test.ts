/**
 * `--json` and `--quiet` of the phases and of a night, as processes on a simulated lab; and that the documentation
 * of the events, their schema and what is really printed are the same.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import t from 'tap';
import { EVENT_NAMES, type Event } from '../../harness/progress/event.ts';
import { EventStream } from '../../harness/progress/event-stream.ts';
import { Progress } from '../../harness/progress/progress.ts';
import { documentation, folder, plan, produced, schema, simulated, started, written, wrongWith } from './event-runs.ts';

const names = (events: readonly Event[]): readonly string[] => events.map(({ event }) => event);
/** Names one after the other, each once. */
const course = (events: readonly Event[]): readonly string[] =>
  names(events).filter((name, nth, all) => name !== all[nth - 1]);

/** In order. */
const lab = await simulated(t, {});

t.test('phase --json: what happens, and nothing else on stdout', async (t) => {
  const codeless = join(folder, 'codeless.raw');
  const reference = /^"freebsd-init\+rc\.d-shepherd" = "(.*)"$/m.exec(readFileSync(lab.labFile, 'utf8'))?.[1] ?? '';
  // The lint warns of an image without code in its first sector.
  writeFileSync(codeless, readFileSync(reference).fill(0, 0, 440));
  const tap = join(folder, 'all.tap');
  const args = ['--lab', lab.labFile, '--image', codeless, '--workdir-root', folder, '--json', '--tap', tap];
  const { code, events, wrong, stderr } = await started('phase9', args);
  t.equal(code, 0, stderr);
  t.same(wrong, []);
  t.match(events[0], { event: 'run-begins', scenario: 'phase9-xcpng-boot', image: codeless, lab: 'lab' });
  const end = events.at(-1);
  t.match(end, { event: 'run-ends', status: 'PASS', exitCode: 0, cause: null, leaked: [], problems: [] });
  t.equal(end?.event === 'run-ends' && end.facts.ready_marker, 'ready');
  t.match(readFileSync(tap, 'utf8'), /^TAP version 14\n/);
  t.match(stderr, /^PASS phase9-xcpng-boot$/m, 'people are told as ever');
  const steps = events.flatMap((event) => (event.event === 'step-begins' ? [event.step] : []));
  t.same(steps, ['sign in', 'provision', 'boot', 'identify', 'probe', 'dispose']);
  const stages = events.filter(({ event }) => event.startsWith('stage-'));
  t.ok(
    stages.every(({ event }, nth) => event === (nth % 2 === 0 ? 'stage-begins' : 'stage-ends')),
    'one at a time',
  );
  const ended = stages.flatMap((each) => (each.event === 'stage-ends' ? [each.stage] : []));
  const timeline = JSON.parse(readFileSync(join(workdirOf(events), 'result.json'), 'utf8')).result.timeline;
  t.same(
    ended,
    timeline.map(({ stage }: { stage: string }) => stage),
    'the timeline, as it went',
  );
  t.ok(events.every(({ elapsedS }, nth) => elapsedS >= (events[nth - 1]?.elapsedS ?? 0)));
  const uploads = events.flatMap((each) => (each.event === 'transfer' ? [each.doneBytes / each.totalBytes] : []));
  t.equal(uploads.at(-1), 1);
  t.match(
    events.find(({ event }) => event === 'warning'),
    { text: /^image: broken: boot-loader: no boot code/ },
  );
});

const workdirOf = (events: readonly Event[]): string =>
  events.flatMap((each) => (each.event === 'workdir-made' ? [each.workdir] : []))[0] ?? '';

t.test('a run that ends before its case is planned: nothing comes after its end', async (t) => {
  const text = readFileSync(lab.labFile, 'utf8').replace(/^url = .*$/m, 'url = "http://127.0.0.1:9"');
  const lost = ['--lab', written('lost.toml', text), '--workdir-root', folder, '--json', '--quiet'];
  const { code, events, wrong } = await started('phase9', lost);
  t.same([code, wrong], [3, []]);
  t.same(names(events).slice(-2), ['stage-ends', 'run-ends']);
});

t.test('a call that is refused, and a reader that leaves', async (t) => {
  const refused = await started('phase9', ['--boots', 'x', '--json', '--quiet']);
  t.equal(refused.code, 2);
  t.match(refused.events, [{ event: 'refused', exitCode: 2, cause: { code: 'BAD_OPTION', party: 'caller' } }]);
  t.equal(refused.events.length, 1);
  t.match(refused.stderr, /^--boots: expected a whole number/, 'also said when quiet');
  const args = ['--lab', lab.labFile, '--workdir-root', join(folder), '--label', 'left', '--json'];
  const left = await started('phase9', args, { onStdout: (_, child) => child.stdout?.destroy() });
  t.equal(left.code, 0, left.stderr);
  const [workdir = ''] = readdirSync(folder).filter((name) => name.startsWith('left-'));
  t.match(readFileSync(join(folder, workdir, 'metadata.txt'), 'utf8'), /^result=PASS$/m);
});

t.test('--quiet: nothing of a PASS; cause and remedy of what ended badly', async (t) => {
  const quiet = ['--lab', lab.labFile, '--workdir-root', folder, '--quiet'];
  const passed = await started('phase9', quiet);
  t.equal(passed.code, 0);
  t.equal(passed.stderr, '');
  t.match(passed.stdout, /^TAP version 14\n/);
  const deaf = await simulated(t, { boot: { sshd: 'immediate-end' } });
  const short = [
    '--lab',
    deaf.labFile,
    '--workdir-root',
    folder,
    '--quiet',
    '--json',
    '--budget-scale',
    '0.05',
    '--control',
    'none',
  ];
  const silent = await started('phase9', short);
  t.equal(silent.code, 3, silent.stderr);
  t.match(
    silent.stderr,
    /^ERROR phase9-xcpng-boot.*\nworkdir: .*\ncause: {2}SILENT_NO_CONTROL: .*\nfault: .*\nremedy: .*\n/,
  );
  t.notMatch(silent.stderr, /^\[ +\d/m);
  t.match(silent.events.at(-1), { event: 'run-ends', status: 'ERROR', exitCode: 3, cause: { party: 'undetermined' } });
  t.match(
    silent.events.find(({ event }) => event === 'waiting'),
    { seen: /closed|ended/, budgetS: 3 },
  );
});

t.test('nightly --json: its own events, and those of two cases at once, by name', async (t) => {
  const passing = await simulated(
    t,
    { boot: { delayMs: 800 } },
    '--slots',
    '8',
    '--mishap',
    'deleted-before=vm.start:once',
  );
  const file = plan(passing.labFile, 2);
  const { code, events, wrong, stderr } = await started('nightly', ['--plan', file, '--json', '--quiet']);
  t.same(wrong, []);
  t.equal(code, 0, stderr);
  t.match(events[0], { event: 'night-begins', case: null, labs: [{ lab: 'pool', lanes: 2 }] });
  t.match(events.at(-1), { event: 'night-ends', case: null, exitCode: 0, cases: 2, counts: { pass: 2 } });
  const [one, two] = ['phase9.reference0.pool', 'phase9.reference1.pool'].map((name) =>
    events.filter((event) => event.case === name),
  );
  for (const own of [one ?? [], two ?? []]) {
    t.equal(own[0]?.event, 'attempt-begins');
    t.match(own.at(-1), { event: 'case-ends', status: 'PASS', standing: 'pass' });
    t.ok(names(own).includes('stage-begins'));
    t.ok(names(own).includes('run-ends'));
  }
  const first = (own: readonly Event[] = [], name: string): number =>
    events.indexOf(own.find((e) => e.event === name) ?? (own[0] as Event));
  t.ok(
    first(two, 'run-begins') < first(one, 'case-ends') && first(one, 'run-begins') < first(two, 'case-ends'),
    'at once',
  );
  const again = events.filter(({ event }) => event === 'attempt-repeated');
  t.match(again, [{ attempt: 1, cause: { code: 'VM_LOST', party: 'lab' } }]);
  const ends = events.filter(({ event, case: of }) => event === 'case-ends' && of === again[0]?.case);
  t.match(ends, [{ attempt: 2, attempts: 2 }]);
  t.match(course(events.filter((each) => each.case === again[0]?.case && each.attempt === 1)).slice(-2), [
    'run-ends',
    'attempt-repeated',
  ]);
});

t.test('a lab that is given up, a remark, and what is quiet of it', async (t) => {
  const token = written('wrong.token', 'x'.repeat(43));
  const text = readFileSync(lab.labFile, 'utf8').replace(/token_file = .*/, `token_file = "${token}"`);
  const known = written(
    'gone.toml',
    `[known.gone]\nscenario = "phase9"\nimage = "not-there"\ncheck = "sshd"\nreason = "r"\n` +
      `link = "https://tracker.example/1"\nexpires = 2999-01-31\n`,
  );
  const file = plan(written('refusing.toml', text), 1, `known_failures = "${known}"`);
  const { code, events, wrong, stderr } = await started('nightly', ['--plan', file, '--json', '--quiet']);
  t.equal(code, 3);
  t.same(wrong, []);
  t.match(
    events.find(({ event }) => event === 'lab-given-up'),
    { lab: 'pool', cause: { code: 'XO_SIGN_IN_REFUSED' } },
  );
  t.match(
    events.find(({ event }) => event === 'remark'),
    { level: 'warning', text: /gone/ },
  );
  t.match(stderr, /^phase9.reference0.pool: ERROR: XO_SIGN_IN_REFUSED .*\nworkdir: .*\ncause: .*\nremedy: .*\n$/);
  t.notMatch(JSON.stringify(events), 'x'.repeat(43), 'no secret is in any of them');
  const listed = await started('nightly', ['--plan', file, '--json', '--list']);
  t.equal(listed.code, 2);
  t.match(listed.events, [
    { event: 'refused', cause: { message: /^--json: expected a night that runs, given --list/ } },
  ]);
});

t.test('the documentation, the schema and what is printed are the same', async (t) => {
  const waiting: (() => void)[] = [];
  const pieces: string[] = [];
  const stalled = new Writable({
    write: (piece, _encoding, done) => {
      pieces.push(String(piece));
      waiting.push(done);
    },
  });
  const progress = new Progress([new EventStream(stalled, { endMs: Number.POSITIVE_INFINITY, mustBeWhole: true })]);
  for (let nth = 0; nth < 20; nth++) progress.note('x'.repeat(100_000));
  progress.refused({ code: 'BAD_OPTION', party: 'caller', message: 'm', remedy: 'r', causes: [] }, 2);
  const ended = progress.end();
  for (let done = waiting.shift(); done !== undefined; done = waiting.shift()) {
    done();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await ended;
  const lines = pieces.join('').trim().split('\n');
  t.same(
    lines.map(wrongWith).filter((each) => each !== ''),
    [],
  );
  for (const line of lines) produced.add(JSON.parse(line).event);

  const known = Object.keys(EVENT_NAMES).sort();
  t.same(schema.oneOf.map(({ title }) => title).sort(), known, 'the schema has all of them');
  const sections = documentation.split(/^## /m).slice(1);
  t.same(sections.map((section) => /^`(.*)`$/m.exec(section)?.[1]).sort(), known, 'so has the documentation');
  for (const section of sections) {
    const [, name = ''] = /^`(.*)`$/m.exec(section) ?? [];
    const [, example = ''] = /```json\n(.*)\n```/.exec(section) ?? [];
    t.equal(wrongWith(example), '', `the example of ${name}`);
    t.equal(JSON.parse(example).event, name);
  }
  t.same([...produced].sort(), known, 'and each was printed by a run of this test');
  t.match(wrongWith('{"schema":1,"event":"note"}'), /must have required property/, 'the schema can say no');
  t.match(wrongWith('{"schema":1,"event":"new"}'), /not in the schema/);
});
