/**
 * Keeps two runs off one VM. `tag.add` is no lock by itself: a claim is added, the notifications settle, and the lowest
 * claim becomes the holder. It expires by XO's clock, is renewed while it is held, and is gone afterwards.
 */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { Deadline } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import { HeldTags } from './held-tags.ts';
import { type LockTag, lockTag, parseLock } from './lock-tag.ts';
import type { Session } from './session.ts';

export interface LockOptions {
  readonly session: Session;
  readonly vmUuid: string;
  readonly runId: string;
  /** Runs that are known to be dead: what they asked for last may have come, or come yet, and holds nothing. */
  readonly deadRuns: ReadonlySet<string>;
  /** How long to wait for a run that holds it; 0: not at all. */
  readonly waitMs: number;
  /** At least twice the lag of XO's objects, in ms. */
  readonly settleMs: number;
  readonly deadline: Deadline;
  /** Told who is waited for. */
  readonly onWait: (holder: string) => void;
}

export interface Lock {
  /** Why it is not ours any more, as the VM's tags show it now; null: it is. */
  lost(): string | null;
  /** Takes our tags away. @throws Fault as `Session.call` */
  release(deadline: Deadline): Promise<void>;
  /** Holds it until then, by XO's clock, without being renewed any more. @throws Fault as `Session.call` */
  keepUntil(until: string, deadline: Deadline): Promise<void>;
}

const TTL_MS = 15 * 60_000;
const RENEW_EVERY_MS = 5 * 60_000;
/** Clocks and notifications may be that far off: an expired lock is believed for so long. */
const GRACE_MS = 2 * 60_000;
const WAIT_LOOK_MS = 2_000;

class VmLock implements Lock {
  readonly #options: LockOptions;
  readonly #id = randomBytes(8).toString('hex');
  readonly #tags: HeldTags;

  constructor(options: LockOptions) {
    const { session, vmUuid: id } = options;
    this.#options = options;
    this.#tags = new HeldTags({ session, type: 'VM', id, what: `the lock on VM ${id}` });
  }

  #xoNowMs(): number {
    return Date.now() + this.#options.session.endpoint.clockOffsetMs;
  }

  #text(state: LockTag['state'], expiresMs = this.#xoNowMs() + TTL_MS): string {
    const { runId: run } = this.#options;
    return lockTag({ state, id: this.#id, run, expiresMs }, hostname());
  }

  /** The VM's lock tags that are not ours. */
  #foreign(): readonly LockTag[] {
    const tags = this.#tags.all();
    return tags.flatMap((tag) => parseLock(tag) ?? []).filter(({ id }) => id !== this.#id);
  }

  #isOver({ expiresMs, run }: LockTag): boolean {
    return expiresMs + GRACE_MS <= this.#xoNowMs() || this.#options.deadRuns.has(run);
  }

  /** Those that may hold it. */
  #others(): readonly LockTag[] {
    return this.#foreign().filter((lock) => !this.#isOver(lock));
  }

  #add(state: LockTag['state'], deadline: Deadline): Promise<string> {
    return this.#tags.add(this.#text(state), deadline);
  }

  /** One try. @returns who has it, null: we do */
  async #attempt(): Promise<string | null> {
    const { deadline, settleMs } = this.#options;
    for (;;) {
      const before = this.#others();
      if (before[0]) return before[0].holder;
      const claim = await this.#add('claim', deadline);
      await deadline.clock.sleep(settleMs, deadline.signal);
      deadline.check();
      // A holder has won, whatever its number; of those that only claim the lowest does.
      const rival = this.#others().find(({ state, id }) => state === 'held' || id < this.#id);
      if (rival) {
        await this.#tags.drop([claim], deadline);
        return rival.holder;
      }
      const lookedMs = deadline.clock.nowMs();
      const held = await this.#add('held', deadline);
      // What was seen must still hold when others see our tag: after a slow call somebody else may have won meanwhile.
      const inTime = deadline.clock.nowMs() - lookedMs <= settleMs / 2;
      await this.#tags.drop(inTime ? [claim] : [held, claim], deadline);
      if (inTime) return null;
    }
  }

  async acquire(): Promise<this> {
    const { deadline, waitMs, vmUuid, onWait } = this.#options;
    const patience = deadline.within(waitMs);
    for (let told = ''; ; ) {
      const holder = await this.#attempt();
      if (holder === null) break;
      if (patience.expired()) throw new Fault('VM_LOCKED', `VM ${vmUuid} is held by ${holder}`);
      if (holder !== told) onWait(holder);
      told = holder;
      await deadline.clock.sleep(Math.min(WAIT_LOOK_MS, patience.remainingMs() + 1), deadline.signal);
      deadline.check();
    }
    await this.#clearOver();
    this.#tags.renew(RENEW_EVERY_MS, this.#options.deadline.clock, () => this.#text('held'));
    return this;
  }

  /** What a run left that was killed. Only with the lock in hand, so that nobody clears what is being renewed. */
  async #clearOver(): Promise<void> {
    const { session, vmUuid, deadline } = this.#options;
    const over = this.#foreign().filter((lock) => this.#isOver(lock));
    for (const { tag } of over) await session.call('tag.remove', { id: vmUuid, tag }, deadline);
  }

  lost(): string | null {
    const { own } = this.#tags;
    const shown = this.#tags
      .all()
      .filter((tag) => own.includes(tag))
      .flatMap((tag) => parseLock(tag) ?? []);
    if (shown.some(({ state, expiresMs }) => state === 'held' && expiresMs > this.#xoNowMs())) return null;
    const other = this.#others()[0];
    const why = shown.length === 0 ? 'somebody took the tag of its lock away' : 'its lock expired and was not renewed';
    return other === undefined ? why : `${why}; held by ${other.holder}`;
  }

  async keepUntil(until: string, deadline: Deadline): Promise<void> {
    await this.#tags.stopRenewing();
    await this.#tags.replace(this.#text('held', Date.parse(until)), deadline);
  }

  release(deadline: Deadline): Promise<void> {
    return this.#tags.release(deadline);
  }
}

/**
 * Takes the lock. Where that fails nothing of ours stays on the VM.
 * @throws Fault VM_LOCKED naming the holder, XO_OBJECT_LATE, and as `Session.call`
 */
export async function lockVm(options: LockOptions): Promise<Lock> {
  const lock = new VmLock(options);
  try {
    return await lock.acquire();
  } catch (error) {
    const deadline = Deadline.after(30_000, new AbortController().signal, options.deadline.clock);
    await lock.release(deadline).catch(() => undefined); // it expires by itself
    throw error;
  }
}
