/**
 * A place among the guests of a pool. Runs that know nothing of each other share it: each writes a ticket on the pool,
 * lets it settle, and has its place when fewer than `max` others have one or came before. Tickets expire by Xen
 * Orchestra's clock and are renewed while somebody has them (decision 0018).
 */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { Deadline, type Look } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import { OURS, runTag } from './claims.ts';
import { xoNowMs } from './endpoint.ts';
import { HeldTags } from './held-tags.ts';
import type { Session } from './session.ts';
import {
  bornAfter,
  type Crowd,
  crowdBefore,
  crowded,
  describeCrowd,
  type LivingGuest,
  parseTicket,
  TICKET_GRACE_MS,
  type TicketTag,
  ticketTag,
} from './ticket-tag.ts';

export interface TicketOptions {
  readonly session: Session;
  readonly poolId: string;
  readonly runId: string;
  /** Guests of ours in the pool at a time. */
  readonly max: number;
  /** At least twice the lag of XO's objects, in ms. */
  readonly settleMs: number;
  /**
   * How many more guests the memory of the pool has room for, after `pending` that hold a place and have not begun.
   * It is asked only while somebody else has a place: who is alone is told by the pool itself.
   */
  readonly roomInMemory: (pending: number) => boolean;
  /** By which it must be our turn. */
  readonly deadline: Deadline;
  /** Told who is waited for, when that changes. */
  readonly onWait: (crowd: string) => void;
}

export interface Ticket {
  /** Gives the place back. @throws Fault as `Session.call`; it expires by itself then */
  release(deadline: Deadline): Promise<void>;
}

const TTL_MS = 3 * 60_000;
const RENEW_EVERY_MS = 60_000;
/** To give it back where the place was not got. */
const RELEASE_MS = 30_000;
/** One call, and the wait until it is shown. */
const CALL_MS = 60_000;

/** Guests of ours that are on, whoever made them. */
function livingGuests({ objects }: Session, poolId: string): readonly LivingGuest[] {
  const on = objects.all('VM').filter((vm) => vm.pool === poolId && vm.powerState !== 'Halted');
  return on.flatMap(({ name, uuid, tags }) => {
    if (!tags.includes(OURS)) return [];
    const run = tags.find((each) => each.startsWith(runTag('')))?.slice(runTag('').length) ?? null;
    return [{ run, shown: `${name} (${uuid})` }];
  });
}

class PoolTicket implements Ticket {
  readonly #options: TicketOptions;
  readonly #id = randomBytes(8).toString('hex');
  readonly #createdMs: number;
  readonly #tags: HeldTags;

  constructor(options: TicketOptions) {
    const { session, poolId: id } = options;
    this.#options = options;
    this.#tags = new HeldTags({ session, type: 'pool', id, what: `the ticket on pool ${id}` });
    this.#createdMs = bornAfter(this.#tags.all(), xoNowMs(session));
  }

  #text(state: TicketTag['state']): string {
    const { session, runId: run } = this.#options;
    const times = { createdMs: this.#createdMs, expiresMs: xoNowMs(session) + TTL_MS };
    return ticketTag({ state, id: this.#id, run, ...times }, hostname());
  }

  #add(state: TicketTag['state'], deadline: Deadline): Promise<string> {
    return this.#tags.add(this.#text(state), deadline);
  }

  #crowd(): Crowd {
    const { session, poolId, runId: run } = this.#options;
    const own = { id: this.#id, createdMs: this.#createdMs, run };
    return crowdBefore(this.#tags.all(), livingGuests(session, poolId), own, xoNowMs(session));
  }

  /** Null: there is a place. */
  #why(): string | null {
    const { session, poolId, max, roomInMemory } = this.#options;
    if (!session.objects.poolPresent(poolId)) return 'Xen Orchestra does not show the pool';
    const crowd = this.#crowd();
    if (crowded(crowd) >= max) return `${crowded(crowd)} of ${max} guests: ${describeCrowd(crowd)}`;
    if (crowd.holders.length + crowd.strays.length === 0) return null;
    const begun = new Set(livingGuests(session, poolId).map(({ run }) => run));
    const pending = crowd.holders.filter(({ run }) => !begun.has(run)).length + crowd.earlier.length;
    return roomInMemory(pending) ? null : `no host has memory for one more beside ${describeCrowd(crowd)}`;
  }

  #look(): Look<true> {
    const { onWait } = this.#options;
    const why = this.#why();
    if (why === null) return { done: true };
    // Expiry dates move with each renewal: who is waited for is news, until when is not.
    const who = why.replace(/, until [^;]+/g, '');
    if (who !== this.#told) onWait(why);
    this.#told = who;
    return { seen: why };
  }
  #told = '';

  /** Waits for a place as long as the claim is fresh. @returns false: it wants to be renewed first */
  async #placeSeen(): Promise<boolean> {
    const { session, deadline, max } = this.#options;
    const limit = deadline.within(RENEW_EVERY_MS);
    try {
      return await session.objects.waitFor(limit, `one of ${max} places in the pool`, 'NO_FREE_TICKET', () =>
        this.#look(),
      );
    } catch (error) {
      if (!(error instanceof Fault && error.code === 'NO_FREE_TICKET')) throw error;
      if (!deadline.expired()) return false;
      const waited = `not its turn within ${(deadline.budgetMs / 1000).toFixed(0)} s`;
      throw new Fault('NO_FREE_TICKET', `${waited}; ${this.#why() ?? 'it is now'}`, { cause: error });
    }
  }

  async acquire(): Promise<this> {
    const { deadline, settleMs } = this.#options;
    let claim = await this.#add('claim', deadline.within(CALL_MS));
    for (let settled = false; ; ) {
      if (!settled) await deadline.clock.sleep(settleMs, deadline.signal);
      deadline.check();
      settled = true;
      if (!(await this.#placeSeen())) {
        const fresh = await this.#add('claim', deadline.within(CALL_MS));
        await this.#tags.drop([claim], deadline.within(CALL_MS));
        claim = fresh;
        continue;
      }
      const lookedMs = deadline.clock.nowMs();
      const held = await this.#add('held', deadline.within(CALL_MS));
      // What was seen must still hold when others see our tag: after a slow call somebody else may have won meanwhile.
      const inTime = deadline.clock.nowMs() - lookedMs <= settleMs / 2;
      await this.#tags.drop([inTime ? claim : held], deadline.within(CALL_MS));
      if (inTime) break;
      settled = false;
    }
    await this.#clearExpired();
    // Should it expire all the same, the guest that is on still counts for everybody.
    this.#tags.renew(RENEW_EVERY_MS, deadline.clock, () => this.#text('held'));
    return this;
  }

  /** What runs left that were killed. Only with a place in hand, so that it costs nobody's turn. */
  async #clearExpired(): Promise<void> {
    const { session, poolId, deadline } = this.#options;
    const dead = this.#tags.all().filter((tag) => {
      const ticket = parseTicket(tag);
      return ticket !== null && ticket.id !== this.#id && ticket.expiresMs + TICKET_GRACE_MS <= xoNowMs(session);
    });
    for (const tag of dead) await session.call('tag.remove', { id: poolId, tag }, deadline.within(CALL_MS));
  }

  release(deadline: Deadline): Promise<void> {
    return this.#tags.release(deadline);
  }
}

/**
 * Waits until it is our turn. Where that fails nothing of ours stays on the pool.
 * @throws Fault NO_FREE_TICKET naming who has the places, XO_OBJECT_LATE, and as `Session.call`
 */
export async function takeTicket(options: TicketOptions): Promise<Ticket> {
  const ticket = new PoolTicket(options);
  try {
    return await ticket.acquire();
  } catch (error) {
    const deadline = Deadline.after(RELEASE_MS, new AbortController().signal, options.deadline.clock);
    await ticket.release(deadline).catch(() => undefined); // it expires by itself
    throw error;
  }
}
