/** Watches the text of the serial port, where the lab serves one, for a line that a guest never leaves by itself. */

import type { Clock } from '../deadline.ts';
import type { Guest } from '../lab.ts';
import { type Fatal, fatalSignature } from './console-signatures.ts';

const EVERY_MS = 300;
/** A fatal line must stand in two looks this far apart: then it is a state, not a moment. */
const SECOND_LOOK_MS = 600;
/** A lab without serial text seldom gets one. */
const NONE_EVERY_MS = 5_000;

export class SerialWatch {
  readonly #guest: Guest;
  readonly #clock: Clock;
  #text: string | null = null;

  constructor(guest: Guest, clock: Clock) {
    this.#guest = guest;
    this.#clock = clock;
  }

  /** As it was seen last; null: this lab serves none. */
  get text(): string | null {
    return this.#text;
  }

  /**
   * Looks until the signal, or until something fatal was seen twice, which it tells once.
   * @param from characters that are of the past
   */
  async run(
    ended: AbortSignal,
    onFatal: (fatal: Fatal) => void,
    from: number,
    onText: (text: string) => void = () => undefined,
  ): Promise<void> {
    let fatal: Fatal | null = null;
    let sinceMs = 0;
    let length = -1;
    while (!ended.aborted) {
      await this.look();
      if (ended.aborted) return;
      const text = this.#text?.slice(from) ?? '';
      const nowMs = this.#clock.nowMs();
      if (text.length !== length) {
        length = text.length;
        const before = fatal;
        fatal = fatalSignature(text);
        if (before === null) sinceMs = nowMs;
        onText(text);
      }
      if (fatal !== null && nowMs - sinceMs >= SECOND_LOOK_MS) return onFatal(fatal);
      await this.#clock.sleep(this.#text === null ? NONE_EVERY_MS : EVERY_MS, ended);
    }
  }

  /** Looks once. A console that cannot be read is no console, and the wait goes on. */
  async look(): Promise<void> {
    const console = await this.#guest.console().catch(() => undefined);
    if (console !== undefined) this.#text = console.text;
  }
}
