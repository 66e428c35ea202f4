/** For tests: a clock whose long sleeps end when that is said; short ones are as they are. */
import { type Clock, Deadline, systemClock } from '../../../harness/deadline.ts';

const MINUTE_MS = 60_000;

export interface MinutesByHand {
  readonly deadline: Deadline;
  /** Ends the sleep that was begun last. */
  pass(): void;
}

/** @param budgetMs of the deadline */
export function minutesByHand(budgetMs: number): MinutesByHand {
  let pass = (): void => undefined;
  const sleep: Clock['sleep'] = (ms, signal) => {
    if (ms < MINUTE_MS) return systemClock.sleep(ms, signal);
    return new Promise((resolve) => {
      pass = resolve;
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve());
    });
  };
  const deadline = Deadline.after(budgetMs, new AbortController().signal, { ...systemClock, sleep });
  return { deadline, pass: () => pass() };
}
