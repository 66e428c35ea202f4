import t from 'tap';
import { Fault, faultRecord } from '../../../harness/faults/faults.ts';
import type { JudgedCheck, Verdict } from '../../../harness/model.ts';
import { plainProgress } from '../../../harness/progress/open.ts';
import { runEnds } from '../../../harness/progress/run-ends.ts';
import { escapeValue, headline, keyFacts, metadata, type Report, resultJson } from '../../../harness/report/report.ts';
import { bailOut, tapText } from '../../../harness/reporters/tap.ts';
import { SAMPLE } from '../stored/sample.ts';

const held = (name: string, actual: string): JudgedCheck => ({
  name,
  expected: actual,
  actual,
  outcome: 'held',
  reason: '',
  evidence: 'evidence.ndjson#7',
});
const CHECKS: readonly [JudgedCheck, ...JudgedCheck[]] = [
  held('uname_output', 'Linux reference 6.12'),
  held('sshd_status', 'running'),
  held('compat_prefix_shims', 'absent'),
  held('guile_module_smoke', 'ok'),
  held('ready_marker', 'ready'),
  held('shepherd_pid', '1'),
  held('shepherd_status', 'running'),
  held('init_mode', 'shepherd-pid1'),
];
const report = (verdict: Verdict, more: Partial<Report> = {}): Report => ({
  scenario: 'phase11-shepherd-pid1-xcpng',
  scenarioSha256: 'ab'.repeat(32),
  bootMode: 'shepherd-pid1',
  boots: 1,
  runId: 'r-1',
  caseId: 'c-1',
  workdir: '/tmp/x-1775142712',
  lab: { name: 'pool1', kind: 'xo', xoVersion: '5.207.2', reconnects: 0 },
  reference: false,
  tls: 'ca',
  asked: SAMPLE.asked,
  image: null,
  lint: null,
  expectedClosure: null,
  verdict,
  result: null,
  exitCode: 0,
  harnessVersion: '0.1.0',
  node: 'v20.0.0',
  budgetScale: 1,
  startedAt: '2026-04-02T00:00:00.000Z',
  seconds: 12.3456,
  kept: null,
  repeat: 'npm run -s phase11 --',
  ...more,
});
const PASS: Verdict = { status: 'PASS', checks: CHECKS };

t.test("the seed's keys come first, with its spelling and in its order", async (t) => {
  t.same(
    metadata(report(PASS))
      .slice(0, 7)
      .map(([key, value]) => `${key}=${value}`),
    [
      'compat_prefix_shims=absent',
      'guile_module_smoke=ok',
      'ready_marker=ready',
      'shepherd_pid=1',
      'shepherd_status=running',
      'sshd_status=running',
      'result=PASS',
    ],
  );
  const phase9 = report(PASS, { bootMode: 'freebsd-init+rc.d-shepherd' });
  t.same(
    keyFacts(phase9).map(([key]) => key),
    ['compat_prefix_shims', 'guile_module_smoke', 'ready_marker', 'shepherd_status', 'sshd_status'],
  );
  const keys = metadata(phase9).map(([key]) => key);
  t.equal(new Set(keys).size, keys.length, 'no key twice');
  t.ok(keys.includes('uname_output') && keys.includes('shepherd_pid'), 'nothing observed is lost');
});

t.test('the headline says what it does not prove', async (t) => {
  t.equal(headline(report(PASS)), 'PASS phase11-shepherd-pid1-xcpng');
  t.equal(
    headline(report(PASS, { reference: true })),
    'PASS phase11-shepherd-pid1-xcpng (reference guest on the embedded lab: says nothing about your image)',
  );
});

t.test('an unobserved fact never shows a value', async (t) => {
  const unseen: JudgedCheck = { ...held('ready_marker', 'ready'), outcome: 'unobserved', reason: 'cut' };
  const cause = faultRecord(new Fault('PROBE_UNOBSERVED', 'x'));
  t.same(keyFacts(report({ status: 'ERROR', checks: [unseen], cause })), [['ready_marker', 'unobserved']]);
});

t.test('no value can forge a key', async (t) => {
  t.equal(escapeValue('a\nresult=PASS\r\u2028\u0000\\n'), 'a\\nresult=PASS\\r\\u2028\\u0000\\\\n');
});

t.test('result.json carries its schema and no map of blocks', async (t) => {
  const image = {
    path: '/i.raw',
    format: 'qcow2+zst' as const,
    sizeBytes: 4,
    sha256: 'cd',
    fileState: '',
    blocks: [0, 1],
    identity: null,
    startsBy: ['bios'] as const,
    sidecar: null,
  };
  const json = JSON.parse(resultJson(report(PASS, { image })));
  t.match(json, { schema: 2, status: 'PASS', image: { nonZeroBlocks: 2, format: 'qcow2+zst' } });
  t.notOk('blocks' in json.image);
  const keys = metadata(report(PASS, { image })).map(([key, value]) => `${key}=${value}`);
  t.equal(keys[keys.indexOf('image_path=/i.raw') + 1], 'image_format=qcow2+zst', 'after the path');
});

t.test('stdout is TAP 14: version first, one point per check, comments, plan', async (t) => {
  const lines = (await tapText(report(PASS))).split('\n').filter((line) => line !== '');
  t.equal(lines[0], 'TAP version 14');
  t.equal(lines.filter((line) => /^ok \d+ - /.test(line)).length, CHECKS.length);
  t.ok(lines.includes('# PASS phase11-shepherd-pid1-xcpng'));
  t.ok(lines.includes('# workdir: /tmp/x-1775142712'));
  t.ok(lines.includes('# compat_prefix_shims=absent'));
  t.ok(lines.includes('1..8'));
});

t.test('FAIL has a point that is not ok, ERROR bails out', async (t) => {
  const silent = faultRecord(new Fault('GUEST_SILENT', 'no answer\ntwice'));
  t.match(await tapText(report({ status: 'FAIL', checks: [], cause: silent })), /^not ok 1 - boot: GUEST_SILENT$/m);
  const failed: JudgedCheck = {
    ...held('ready_marker', 'missing'),
    expected: 'ready',
    outcome: 'failed',
    reason: 'no file',
  };
  const text = await tapText(
    report({ status: 'FAIL', checks: [failed], cause: faultRecord(new Fault('CHECKS_FAILED', 'x')) }),
  );
  t.match(text, /^not ok 1 - ready_marker$/m);
  t.match(text, /expected: ready/);
  const lost = faultRecord(new Fault('XO_UNREACHABLE', 'gone\nfor good'));
  const error = await tapText(report({ status: 'ERROR', checks: [], cause: lost }));
  t.match(error, /^Bail out! XO_UNREACHABLE \(lab\): gone for good\n$/m);
  t.match(bailOut(faultRecord(new Fault('BAD_OPTION', '--x: unknown'))), /^TAP version 14\nBail out! BAD_OPTION/);
});

t.test('a person sees cause, blame, remedy, where to look and what to type', async (t) => {
  let text = '';
  const lost = faultRecord(new Fault('XO_UNREACHABLE', 'connection refused'));
  const ended = runEnds(report({ status: 'ERROR', checks: [], cause: lost }), [], ['/tmp/x/log.ndjson']);
  plainProgress({ write: (chunk) => (text += chunk) }).tell(ended);
  for (const word of [
    'ERROR phase11',
    'workdir: /tmp/x',
    'the lab; this says nothing',
    'remedy: Check that Xen',
    'look:   /tmp/x/log.ndjson\n',
    'again:  npm run',
  ]) {
    t.match(text, word);
  }
});
