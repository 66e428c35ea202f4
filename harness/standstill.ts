/**
 * How long this process did not get on: a machine that is out of memory or has far too much to do, a container that is
 * frozen, a laptop that slept. Whoever could not ask must not say that nobody answered.
 */
import { systemClock } from './deadline.ts';

const EVERY_MS = 250;
/** A gap up to this is everyday: other work of this process, a moment without a core. */
const USUAL_GAP_MS = 1_000;
/** From this share of a wait on, what was not heard says nothing. */
const SHARE_MAX = 0.25;

export class Standstill {
  readonly #now: () => number;
  readonly #startedMs: number;
  #lastMs: number;
  #stoodMs = 0;

  /** @param now milliseconds, monotonic */
  constructor(now: () => number) {
    this.#now = now;
    this.#startedMs = now();
    this.#lastMs = this.#startedMs;
  }

  /** Begins to watch, by waits that are late whenever this process is, until the signal. */
  static watch(ended: AbortSignal): Standstill {
    const watched = new Standstill(systemClock.nowMs);
    const watch = async (): Promise<void> => {
      while (!ended.aborted) {
        await systemClock.sleep(EVERY_MS, ended);
        watched.tick();
      }
    };
    void watch();
    return watched;
  }

  /** Called every 250 ms, when this process is on time. */
  tick(): void {
    const nowMs = this.#now();
    const gapMs = nowMs - this.#lastMs;
    if (gapMs > USUAL_GAP_MS) this.#stoodMs += gapMs;
    this.#lastMs = nowMs;
  }

  /** Milliseconds that it stood still, where that is much of the time since the start; null: it is not. */
  get stoodMs(): number | null {
    this.tick();
    const allMs = this.#lastMs - this.#startedMs;
    return this.#stoodMs > 0 && this.#stoodMs >= allMs * SHARE_MAX ? Math.round(this.#stoodMs) : null;
  }
}
