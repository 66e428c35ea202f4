/**
 * The tags that one run has on one object of Xen Orchestra while it holds something there (a lock on a VM, a ticket on
 * a pool): written and seen to be there, renewed before they expire, taken away and seen to be gone.
 */
import { type Clock, Deadline, retry } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import type { Session } from './session.ts';
import { isGone } from './xo-error.ts';

/** One try to take them away. */
const RELEASE_MS = 30_000;
const RELEASES = { retries: 3, minTimeoutMs: 500, onRetry: () => undefined };

export interface HeldTagsOptions {
  readonly session: Session;
  readonly type: 'VM' | 'pool';
  /** Uuid of the object. */
  readonly id: string;
  /** How messages call it, e.g. `the lock on VM …`. */
  readonly what: string;
}

export class HeldTags {
  readonly #options: HeldTagsOptions;
  readonly #released = new AbortController();
  #own: readonly string[] = [];
  #renewing: Promise<void> = Promise.resolve();

  constructor(options: HeldTagsOptions) {
    this.#options = options;
  }

  /** All tags of the object, as XO shows them now; also those of others. */
  all(): readonly string[] {
    const { session, type, id } = this.#options;
    return session.objects.get(type, id)?.tags ?? [];
  }

  /** Ours, whether or not they are shown. */
  get own(): readonly string[] {
    return this.#own;
  }

  /** @returns the tag @throws Fault XO_OBJECT_LATE, and as `Session.call` */
  async add(tag: string, deadline: Deadline): Promise<string> {
    const { session, id, what } = this.#options;
    // Before the call: an answer that is lost must not lose the tag.
    this.#own = [...this.#own, tag];
    await session.call('tag.add', { id, tag }, deadline);
    await session.objects.waitFor(deadline, `${what} to be shown`, 'XO_OBJECT_LATE', () =>
      this.all().includes(tag) ? { done: true } : { seen: 'its tag is not listed' },
    );
    return tag;
  }

  /** @throws Fault XO_OBJECT_LATE, and as `Session.call` */
  async drop(tags: readonly string[], deadline: Deadline): Promise<void> {
    const { session, id, what } = this.#options;
    for (const tag of tags) {
      await session.call('tag.remove', { id, tag }, deadline).catch((error: unknown) => {
        if (!isGone(error)) throw error; // on an object that somebody deleted nobody holds anything
      });
      this.#own = this.#own.filter((own) => own !== tag);
    }
    // Seen by ourselves, too: the same run may want it again at once, for its control.
    await session.objects.waitFor(deadline, `${what} to go`, 'XO_OBJECT_LATE', () => {
      const left = this.all().filter((tag) => tags.includes(tag));
      return left.length === 0 ? { done: true } : { seen: left.join(', ') };
    });
  }

  /** In place of ours, a new one; there is never none. @throws as `add` and `drop` */
  async replace(tag: string, deadline: Deadline): Promise<void> {
    const before = this.#own;
    await this.add(tag, deadline);
    await this.drop(before, deadline);
  }

  /**
   * From now on, until `stopRenewing`.
   * @param everyMs short enough for two rounds before a tag expires: one that fails is tried again with the next
   */
  renew(everyMs: number, clock: Clock, tag: () => string): void {
    this.#renewing = this.#renewAgain(everyMs, clock, tag);
  }

  async #renewAgain(everyMs: number, clock: Clock, tag: () => string): Promise<void> {
    const { signal } = this.#released;
    for (;;) {
      await clock.sleep(everyMs, signal);
      if (signal.aborted) return;
      try {
        await this.replace(tag(), Deadline.after(everyMs, signal, clock));
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
      }
    }
  }

  async stopRenewing(): Promise<void> {
    this.#released.abort(new Fault('INTERRUPTED', `${this.#options.what} is renewed no more`));
    await this.#renewing;
  }

  /** Takes all of ours away. @throws Fault as `drop`; they expire by themselves then */
  async release(deadline: Deadline): Promise<void> {
    await this.stopRenewing();
    await retry(deadline, RELEASES, () => this.drop(this.#own, deadline.within(RELEASE_MS)));
  }
}
