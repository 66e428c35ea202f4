/**
 * Deadlines travel, durations do not. Polling is `until`; healing a lab fault is `retry`. The only
 * importer of p-retry.
 */
import pRetry, { AbortError } from 'p-retry';
import type { FaultCode } from './faults/fault-table.ts';
import { Fault } from './faults/faults.ts';

/** Time as the harness sees it; injected, so that no test sleeps. */
export interface Clock {
  /** Milliseconds, monotonic. */
  nowMs(): number;
  /** Resolves after `ms`, or at once when the signal aborts (without rejecting). */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** The real clock. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener('abort', done);
    }),
};

/** Calls `run` again and again, until what comes back is called. */
export type Repeat = (everyMs: number, run: () => void) => () => void;

/** By real time. Keeps no process alive. */
export const systemRepeat: Repeat = (everyMs, run) => {
  const timer = setInterval(run, everyMs);
  timer.unref();
  return () => clearInterval(timer);
};

/** A point in time by which something must have happened, and a signal that can end it earlier. */
export class Deadline {
  readonly clock: Clock;
  readonly atMs: number;
  readonly budgetMs: number;
  readonly signal: AbortSignal;
  private constructor(clock: Clock, budgetMs: number, signal: AbortSignal) {
    this.clock = clock;
    this.budgetMs = budgetMs;
    this.atMs = clock.nowMs() + budgetMs;
    this.signal = signal;
  }
  /** @param signal aborts with a Fault as its reason (an interrupt); whoever waits throws that. */
  static after(budgetMs: number, signal: AbortSignal, clock: Clock = systemClock): Deadline {
    return new Deadline(clock, budgetMs, signal);
  }
  /** The same signal and clock, at most `budgetMs` from now and never later than this one. */
  within(budgetMs: number): Deadline {
    return new Deadline(this.clock, Math.min(budgetMs, this.remainingMs()), this.signal);
  }
  remainingMs(): number {
    return Math.max(0, this.atMs - this.clock.nowMs());
  }
  expired(): boolean {
    return this.remainingMs() === 0;
  }
  /** Throws the interrupt if there was one. */
  check(): void {
    if (this.signal.aborted) throw this.signal.reason;
  }
}

/** How fast things go here, and what ends them. */
export interface Pace {
  /** Factor for all budgets of a scenario. */
  readonly budgetScale: number;
  /** Aborts with a Fault INTERRUPTED as its reason. */
  readonly signal: AbortSignal;
}

/** A budget of the scenario, in seconds, scaled for where the guest runs. */
export function budget({ budgetScale, signal }: Pace, seconds: number): Deadline {
  return Deadline.after(seconds * 1000 * budgetScale, signal);
}

/** What one look found: the thing itself, or what was seen instead, for the message at the end. */
export type Look<T> = { readonly done: T } | { readonly seen: string };

export interface UntilOptions {
  /** What is awaited, as it stands in the message: `<what> within 90 s`. */
  readonly what: string;
  readonly code: FaultCode;
  readonly everyMs: number;
}

/**
 * Looks until it is there. Gives up with what was awaited, how long, how many looks and the last
 * thing seen. A look that throws ends the wait.
 */
export async function until<T>(
  deadline: Deadline,
  options: UntilOptions,
  look: () => Promise<Look<T>> | Look<T>,
): Promise<T> {
  const startedMs = deadline.clock.nowMs();
  for (let looks = 1; ; looks++) {
    deadline.check();
    const result = await look();
    if ('done' in result) return result.done;
    deadline.check();
    if (deadline.expired()) {
      const seconds = ((deadline.clock.nowMs() - startedMs) / 1000).toFixed(1);
      throw new Fault(
        options.code,
        `${options.what}: not within ${seconds} s (${looks} looks); last seen: ${result.seen}`,
      );
    }
    await deadline.clock.sleep(Math.min(options.everyMs, Math.max(1, deadline.remainingMs())), deadline.signal);
  }
}

/**
 * Settles with `work`, or throws when the deadline or its signal comes first. The work itself goes
 * on; whoever calls passes it an abort of its own where that matters.
 */
export async function byDeadline<T>(deadline: Deadline, code: FaultCode, what: string, work: Promise<T>): Promise<T> {
  deadline.check();
  const stop = new AbortController();
  const forward = (): void => stop.abort();
  deadline.signal.addEventListener('abort', forward);
  try {
    const late = deadline.clock.sleep(deadline.remainingMs(), stop.signal).then((): never => {
      deadline.check();
      throw new Fault(code, `${what}: no answer within ${(deadline.budgetMs / 1000).toFixed(1)} s`);
    });
    late.catch(() => undefined);
    work.catch(() => undefined);
    return await Promise.race([work, late]);
  } finally {
    deadline.signal.removeEventListener('abort', forward);
    stop.abort();
  }
}

export interface RetryOptions {
  readonly retries: number;
  readonly minTimeoutMs: number;
  /** Told of each failure that will be retried. */
  readonly onRetry: (attempt: number, fault: Fault) => void;
}

/** What ends the tries. A new error: others may hold the one that was thrown, say each caller of a lost session. */
function lastOf(error: unknown, nth: number, tries: number): Error {
  if (!(error instanceof Fault)) return error instanceof Error ? error : new Error(String(error));
  if (nth === 1 || !error.retriable) return error;
  return new Fault(error.code, `${error.message} (try ${nth} of ${tries})`, { cause: error });
}

/**
 * Runs an *idempotent* call again after a retriable lab fault, within the deadline. A verdict on
 * the image is never retried, nor is a bug. A lab fault that ends it after the first try says which
 * try it was.
 */
export async function retry<T>(deadline: Deadline, options: RetryOptions, call: () => Promise<T>): Promise<T> {
  return pRetry(
    async (nth) => {
      try {
        deadline.check();
        return await call();
      } catch (error) {
        const heals = error instanceof Fault && error.retriable && !deadline.expired();
        if (heals && nth <= options.retries) throw error;
        throw new AbortError(lastOf(error, nth, options.retries + 1));
      }
    },
    {
      retries: options.retries,
      minTimeout: options.minTimeoutMs,
      maxTimeout: 10_000,
      factor: 2,
      randomize: false,
      maxRetryTime: deadline.remainingMs(),
      signal: deadline.signal,
      onFailedAttempt: ({ error, attemptNumber }) => {
        if (error instanceof Fault) options.onRetry(attemptNumber, error);
      },
    },
  );
}

/** A signal that also ends by time; `done` when nobody waits by it any more. */
export interface Limit {
  readonly signal: AbortSignal;
  done(): void;
}

/**
 * A signal that aborts with the one of `deadline`, and with `reason()` when its time is up: for work whose steps each
 * have a deadline of their own.
 */
export function limit(deadline: Deadline, reason: () => Fault): Limit {
  const late = new AbortController();
  const stop = new AbortController();
  void deadline.clock.sleep(deadline.remainingMs(), stop.signal).then(() => {
    if (!stop.signal.aborted) late.abort(reason());
  });
  return { signal: AbortSignal.any([deadline.signal, late.signal]), done: () => stop.abort() };
}
