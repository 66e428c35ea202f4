/**
 * How long this process did not get on: a machine that is out of memory or has far too much to do, a container that is
 * frozen. Whoever could not ask must not say that nobody answered.
 */
import { systemClock } from '../deadline.ts';

const EVERY_MS = 250;
/** A gap up to this is everyday: other work of this process, a moment without a core. */
const USUAL_GAP_MS = 1_000;
/** From this share of a wait on, what was not heard says nothing. */
const SHARE_MAX = 0.25;

/** A moment that a wait begins at. */
export interface Since {
  readonly atMs: number;
  readonly stoodMs: number;
}

export class Standstill {
  readonly #now: () => number;
  #lastMs: number;
  #stoodMs = 0;

  /** @param now milliseconds, monotonic */
  constructor(now: () => number) {
    this.#now = now;
    this.#lastMs = now();
  }

  /** Called every 250 ms, when this process is on time. */
  tick(): void {
    const nowMs = this.#now();
    const gapMs = nowMs - this.#lastMs;
    if (gapMs > USUAL_GAP_MS) this.#stoodMs += gapMs;
    this.#lastMs = nowMs;
  }

  begin(): Since {
    this.tick();
    return { atMs: this.#lastMs, stoodMs: this.#stoodMs };
  }

  /** Milliseconds that it stood still since then, where that is much of the time; null: it is not. */
  since({ atMs, stoodMs }: Since): number | null {
    this.tick();
    const stood = this.#stoodMs - stoodMs;
    return stood > 0 && stood >= (this.#lastMs - atMs) * SHARE_MAX ? Math.round(stood) : null;
  }
}

/** That of this process; null: nobody watches, as where many runs share one process. */
let ofThisProcess: Standstill | null = null;

/** Begins to watch this process, until the signal, by waits that are late whenever it is. */
export function watchStandstill(ended: AbortSignal): void {
  const watched = new Standstill(systemClock.nowMs);
  const watch = async (): Promise<void> => {
    while (!ended.aborted) {
      await systemClock.sleep(EVERY_MS, ended);
      watched.tick();
    }
    if (ofThisProcess === watched) ofThisProcess = null;
  };
  ofThisProcess = watched;
  void watch();
}

/** @returns what tells at the end of a wait that begins now for how long nobody could listen */
export function listening(): () => number | null {
  const watched = ofThisProcess;
  const since = watched?.begin();
  return () => (watched === null || since === undefined ? null : watched.since(since));
}
