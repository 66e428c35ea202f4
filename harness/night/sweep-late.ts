/** A sweep that is repeated while something may come that a run had asked for when it was killed. */
import type { Deadline } from '../deadline.ts';
import type { SweepLines } from '../lab.ts';

/** What was asked for when the run died comes within seconds, as a rule. */
const LATE_MS = 60_000;
const LOOK_MS = 3_000;

export interface LateSweep {
  readonly deadline: Deadline;
  sweep(deadline: Deadline): Promise<SweepLines>;
  /** Runs that may leave more, as it looks now. */
  pending(): readonly string[];
}

export interface SweptLate {
  /** Of all looks together. */
  readonly swept: SweepLines;
  /** Runs of which something may come still. */
  readonly late: readonly string[];
}

/** @throws as `sweep`, and the interrupt */
export async function sweepWithLate({ deadline, sweep, pending }: LateSweep): Promise<SweptLate> {
  const patience = deadline.within(LATE_MS);
  const removed: string[] = [];
  for (;;) {
    const swept = await sweep(deadline);
    removed.push(...swept.removed);
    const late = pending();
    if (late.length === 0 || swept.stayed.length > 0 || patience.expired()) {
      return { swept: { ...swept, removed }, late };
    }
    await deadline.clock.sleep(LOOK_MS, deadline.signal);
    deadline.check();
  }
}
