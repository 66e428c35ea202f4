/**
 * A lab that outlives the one who started it, since somebody wants to look at a guest in it: told so by a line on
 * stdin. It ends when the last VM and the last disk are gone, and at its time in any case.
 */

export interface HoldOptions {
  /** Is there nothing left that somebody could want? */
  readonly isEmpty: () => boolean;
  /** Time of day in ms; a timer would stand still while the machine sleeps. */
  readonly nowMs: () => number;
}

/** Whoever removed the last thing may still want to list that it is gone. */
const EMPTY_FOR_MS = 10_000;
/** Longest hold: eight days. */
const HOLD_MS_MAX = 8 * 24 * 3_600_000;

export class Hold {
  readonly #options: HoldOptions;
  #untilMs: number | null = null;
  #emptySinceMs: number | null = null;

  constructor(options: HoldOptions) {
    this.#options = options;
  }

  /** @param line `hold <milliseconds>`. @returns the answer to it; null: not such a line, which is ignored */
  hear(line: string): string | null {
    const forMs = Number(/^hold (\d{1,12})$/.exec(line)?.[1] ?? Number.NaN);
    if (!(forMs > 0)) return null;
    this.#untilMs = this.#options.nowMs() + Math.min(forMs, HOLD_MS_MAX);
    return JSON.stringify({ event: 'held', until: new Date(this.#untilMs).toISOString() });
  }

  get isHeld(): boolean {
    return this.#untilMs !== null;
  }

  /** To be asked every second or so. @returns why the lab ends now; null: it does not */
  over(): string | null {
    const { nowMs, isEmpty } = this.#options;
    const now = nowMs();
    if (this.#untilMs === null || now >= this.#untilMs) return 'its time is over';
    this.#emptySinceMs = isEmpty() ? (this.#emptySinceMs ?? now) : null;
    return this.#emptySinceMs !== null && now - this.#emptySinceMs >= EMPTY_FOR_MS ? 'nothing is left in it' : null;
  }
}
