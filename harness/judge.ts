/**
 * Checks and a fault in, a Verdict out. The only maker of verdicts; pure. PASS is earned: at least
 * one check, every one of them held, and nothing that stopped the case.
 */
import { Fault, faultRecord } from './faults/faults.ts';
import type { FaultRecord, JudgedCheck, Verdict } from './model.ts';

/** What is known at the end of a case. */
export interface Findings {
  readonly checks: readonly JudgedCheck[];
  /** What stopped the case, or null where it ran to its end. */
  readonly fault: FaultRecord | null;
}

/**
 * - A fault ends it: the image's is FAIL, everyone else's (and nobody's) is ERROR. Checks that were
 *   judged before it are kept in the report but cannot make it better or worse.
 * - A failed check is proof against the image, also beside one that could not be observed.
 * - An unobserved check shows nothing: never PASS, never FAIL.
 */
export function judge({ checks, fault }: Findings): Verdict {
  if (fault !== null) {
    return fault.party === 'image'
      ? { status: 'FAIL', checks, cause: fault }
      : { status: 'ERROR', checks, cause: fault };
  }
  const failed = checks.filter((check) => check.outcome === 'failed');
  if (failed.length > 0) {
    const cause = faultRecord(new Fault('CHECKS_FAILED', failed.map(sentence).join('; ')));
    return { status: 'FAIL', checks, cause };
  }
  const unobserved = checks.filter((check) => check.outcome !== 'held');
  if (unobserved.length > 0) {
    const cause = faultRecord(new Fault('PROBE_UNOBSERVED', unobserved.map(sentence).join('; ')));
    return { status: 'ERROR', checks, cause };
  }
  const [first, ...rest] = checks;
  if (first === undefined) {
    return { status: 'ERROR', checks, cause: faultRecord(new Error('a case ended without a single check')) };
  }
  return { status: 'PASS', checks: [first, ...rest] };
}

function sentence(check: JudgedCheck): string {
  return `${check.name}: expected ${check.expected}, was ${check.actual}${check.reason ? ` (${check.reason})` : ''}`;
}

/** Exit code of a case (design §3). A leak after a PASS raises 0 to 3; the result stays PASS. */
export function exitCode(verdict: Verdict, leaked: readonly string[]): number {
  switch (verdict.status) {
    case 'PASS':
      return leaked.length > 0 ? 3 : 0;
    case 'SKIP':
      return 0;
    case 'FAIL':
      return 1;
    case 'ERROR':
      if (verdict.cause.code === 'INTERRUPTED') return 130;
      if (verdict.cause.party === 'caller') return 2;
      return verdict.cause.party === 'harness' ? 70 : 3;
    default: {
      const never: never = verdict;
      return never;
    }
  }
}
