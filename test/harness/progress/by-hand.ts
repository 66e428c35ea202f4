/** For tests: progress whose clock and ticks go on when they are told to. */
import type { CaseEnds, Happening, Of } from '../../../harness/progress/event.ts';
import { Progress, type Reporter } from '../../../harness/progress/progress.ts';

export interface ByHand {
  readonly progress: Progress;
  /** So many seconds later; everything that ticks has ticked once. */
  go(seconds: number): void;
  tell(happening: Happening, of?: Of): void;
}

export function byHand(...reporters: readonly Reporter[]): ByHand {
  let nowMs = 0;
  const ticks = new Set<() => void>();
  const repeat = (_: number, run: () => void): (() => void) => {
    ticks.add(run);
    return () => void ticks.delete(run);
  };
  const time = (): string => new Date(Date.UTC(2026, 10, 26) + nowMs).toISOString();
  const progress = new Progress(reporters, { clock: { nowMs: () => nowMs }, time, repeat });
  const go = (seconds: number): void => {
    nowMs += seconds * 1000;
    for (const run of ticks) run();
  };
  return { progress, go, tell: progress.tell };
}

/** Of a night. */
export const of = (name: string, attempt = 1): Of => ({ case: name, attempt });

const MIB = 1_048_576;
export const upload = (done: number, total: number): Happening => ({
  ...{ event: 'transfer', what: 'upload', doneBytes: done * MIB, totalBytes: total * MIB },
});
export const stage = (name: string, budgetS: number | null): Happening => ({
  ...{ event: 'stage-begins', stage: name, guest: 'image', boot: 1, budgetS },
});
export const runBegins: Happening = {
  ...{ event: 'run-begins', runId: 'r-1', scenario: 'phase9-xcpng-boot', lab: 'pool1', image: null },
};
export const nightBegins = (lab: string, cases: readonly string[], lanes = 2): Happening => ({
  ...{ event: 'night-begins', night: 'n', plan: '/p.toml', dir: '/nights/n', labs: [{ lab, lanes, cases }] },
});
export const caseEnds = (status: 'PASS' | 'FAIL' | 'ERROR', seconds: number): CaseEnds => ({
  ...{
    event: 'case-ends',
    lab: 'pool1',
    status,
    standing: status === 'PASS' ? 'pass' : status === 'FAIL' ? 'fail' : 'error',
  },
  cause: status === 'PASS' ? null : { code: 'WHY', party: 'lab', message: 'because', remedy: 'Do it.' },
  ...{ skipped: null, exitCode: status === 'PASS' ? 0 : 3, seconds, attempts: 1, leaked: [], workdir: '/w' },
});
