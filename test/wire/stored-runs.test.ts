/** Runs that were really played, on simulated guests, are judged again: nothing is written, nothing becomes a PASS. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t from 'tap';
import { compare } from '../../harness/commands/compare.ts';
import { pack } from '../../harness/commands/pack.ts';
import { rejudge as rejudgeCommand } from '../../harness/commands/rejudge.ts';
import type { Comparison } from '../../harness/compare/comparison.ts';
import type { Probe, Scenario } from '../../harness/model.ts';
import { check } from '../../harness/probes/check.ts';
import { rejudge } from '../../harness/stored/rejudge.ts';
import { readStoredRun } from '../../harness/stored/stored-run.ts';
import { phase9XcpngBoot } from '../../scenarios/phase9-xcpng-boot.ts';
import { phase11ShepherdPid1Xcpng } from '../../scenarios/phase11-shepherd-pid1-xcpng.ts';
import { callCommand } from '../command-call.ts';
import { inLanes } from '../lanes.ts';
import { type Play, witness } from './witness.ts';

const root = mkdtempSync(join(tmpdir(), 'bw-stored-runs-'));
t.teardown(() => rmSync(root, { recursive: true, force: true }));
const command = rejudgeCommand([phase9XcpngBoot, phase11ShepherdPid1Xcpng]);

const answers = (facts: object) => ({ guests: [{ answers: facts }] });
const PLAYS = {
  pass: {},
  boots: { phase: 'phase11', args: ['--boots', '2'] },
  failing: { answers: answers({ 'sshd-status': { facts: { listener: 'no', process: 'no' } } }) },
  unobserved: { answers: answers({ 'sshd-status': { raw: 'nothing of ours\n' } }) },
  early: { answers: answers({ 'compat-prefix-shims': [{ facts: { 'kind.0': 'symlink' } }, { after: 2 }] }) },
  lost: { answers: answers({ pid1: { drop: true } }) },
  slow: {
    answers: answers({ 'ready-marker': { facts: { kind: 'absent', content: null, modified: '' }, delayMs: 2_300 } }),
    args: ['--budget-scale', '0.2'],
  },
  silent: { answers: { guests: [{ boot: { sshd: 'never' } }] }, args: ['--budget-scale', '0.02', '--control', 'none'] },
} as const satisfies Record<string, Play>;
type Name = keyof typeof PLAYS;

const names = Object.keys(PLAYS) as Name[];
const played = inLanes(3, names, async (name) => {
  const { stderr } = await witness(PLAYS[name]);
  return /^workdir: (.+)$/m.exec(stderr)?.[1] ?? '';
});
const workdirOf = async (name: Name): Promise<string> => (await played.get(name)) ?? '';

let copies = 0;
/** A copy with one file changed. */
async function changed(name: Name, file: string, change: (text: string) => string): Promise<string> {
  const copy = join(root, `copy-${++copies}`);
  cpSync(await workdirOf(name), copy, { recursive: true });
  writeFileSync(join(copy, file), change(readFileSync(join(copy, file), 'utf8')));
  return copy;
}

/** Names, bytes, times and modes of all files. */
function fingerprint(folder: string): readonly string[] {
  const entries = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  return entries.map((entry) => {
    const path = join(folder, entry);
    const { mtimeMs, mode, size, ino } = statSync(path);
    const digest = statSync(path).isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : '';
    return [entry, mtimeMs, mode, size, ino, digest].join(' ');
  });
}

const again = async (path: string, scenario: Scenario = phase9XcpngBoot) =>
  rejudge(await readStoredRun(path), scenario);

t.test('every kind of ending is what it was, and the workdir is left as it is', async (t) => {
  const all = await Promise.all(names.map(workdirOf));
  const before = all.map((path) => [fingerprint(path), readdirSync(dirname(path))]);
  const { code, stdout } = await callCommand(command, ...all, '--json');
  const { runs } = JSON.parse(stdout) as { runs: { before: unknown; now: unknown; checks: { changed: boolean }[] }[] };
  t.equal(code, 0, stdout.slice(0, 300));
  t.equal(runs.length, names.length);
  for (const [index, { before: then, now, checks }] of runs.entries()) {
    const { message: _, ...rest } = then as { message: string };
    t.match(now, rest, String(names[index]));
    t.ok(
      checks.every((each) => !each.changed),
      `${names[index]}: every check`,
    );
  }
  const statuses = runs.map(({ now }) => (now as { status: string; code: string | null }).code);
  const slow = 'PROBE_UNOBSERVED';
  t.same(
    statuses,
    [null, null, 'CHECKS_FAILED', 'PROBE_UNOBSERVED', 'CHECKS_FAILED', 'SSH_LOST', slow, 'SILENT_NO_CONTROL'],
    'in the order of the plays',
  );
  t.same(
    all.map((path) => [fingerprint(path), readdirSync(dirname(path))]),
    before,
  );
  const shown = await callCommand(command, ...all, '--all');
  for (const line of shown.stdout.split('\n')) t.ok([...line].length <= 80, line);
});

t.test('both boots of a run are judged', async (t) => {
  const { verdict } = await again(await workdirOf('boots'), phase11ShepherdPid1Xcpng);
  t.equal(verdict.status, 'PASS');
  t.ok(verdict.status === 'PASS' && verdict.checks.some(({ name }) => name === 'ready_marker@boot2'));
});

t.test('a pack of each ending is judged and compared like its workdir, as a file and unpacked by tar', async (t) => {
  for (const name of names) {
    const path = await workdirOf(name);
    const before = fingerprint(path);
    const file = join(root, `${name}.tar.gz`);
    const packed = await callCommand(pack, path, '--out', file);
    t.match(packed, { code: 0, stdout: /\nmasked: nothing\n$/ }, `${name}: nothing in it looks like a secret`);
    const folder = mkdtempSync(join(root, 'unpacked-'));
    execFileSync('tar', ['xzf', file, '-C', folder]);
    for (const there of [file, folder]) {
      const { code } = await callCommand(command, there);
      t.equal(code, 0, `${name}: judged`);
      const compared = await callCommand(compare, path, there, '--json');
      const { sections, console } = JSON.parse(compared.stdout) as Comparison;
      t.same(
        sections.flatMap(({ differences }) => differences),
        [],
        `${name}: alike`,
      );
      t.ok(
        console.every(({ lines }) => lines.length === 0),
        `${name}: console`,
      );
    }
    t.same(fingerprint(path), before, `${name}: left as it is`);
  }
});

/** The scenario of today, had one of its probes been changed since. */
function since(name: string, change: (probe: Probe) => Probe): Scenario {
  return {
    ...phase9XcpngBoot,
    probes: phase9XcpngBoot.probes.map((probe) => (probe.name === name ? change(probe) : probe)),
  };
}

t.test('a probe that judges otherwise today changes the verdict', async (t) => {
  const strict = since('uname', (probe) => ({
    ...probe,
    expect: () => [check.failed('uname_output', 'FreeBSD', 'Linux', 'not FreeBSD')],
  }));
  t.match((await again(await workdirOf('pass'), strict)).verdict, { status: 'FAIL', cause: { code: 'CHECKS_FAILED' } });
  const mild = since('sshd-status', (probe) => ({
    ...probe,
    expect: () => [check.held('sshd_status', 'running', 'running')],
  }));
  t.equal((await again(await workdirOf('failing'), mild)).verdict.status, 'PASS');
});

t.test('what another version of a probe asked is neither PASS nor FAIL, and said', async (t) => {
  const asksElse = since('sshd-status', (probe) => ({ ...probe, observe: (guest) => guest.run('fact x y') }));
  for (const name of ['pass', 'failing'] as const) {
    const { verdict } = await again(await workdirOf(name), asksElse);
    t.match(verdict, { status: 'ERROR', cause: { code: 'PROBE_UNOBSERVED' } }, name);
    const sshd = verdict.checks.find((each) => each.name === 'sshd_status');
    t.match(sshd, { outcome: 'unobserved', reason: /asked by another version of the probe; today's probe would say/ });
  }
});

t.test('a probe that is younger than the run: its question may have been asked by another one', async (t) => {
  const [uname] = phase9XcpngBoot.probes.filter(({ name }) => name === 'uname');
  if (uname === undefined) throw new Error('the scenario has it');
  const like: Probe = {
    ...{ ...uname, name: 'kernel' },
    expect: ({ state }) => [
      state === 'seen' ? check.held('kernel', 'seen', 'seen') : check.unobserved('kernel', 'seen', 'unseen'),
    ],
  };
  const path = await workdirOf('pass');
  const grown = (probe: Probe): Scenario => ({ ...phase9XcpngBoot, probes: [...phase9XcpngBoot.probes, probe] });
  t.equal((await again(path, grown(like))).verdict.status, 'PASS');
  const { verdict } = await again(path, grown({ ...like, observe: (guest) => guest.run('fact a b') }));
  t.match(verdict, { status: 'ERROR', cause: { code: 'PROBE_UNOBSERVED' } });
});

t.test('a probe that is no more is said; its check is not judged', async (t) => {
  const less = { ...phase9XcpngBoot, probes: phase9XcpngBoot.probes.filter(({ name }) => name !== 'sshd-status') };
  const { notes, verdict } = await again(await workdirOf('failing'), less);
  t.match(notes.join('\n'), /no probe of today: sshd-status/);
  t.equal(verdict.status, 'PASS');
});

const cuts: readonly (readonly [string, (text: string) => string, RegExp])[] = [
  ['the last line', (text) => text.slice(0, text.trimEnd().lastIndexOf('\n') + 1), /ends after \d+ lines/],
  ['the half', (text) => text.slice(0, text.length / 2), /line \d+ of evidence\.ndjson is damaged/],
  ['all of it', () => '', /ends after 0 lines/],
];
for (const [what, cut, reason] of cuts) {
  t.test(`evidence that was cut is never a PASS: ${what} is gone`, async (t) => {
    const { verdict, notes } = await again(await changed('pass', 'evidence.ndjson', cut));
    t.match(verdict, { status: 'ERROR', cause: { code: 'PROBE_UNOBSERVED', message: reason } });
    t.match(notes.join('\n'), reason);
  });
}

t.test('an answer that was cut, or was changed since, is no PASS', async (t) => {
  const torn = await changed('pass', 'evidence.ndjson', (text) => text.replaceAll(/\\tend\\t0\\n/g, ''));
  t.match((await again(torn)).verdict, { status: 'ERROR', cause: { message: /malformed line/ } });
});

t.test('what the run did not prove stays unproven, however its checks are', async (t) => {
  const unproven = (key: string) =>
    changed('pass', 'result.json', (text) => text.replace(new RegExp(`"${key}": "\\w+"`), `"${key}": "unproven"`));
  for (const key of ['guestIdentity', 'imageIdentity']) {
    t.match((await again(await unproven(key))).verdict, { status: 'ERROR', cause: { code: 'PROBE_UNOBSERVED' } }, key);
  }
  const fewer = await changed('pass', 'result.json', (text) => text.replace('"boots": 1', '"boots": 3'));
  t.match((await again(fewer)).verdict, { status: 'ERROR', cause: { message: /1 of 3 boots were looked at/ } });
  const other = await changed('pass', 'result.json', (text) =>
    text.replace(/"diskGuid": "\w{8}/, '"diskGuid": "00000001'),
  );
  t.match((await again(other)).verdict, { status: 'ERROR', cause: { code: 'IMAGE_UNPROVEN' } });
});

/** As somebody would who wants a PASS. */
function forgedPass(text: string): string {
  const { verdict, ...rest } = JSON.parse(text) as { verdict: { checks: unknown } };
  return JSON.stringify({ ...rest, status: 'PASS', verdict: { status: 'PASS', checks: verdict.checks } });
}

t.test('the command: 1 where a verdict changes, 2 for what is no run of ours', async (t) => {
  const path = await workdirOf('pass');
  const forged = await changed('failing', 'result.json', (text) => forgedPass(text));
  const changedOne = await callCommand(command, path, forged);
  t.equal(changedOne.code, 1, changedOne.stdout);
  t.match(changedOne.stdout, /then {2}PASS\n {2}now {3}FAIL {2}CHECKS_FAILED \(image\)[\s\S]*2 runs: 1 would end/);
  const foreign = await changed('pass', 'result.json', (text) => text.replace('"phase9-xcpng-boot"', '"phase7"'));
  const says = /expected a run of phase9-xcpng-boot or .*, given one of "phase7"/;
  t.match(await callCommand(command, path, foreign), { code: 2, stdout: '', stderr: says });
  t.match(await callCommand(command), { code: 2, stderr: /WORKDIR…: expected one, given nothing/ });
});
