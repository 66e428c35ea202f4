/** The loop of a night, with attempts that are scripted: lanes, retries, what ends a lab, an interrupt, exit codes. */
import t from 'tap';
import { Fault } from '../../../harness/faults/faults.ts';
import type { Verdict } from '../../../harness/model.ts';
import type { NightLab } from '../../../harness/night/cases.ts';
import { nightExitCode } from '../../../harness/night/night.ts';
import { standing } from '../../../harness/report/summary.ts';
import { FAIL, fault, labOf, PASS, play } from './scripted-night.ts';

const codeOf = ({ verdict }: { readonly verdict: Verdict }): string =>
  verdict.status === 'FAIL' || verdict.status === 'ERROR' ? verdict.cause.code : verdict.status;

t.test('as many at a time as the lab has lanes, in the order of the plan', async (t) => {
  const one = await play([labOf('a', 4)]);
  t.equal(one.most, 1);
  t.same(
    one.runs,
    [1, 2, 3, 4].map((nth) => `phase9.i${nth}.a`),
  );
  const three = await play([labOf('a', 7, 3), labOf('b', 2, 2)]);
  t.equal(three.most, 5, 'labs do not wait for each other');
  t.same(
    three.summaries.map(({ name }) => name),
    [...labOf('a', 7).cases, ...labOf('b', 2).cases].map(({ name }) => name),
  );
});

t.test('a case for which there is no room on disk ends by itself, and no other', async (t) => {
  const onRun = (name: string): void => {
    if (name === 'phase9.i2.a') throw new Fault('OUTPUT_UNWRITABLE', 'case.log cannot be written (ENOSPC)');
  };
  const { summaries, runs } = await play([labOf('a', 3)], { onRun });
  t.same(summaries.map(codeOf), ['PASS', 'OUTPUT_UNWRITABLE', 'PASS']);
  t.same(
    summaries.map(({ exitCode }) => exitCode),
    [0, 3, 0],
  );
  t.equal(runs.length, 3, 'and is not tried again');
  const bug = (): void => {
    throw new TypeError('read of undefined');
  };
  await t.rejects(play([labOf('a', 3)], { onRun: bug }), TypeError, 'a bug of ours is no end of a case');
});

t.test('only what is the fault of the lab is tried again, so often, and recorded', async (t) => {
  const verdicts = {
    'phase9.i1.a': [fault('VM_LOST')],
    'phase9.i2.a': [fault('VM_LOST'), fault('NO_FREE_SLOT'), fault('VM_LOST'), fault('VM_LOST')],
    'phase9.i3.a': [FAIL],
    'phase9.i4.a': [fault('SILENT_NO_CONTROL')],
    'phase9.i5.a': [fault('HARNESS_BUG')],
    'phase9.i6.a': [fault('GUEST_SILENT')],
  };
  const { summaries, runs, ends } = await play([labOf('a', 6)], { retries: 2, verdicts });
  t.same(summaries.map(codeOf), [
    'PASS',
    'VM_LOST',
    'CHECKS_FAILED',
    'SILENT_NO_CONTROL',
    'HARNESS_BUG',
    'GUEST_SILENT',
  ]);
  t.same(
    summaries.map(({ retried }) => retried.map(({ cause }) => cause.code)),
    [['VM_LOST'], ['VM_LOST', 'NO_FREE_SLOT'], [], [], [], []],
  );
  t.equal(runs.length, 2 + 3 + 4);
  t.equal(ends.length, runs.length, 'each attempt is kept');
  const none = await play([labOf('a', 1)], { retries: 0, verdicts });
  t.same(none.summaries.map(codeOf), ['VM_LOST']);
});

t.test('what a repeated attempt left in the lab is not forgotten: its PASS is none', async (t) => {
  const verdicts = {
    'phase9.i1.a': [fault('VM_LOST'), fault('VM_LOST'), PASS],
    'phase9.i2.a': [fault('VM_LOST'), FAIL],
  };
  const leaks = { 'phase9.i1.a': [['VM 1', 'VDI 2'], [], []], 'phase9.i2.a': [['VM 3'], ['VM 4']] };
  const [passed, bad] = (await play([labOf('a', 2)], { retries: 2, verdicts, leaks })).summaries;
  t.match(passed, { exitCode: 3, leaked: ['VM 1 (after attempt 1)', 'VDI 2 (after attempt 1)'] });
  t.same(passed && [standing(passed), passed.retried.map(({ leaked }) => leaked)], ['leak', [['VM 1', 'VDI 2'], []]]);
  t.match(bad, { verdict: { status: 'FAIL' }, leaked: ['VM 3 (after attempt 1)', 'VM 4'] });
});

t.test('what a later attempt was seen to sweep is not left', async (t) => {
  const verdicts = { 'phase9.i1.a': [fault('VM_LOST'), PASS] };
  const leaks = { 'phase9.i1.a': [['VM 1'], []] };
  const played = async (awaitsSweep: (runs: number) => boolean) =>
    (await play([labOf('a', 1)], { verdicts, leaks, awaitsSweep })).summaries[0];
  const swept = await played((runs) => runs === 1);
  t.match(swept, { exitCode: 0, leaked: [], retried: [{ leaked: ['VM 1'] }] }, 'what was there is still told');
  t.equal(swept && standing(swept), 'pass');
  t.match(await played(() => false), { exitCode: 3, leaked: ['VM 1 (after attempt 1)'] }, 'nobody looked for it');
});

t.test('what concerns the whole lab ends its remaining cases at once, with the same cause', async (t) => {
  for (const code of ['XO_UNREACHABLE', 'XO_SIGN_IN_REFUSED', 'BAD_PLACEMENT', 'CONTROL_SILENT'] as const) {
    const verdicts = { 'phase9.i2.a': [fault(code), PASS] };
    const { summaries, runs, ends } = await play([labOf('a', 5), labOf('b', 1)], { retries: 3, verdicts });
    t.same(summaries.map(codeOf), ['PASS', code, code, code, code, 'PASS'], code);
    t.same(runs.sort(), ['phase9.i1.a', 'phase9.i1.b', 'phase9.i2.a'], 'nor is that case tried again');
    t.same(
      summaries.map(({ runId }) => runId),
      ['r', 'r', null, null, null, 'r'],
    );
    t.equal(ends.length, 6, 'those that did not run are kept, too');
    const [, , third] = summaries;
    t.match(third?.verdict, { cause: { message: /why .* \(seen by phase9.i2.a; this case did not run\)/ } });
  }
});

t.test(
  'what is about one image ends no other: it does not fit an allotted disk, its own control is silent',
  async (t) => {
    const control = (lab: NightLab): NightLab => ({
      ...lab,
      cases: lab.cases.map((each) => ({ ...each, image: { ...each.image, control: '/own.raw' } })),
    });
    const misfit = await play([labOf('a', 3)], { verdicts: { 'phase9.i1.a': [fault('BAD_FIXED_VM')] } });
    t.same(misfit.summaries.map(codeOf), ['BAD_FIXED_VM', 'PASS', 'PASS']);
    const silent = { 'phase9.i1.a': [fault('CONTROL_SILENT')] };
    const own = await play([control(labOf('a', 3))], { retries: 0, verdicts: silent });
    t.same(own.summaries.map(codeOf), ['CONTROL_SILENT', 'PASS', 'PASS']);
  },
);

t.test('cases that run beside it go on to their own end, and are not tried again', async (t) => {
  const verdicts = { 'phase9.i1.a': [fault('XO_UNREACHABLE')], 'phase9.i2.a': [fault('VM_LOST'), PASS] };
  const { summaries, runs } = await play([labOf('a', 3, 2)], { retries: 3, verdicts });
  t.same(summaries.map(codeOf), ['XO_UNREACHABLE', 'VM_LOST', 'XO_UNREACHABLE']);
  t.equal(runs.length, 2);
});

t.test('an interrupt begins nothing more, and tries nothing again', async (t) => {
  const stop = new AbortController();
  const onRun = (name: string) => name === 'phase9.i2.a' && stop.abort();
  const verdicts = { 'phase9.i2.a': [fault('VM_LOST')] };
  const { summaries } = await play([labOf('a', 4)], { signal: stop.signal, onRun, verdicts });
  t.same(summaries.map(codeOf), ['PASS', 'VM_LOST', 'SKIP', 'SKIP']);
});

t.test('the exit code of a night', async (t) => {
  const rows: readonly (readonly [readonly number[], number])[] = [
    [[], 0],
    [[0, 0], 0],
    [[0, 3], 3],
    [[0, 2], 3],
    [[3, 1, 0], 1],
    [[1, 70, 3], 70],
    [[0, 99], 70],
    [[1, 99], 70],
  ];
  for (const [codes, code] of rows) t.equal(nightExitCode(codes, false), code, codes.join(' '));
  t.equal(nightExitCode([70], true), 130);
});
