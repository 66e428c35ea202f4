/** What differs between two stored runs is shown, and what differs between any two is left out. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { compare } from '../../../harness/commands/compare.ts';
import { type Comparison, compareRuns } from '../../../harness/compare/comparison.ts';
import { diffLines } from '../../../harness/compare/line-diff.ts';
import { shownComparison, wrap } from '../../../harness/compare/shown.ts';
import { consoleKey } from '../../../harness/compare/usual.ts';
import { consoleLines } from '../../../harness/console/console-text.ts';
import { Fault, faultRecord } from '../../../harness/faults/faults.ts';
import type { Report } from '../../../harness/report/report.ts';
import { readStoredRun } from '../../../harness/stored/stored-run.ts';
import { callCommand } from '../../command-call.ts';
import { evidenceLine, held, SAMPLE, storeSample } from '../stored/sample.ts';

const root = mkdtempSync(join(tmpdir(), 'bw-compare-'));
t.teardown(() => rmSync(root, { recursive: true, force: true }));

interface Files {
  readonly evidence?: string;
  readonly serial?: string;
}

let count = 0;
function stored(more: Partial<Report>, { evidence, serial }: Files = {}): string {
  const workdir = storeSample(root, `run-${++count}`, more);
  if (evidence !== undefined) writeFileSync(join(workdir, 'evidence.ndjson'), evidence);
  if (serial !== undefined) writeFileSync(join(workdir, 'console', 'serial.txt'), serial);
  return workdir;
}

async function compared(a: string, b: string): Promise<Comparison> {
  return compareRuns(await readStoredRun(a), await readStoredRun(b));
}

/** `section.name` of what is not usual. */
const unlike = ({ sections }: Comparison): readonly string[] =>
  sections.flatMap(({ name, differences }) =>
    differences.flatMap((each) => (each.usual ? [] : [`${name}.${each.name}`])),
  );

t.test('a run is alike to itself', async (t) => {
  const path = stored({});
  const comparison = await compared(path, path);
  t.same(unlike(comparison), []);
  t.match(shownComparison(comparison, false).join('\n'), /alike: verdict, checks, image, versions, asked, lab, facts/);
});

const cause = faultRecord(new Fault('CHECKS_FAILED', 'sshd_status: expected running, was not running'));
const failed = {
  ...held('sshd_status', 'not running'),
  expected: 'running',
  outcome: 'failed' as const,
  reason: 'why',
};
const asked = SAMPLE.asked;
const image = SAMPLE.image;
const result = SAMPLE.result;
if (image === null || result === null) throw new Error('the sample has both');

const changes: readonly (readonly [string, Partial<Report>, readonly string[]])[] = [
  [
    'verdict and checks',
    { verdict: { status: 'FAIL', checks: [failed], cause }, exitCode: 1 },
    [
      ...['verdict.status', 'verdict.exit_code', 'verdict.fault', 'verdict.fault_party'],
      ...['checks.sshd_status', 'checks.uname_output'],
    ],
  ],
  ['another image', { image: { ...image, sha256: 'ee'.repeat(32) } }, ['image.sha256']],
  ['another closure', { expectedClosure: '/frx/store/y' }, ['image.expected_closure']],
  ['another harness', { harnessVersion: '0.2.0' }, ['versions.harness']],
  ['another scenario of the same name', { scenarioSha256: 'cc'.repeat(32) }, ['versions.scenario_sha256']],
  ['another Xen Orchestra', { lab: { ...SAMPLE.lab, xoVersion: '5.300.0' } }, ['versions.xo']],
  ['another place in the guest', { asked: { ...asked, readBack: 'always' } }, ['asked.read_back']],
  ['another option', { asked: { ...asked, options: { ...asked.options, cpus: '4' } } }, ['asked.--cpus']],
  [
    'another SR',
    { result: { ...result, placed: null } },
    ['pool', 'host', 'sr', 'network', 'template', 'firmware', 'memory_mib', 'cpus', 'nic'].map((name) => `lab.${name}`),
  ],
  ['another time', { seconds: 90 }, ['timeline.all']],
  ['a time that is not much longer', { seconds: 13.9 }, []],
  ['another VM and address', { result: { ...result, vm: 'x', guestAddress: '192.0.2.8' } }, []],
];
for (const [name, more, differences] of changes) {
  t.test(`differs: ${name}`, async (t) => {
    t.same(unlike(await compared(stored({}), stored(more))), differences);
  });
}

const seen = (sequence: number, name: string, facts: object): string =>
  evidenceLine(sequence, 'observation', name, { state: 'seen', facts: { probe: name, ...facts } });
const verdict = (sequence: number): string => evidenceLine(sequence, 'judged', 'verdict');

t.test('what the guest told is compared fact by fact, the last look of each boot', async (t) => {
  const uuid = '7bdbab3b-c0a1-4fe4-aa47-8002f7217cb4';
  const before = seen(1, 'pid1', { comm: 'init', uptime: '3.1', since: '1795675650', of: uuid, gone: 'x' });
  const boot2 = evidenceLine(3, 'command', 'reboot') + seen(4, 'pid1', { comm: 'init' }) + verdict(5);
  const a = stored({}, { evidence: before + seen(2, 'pid1', { comm: 'init', uptime: '3.2' }) + boot2 });
  const b = stored(
    {},
    {
      evidence:
        seen(1, 'pid1', { comm: 'init', uptime: '9.9', since: '1795999999', of: uuid.replace('7b', '8c') }) +
        evidenceLine(2, 'observation', 'uname', { state: 'unseen', reason: 'cut' }) +
        evidenceLine(3, 'command', 'reboot') +
        seen(4, 'pid1', { comm: 'shepherd' }) +
        verdict(5),
    },
  );
  const comparison = await compared(a, b);
  t.same(unlike(comparison), ['facts.pid1.comm@boot2', 'facts.pid1.since', 'facts.pid1.of', 'facts.uname']);
  const facts = comparison.sections.find(({ name }) => name === 'facts');
  t.match(
    facts?.differences.find(({ name }) => name === 'pid1.comm@boot2'),
    { a: 'init', b: 'shepherd' },
  );
  t.match(
    facts?.differences.find(({ name }) => name === 'uname'),
    { a: null, b: 'unseen: cut' },
  );
});

t.test('ids, addresses and times of day within a fact are usual', async (t) => {
  const told = (time: string, mac: string) => seen(1, 'x', { said: `at ${time} by ${mac}`, n: '4' }) + verdict(2);
  const a = stored({}, { evidence: told('1795675650', '02:00:00:75:d9:07') });
  t.same(unlike(await compared(a, stored({}, { evidence: told('1795999999', '02:00:00:75:d9:08') }))), []);
  const other = stored(
    {},
    { evidence: seen(1, 'x', { said: 'at 1795675650 by 02:00:00:75:d9:07', n: '5' }) + verdict(2) },
  );
  t.same(unlike(await compared(a, other)), ['facts.x.n'], 'a small number is a finding');
});

t.test('Shepherd’s pid is another one in each boot; of long answers the lines that are unlike are shown', async (t) => {
  const told = (pid: string, state: string) =>
    seen(1, 'talk', { pid_file_content: pid, output: `pid\t${pid}\nroot\trunning\nready\t${state}` }) + verdict(2);
  const a = stored({}, { evidence: told('171', 'running') });
  t.same(unlike(await compared(a, stored({}, { evidence: told('173', 'running') }))), []);
  const other = await compared(a, stored({}, { evidence: told('173', 'stopped') }));
  t.same(unlike(other), ['facts.talk.output']);
  const lines = shownComparison(other, false);
  const at = lines.indexOf('  talk.output, lines that are unlike');
  t.same(lines.slice(at + 1, at + 3), ['    A  ready\\trunning', '    B  ready\\tstopped']);
});

t.test('console texts: where they part, and what is only in one', async (t) => {
  const a = stored({}, { serial: '[    0.100000] Linux\r\n\u001b[0mroot found\r\nlogin:\r\n' });
  const b = stored({}, { serial: '[    0.200000] Linux\r\npanic: no root\r\nrebooting\r\n' });
  const [console] = (await compared(a, b)).console;
  t.match(console, { file: 'serial.txt', linesA: 3, linesB: 3, alike: 1, head: 1, parting: '[    0.100000] Linux' });
  t.same(console?.lines, [
    { side: 'a', text: 'root found' },
    { side: 'a', text: 'login:' },
    { side: 'b', text: 'panic: no root' },
    { side: 'b', text: 'rebooting' },
  ]);
  t.same(consoleLines('x\rboot 3\r\n\u001b[2J\u001b[1;1Hy  \r\r\n\r\n'), ['boot 3', 'y']);
  t.equal(consoleKey('<6>[   12.345678] eth0 02:00:00:00:00:01'), 'eth0 <mac>');
});

t.test('lines of a long text are compared in a moment, and where that ends is said', async (t) => {
  const [a, b] = ['a', 'b'].map((side) =>
    Array.from({ length: 4_000 }, (_, i) => (i % 7 === 0 ? `${i}` : `${side}${i}`)),
  );
  const startedMs = performance.now();
  const diff = diffLines(['x', ...(a ?? [])], ['x', ...(b ?? [])], (line) => line);
  t.ok(performance.now() - startedMs < 5_000);
  t.equal(diff.cut, true);
  t.equal(diff.head, 2);
  t.same(diffLines(['1', '2', '3', '4'], ['1', '3', 'x', '4'], String), {
    ...{ alike: 3, head: 1, cut: false },
    lines: [
      { side: 'a', text: '2' },
      { side: 'b', text: 'x' },
    ],
  });
});

t.test('no line is wider than 80 columns, and no guest steers the terminal', async (t) => {
  const evil = '\u001b[2J\u0007result=PASS\n'.repeat(90);
  const a = stored(
    {},
    { evidence: seen(1, 'evil', { x: evil, ['k'.repeat(90)]: '1' }) + verdict(2), serial: `${evil}a` },
  );
  const told = { ...cause, message: evil };
  const b = stored({ verdict: { status: 'FAIL', checks: [failed], cause: told } }, { serial: 'b'.repeat(300) });
  const lines = shownComparison(await compared(a, b), true);
  for (const line of lines) {
    t.ok([...line].length <= 80, line);
    t.notMatch(line, /\p{Cc}/u);
  }
  t.ok(lines.some((line) => /characters in all \(--json\)/.test(line)));
  t.same(wrap('short'), ['short']);
});

t.test('an older run says little: that is a note, and no difference', async (t) => {
  const old = stored({});
  rmSync(join(old, 'result.json'));
  const comparison = await compared(old, stored({}));
  t.same(
    unlike(comparison).filter((name) => /^(asked|image|timeline)/.test(name)),
    [],
  );
  t.match(comparison.a.notes, [/only metadata/]);
});

t.test('the command takes two runs; --json is the whole of it', async (t) => {
  const [a, b] = [stored({}), stored({ harnessVersion: '0.2.0' })];
  const text = await callCommand(compare, a, b);
  t.equal(text.code, 0, text.stderr);
  t.match(text.stdout, /^A {2}PASS {2}phase9-xcpng-boot[\s\S]*\nVERSIONS, \d+ alike\n {2}harness +0\.1\.0 +0\.2\.0\n/);
  const json = JSON.parse((await callCommand(compare, a, b, '--json')).stdout);
  t.match(json, {
    schema: 1,
    a: { status: 'PASS', path: a },
    sections: [{ name: 'verdict' }],
    console: [{ lines: [] }],
  });
  t.match(await callCommand(compare, a), { code: 2, stderr: /A B: expected 2, given one\./ });
  t.match(await callCommand(compare, a, b, a), { code: 2, stderr: /A B: expected 2, given also/ });
  t.match(await callCommand(compare, a, root), { code: 2, stderr: /expected a workdir.*a folder with \d+ workdirs/ });
});
