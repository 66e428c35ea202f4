/**
 * Undo before do: what must be taken back is registered, and its intent is on disk, before the
 * call that creates. Clean-up runs newest first, each on its own, and never replaces a verdict. What a person wants to
 * look at can be kept instead, until a time that stands in the lab itself.
 */
import type { Deadline } from './deadline.ts';
import { faultRecord } from './faults/faults.ts';
import type { FaultRecord, Json } from './model.ts';

/** Writes one line to the workdir's journal and returns when it is on disk. */
export type Journal = (entry: Readonly<Record<string, Json>>) => void;

/** Takes one thing back. Returns what stayed (`<type> <uuid> <why>`), empty when it is gone. */
export type Undo = (deadline: Deadline) => Promise<readonly string[]>;

/**
 * Makes one thing stay until then, where others who sweep the lab see it.
 * @param until by the lab's clock, ISO 8601
 * @throws Fault where the lab could not be told
 */
export type Keep = (until: string, deadline: Deadline) => Promise<void>;

interface Registered {
  readonly what: string;
  readonly undo: Undo;
  /** Null: no part of a guest; it is taken back also where the guest is kept. */
  readonly keep: Keep | null;
}

/** The disposals of one guest, or of one case. */
export class Disposals {
  readonly #journal: Journal;
  readonly #stack: Registered[] = [];
  /** Why the first end of a clean-up could not be written; null: all were. */
  unwritten: FaultRecord | null = null;
  constructor(journal: Journal) {
    this.#journal = journal;
  }
  /** To be called before the create call. `details` name the claim, so that a sweep can find the thing. */
  register(what: string, details: Readonly<Record<string, Json>>, undo: Undo, keep: Keep | null = null): void {
    this.#journal({ event: 'intent', what, ...details });
    this.#stack.push({ what, undo, keep });
  }
  /** A fact learnt later (the uuid), for the journal. */
  note(what: string, details: Readonly<Record<string, Json>>): void {
    this.#journal({ event: 'note', what, ...details });
  }
  get pending(): number {
    return this.#stack.length;
  }
  /**
   * Keeps what is part of a guest and undoes the rest, newest first. All of it can still be undone: see `kept`.
   * @returns what should have gone and stayed
   * @throws Fault where something could not be kept; then everything is to be undone
   */
  async keep(until: string, deadline: Deadline): Promise<readonly string[]> {
    const rest: Registered[] = [];
    for (const each of this.#stack.toReversed()) {
      if (each.keep === null) {
        rest.push(each);
        continue;
      }
      await each.keep(until, deadline);
      this.#journal({ event: 'kept', what: each.what, until });
    }
    const others = new Disposals(this.#journal);
    others.#stack.push(...rest.reverse());
    this.#stack.splice(0, this.#stack.length, ...this.#stack.filter(({ keep }) => keep !== null));
    return others.run(deadline);
  }
  /** From here on what was kept is its keeper's: nothing here will undo it. */
  kept(): void {
    this.#stack.length = 0;
  }
  /** Undoes everything, newest first. A failure is one more thing that stayed. Never throws. */
  async run(deadline: Deadline): Promise<readonly string[]> {
    const left: string[] = [];
    for (let next = this.#stack.pop(); next !== undefined; next = this.#stack.pop()) {
      try {
        const stayed = await next.undo(deadline);
        left.push(...stayed);
        this.#tryJournal({ event: stayed.length === 0 ? 'undone' : 'stayed', what: next.what, stayed });
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        left.push(`${next.what}: ${why}`);
        this.#tryJournal({ event: 'undo-failed', what: next.what, why });
      }
    }
    return left;
  }
  /** The intent is on disk already; that the end cannot be written (full disk) must not leave the rest standing. */
  #tryJournal(entry: Readonly<Record<string, Json>>): void {
    try {
      this.#journal(entry);
    } catch (error) {
      this.unwritten ??= faultRecord(error);
    }
  }
}
