/** Looks at power state and console of a guest while somebody waits for it: nobody waits for a corpse. */
import { type Fatal, fatalSignature } from './console-signatures.ts';
import type { Deadline } from './deadline.ts';
import type { Guest, GuestDeath } from './lab.ts';

/** A fatal line must stand in two frames this far apart: then it is a state, not a moment. */
const SECOND_FRAME_MS = 3_000;
const CONSOLE_EVERY_MS = 1_000;

type WatchedGuest = Pick<Guest, 'death' | 'console'>;

/** Told of the console's text at each look. */
interface ConsoleSigns {
  console(text: string): void;
}

/** Looks at power state and console beside the SSH attempts. */
export class FatalWatch {
  readonly #guest: WatchedGuest;
  readonly #deadline: Deadline;
  readonly #signs: ConsoleSigns | null;
  readonly #onEnd: () => void;
  #firstSeenMs: number | null = null;
  fatal: Fatal | null = null;
  constructor(guest: WatchedGuest, deadline: Deadline, signs: ConsoleSigns | null, onEnd: () => void) {
    this.#guest = guest;
    this.#deadline = deadline;
    this.#signs = signs;
    this.#onEnd = onEnd;
  }
  get death(): GuestDeath | null {
    return this.#guest.death();
  }
  async until(ended: AbortSignal): Promise<void> {
    while (!ended.aborted) {
      await this.#deadline.clock.sleep(CONSOLE_EVERY_MS, ended);
      if (ended.aborted) return;
      const text = (await this.#consoleText())?.text ?? '';
      this.#signs?.console(text);
      const fatal = fatalSignature(text);
      const nowMs = this.#deadline.clock.nowMs();
      if (fatal === null) {
        this.#firstSeenMs = null;
      } else if (this.#firstSeenMs === null) {
        this.#firstSeenMs = nowMs;
      } else if (nowMs - this.#firstSeenMs >= SECOND_FRAME_MS) {
        this.fatal = fatal;
        return this.#onEnd();
      }
    }
  }
  async #consoleText(): Promise<{ readonly text: string } | undefined> {
    try {
      return await this.#guest.console();
    } catch {
      // A console that cannot be read is no console; the wait itself goes on.
      return undefined;
    }
  }
}
