/** Says on an entry in the making that its maker lives and gets on, so that nobody waits for one that is dead. */
import { Deadline } from '../../deadline.ts';
import { Fault } from '../../faults/faults.ts';
import type { Progress } from '../../lab.ts';
import type { Making } from '../making.ts';
import { aliveTag } from './entry-tags.ts';

const BEAT_MS = 5_000;
/** Without a sign of life for so long its maker counts as dead. */
export const STALLED_MS = 30_000;

export class Heartbeat {
  readonly #making: Making;
  readonly #id: string;
  readonly #stopped = new AbortController();
  readonly #beating: Promise<void>;
  #beats = 0;
  #sent = { done: 0, total: 0 };
  #sentAtBeat = -1;

  /** @param id of the entry's VM */
  constructor(making: Making, id: string) {
    this.#making = making;
    this.#id = id;
    this.#beating = this.#beat();
  }

  /** To be told of the upload: one that stands still is no sign of life. */
  readonly onUpload: Progress = (done, total) => {
    this.#sent = { done, total };
    this.#making.order.onUpload(done, total);
  };

  async #beat(): Promise<void> {
    const { session, order } = this.#making;
    const { clock, signal } = order.deadline;
    const either = AbortSignal.any([signal, this.#stopped.signal]);
    for (;;) {
      await clock.sleep(BEAT_MS, either);
      if (either.aborted) return;
      const { done, total } = this.#sent;
      const stands = done < total && done === this.#sentAtBeat;
      this.#sentAtBeat = done;
      if (stands) continue;
      const deadline = Deadline.after(BEAT_MS, either, clock);
      try {
        await session.call('tag.add', { id: this.#id, tag: aliveTag(++this.#beats) }, deadline);
        await session.call('tag.remove', { id: this.#id, tag: aliveTag(this.#beats - 1) }, deadline);
      } catch (error) {
        // The next one tries again; a session that is lost for good is told by whoever makes the entry.
        if (!either.aborted && !(error instanceof Fault)) throw error;
      }
    }
  }

  /** Nothing is written after that. @returns the tags that may stand on the entry */
  async stop(): Promise<readonly string[]> {
    this.#stopped.abort(new Fault('INTERRUPTED', 'the entry is made'));
    await this.#beating;
    const last = this.#beats;
    return last === 0 ? [] : [aliveTag(last - 1), aliveTag(last)];
  }
}
