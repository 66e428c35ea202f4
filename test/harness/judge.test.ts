import t from 'tap';
import type { FaultCode } from '../../harness/faults/fault-table.ts';
import { Fault, faultRecord } from '../../harness/faults/faults.ts';
import { exitCode, judge } from '../../harness/judge.ts';
import type { JudgedCheck, Outcome } from '../../harness/model.ts';

const check = (outcome: Outcome, name = 'ready_marker'): JudgedCheck => ({
  name,
  expected: 'ready',
  actual: outcome === 'held' ? 'ready' : 'missing',
  outcome,
  reason: outcome === 'held' ? '' : 'no such file',
  evidence: 'evidence.ndjson#1',
});
const fault = (code: FaultCode) => faultRecord(new Fault(code, 'as it happened'));

t.test('PASS is earned by at least one check, and by every one', async (t) => {
  t.equal(judge({ checks: [check('held')], fault: null }).status, 'PASS');
  t.equal(judge({ checks: [], fault: null }).status, 'ERROR', 'an empty run never passes');
  t.equal(judge({ checks: [check('held'), check('unobserved')], fault: null }).status, 'ERROR');
  t.equal(judge({ checks: [check('held'), check('failed')], fault: null }).status, 'FAIL');
});

t.test('a failed check is proof also beside one that could not be seen', async (t) => {
  const verdict = judge({ checks: [check('unobserved', 'a'), check('failed', 'b')], fault: null });
  t.equal(verdict.status, 'FAIL');
  t.match(verdict, { cause: { code: 'CHECKS_FAILED', message: /^b: / } });
});

t.test('a fault decides, whatever was judged before it', async (t) => {
  t.equal(judge({ checks: [check('held')], fault: fault('SSH_LOST') }).status, 'ERROR');
  t.equal(judge({ checks: [check('failed')], fault: fault('INTERRUPTED') }).status, 'ERROR');
  t.equal(judge({ checks: [check('failed')], fault: fault('WRONG_GUEST') }).status, 'ERROR');
  t.equal(judge({ checks: [check('held')], fault: fault('GUEST_SILENT') }).status, 'FAIL');
});

t.test('anything thrown that is no Fault is our own bug', async (t) => {
  const verdict = judge({ checks: [check('held')], fault: faultRecord(new TypeError('x is not a function')) });
  t.match(verdict, { status: 'ERROR', cause: { code: 'HARNESS_BUG', party: 'harness' } });
  t.equal(exitCode(verdict, []), 70);
});

t.test('exit codes are those of the design', async (t) => {
  const code = (faultCode: FaultCode) => exitCode(judge({ checks: [], fault: fault(faultCode) }), []);
  const pass = judge({ checks: [check('held')], fault: null });
  t.equal(exitCode(pass, []), 0);
  t.equal(exitCode(pass, ['VM x']), 3, 'a leak raises 0 to 3');
  t.equal(pass.status, 'PASS', 'and the result stays PASS');
  t.equal(code('GUEST_SILENT'), 1);
  t.equal(exitCode(judge({ checks: [check('failed')], fault: null }), ['VM x']), 1, 'a leak hides no FAIL');
  t.equal(code('BAD_OPTION'), 2);
  t.equal(code('XO_UNREACHABLE'), 3);
  t.equal(code('PROBE_UNOBSERVED'), 3);
  t.equal(code('HARNESS_BUG'), 70);
  t.equal(code('INTERRUPTED'), 130);
});
