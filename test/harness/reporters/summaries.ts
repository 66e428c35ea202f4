/** For tests: summaries of cases that ended in every way there is, with texts that a hostile guest would send. */
import { Fault, faultRecord } from '../../../harness/faults/faults.ts';
import { judge } from '../../../harness/judge.ts';
import type { JudgedCheck, Outcome } from '../../../harness/model.ts';
import type { CaseSummary, Summary } from '../../../harness/report/summary.ts';

/** What XML, HTML and Markdown read as markup, what TAP reads as an end, and what XML cannot hold at all. */
export const HOSTILE =
  '<script>alert(1)</script> & "x" | `a` [b](http://c) @d #1\n]]>\u0000\u001b[31m\ud800\r\nBail out!';

export const check = (name: string, outcome: Outcome, actual = 'there'): JudgedCheck => ({
  ...{ name, expected: 'there', actual, outcome, evidence: 'evidence.ndjson#3' },
  reason: outcome === 'held' ? '' : `why ${name}`,
});

export function caseOf(name: string, changes: Partial<CaseSummary>): CaseSummary {
  return {
    ...{ name: `phase9/${name}/pool1`, scenario: 'phase9-xcpng-boot', image: name, imageSha256: 'ab', lab: 'pool1' },
    ...{ runId: `run-${name}`, verdict: judge({ checks: [check('uname', 'held')], fault: null }), exitCode: 0 },
    ...{
      leaked: [],
      startedAt: '2026-11-26T01:02:03.456Z',
      seconds: 61.25,
      workdir: `/w/${name}`,
      repeat: `again ${name}`,
    },
    ...{ retried: [], known: [] },
    ...changes,
  };
}

const lost = faultRecord(new Fault('XO_UNREACHABLE', `no answer ${HOSTILE}`));
const panicked = faultRecord(new Fault('GUEST_PANICKED', 'panic: page fault'));
export const note = {
  check: 'ready',
  reason: 'the marker moved',
  link: 'https://tracker.example/1',
  expires: '2026-12-31',
};

export const PASSED = caseOf('good', {});
export const FAILED = caseOf('bad', {
  verdict: judge({ checks: [check('uname', 'held'), check('ready', 'failed', HOSTILE)], fault: null }),
  exitCode: 1,
});
export const KNOWN = caseOf('known', {
  verdict: judge({ checks: [check('uname', 'held'), check('ready', 'failed')], fault: null }),
  exitCode: 1,
  known: [note],
});
export const PANICKED = caseOf('panicked', { verdict: judge({ checks: [], fault: panicked }), exitCode: 1 });
export const LOST = caseOf('lost', {
  verdict: judge({ checks: [check('uname', 'held')], fault: lost }),
  exitCode: 3,
  retried: [{ cause: lost, seconds: 3, workdir: '/w/lost-1', leaked: [] }],
});
export const UNSEEN = caseOf('unseen', {
  verdict: judge({ checks: [check('ready', 'unobserved')], fault: null }),
  exitCode: 3,
});
export const LEAKED = caseOf('leaky', { leaked: ['VM 12 bootwitness x'], exitCode: 3 });
export const SKIPPED = caseOf('skipped', { verdict: { status: 'SKIP', checks: [], reason: 'not today' } });

export const ALL = [PASSED, FAILED, KNOWN, PANICKED, LOST, UNSEEN, LEAKED, SKIPPED] as const;

export const summary = (cases: readonly CaseSummary[], remarks: Summary['remarks'] = []): Summary => ({
  ...{ title: 'nightly', startedAt: '2026-11-26T01:00:00.000Z', seconds: 3661.5, exitCode: 1, cases, remarks },
});
