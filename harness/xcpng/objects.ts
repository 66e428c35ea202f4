/**
 * What Xen Orchestra shows of its pools, kept from its notifications. Waits here are for objects and
 * never for replies, since replies run ahead of the objects.
 */
import type { Deadline, Look } from '../deadline.ts';
import type { FaultCode } from '../faults/fault-table.ts';
import { Fault } from '../faults/faults.ts';
import { objectMap, PARSERS, parseClaimable, type Vm, type WireObject, type WireType } from './wire.ts';

type Raw = Readonly<Record<string, unknown>>;

const LOOK_EVERY_MS = 5_000;
/** "No such object" runs ahead of the notification that the pool was lost. */
const POOL_NEWS_MS = 500;

export class ObjectStore {
  readonly #objects = new Map<string, Raw>();
  /** Ids that a notification told of before the first listing was there: the notification wins. */
  #toldBefore: Set<string> | null = new Set();
  /** Every pool that was ever listed. */
  readonly #poolsSeen = new Set<string>();
  readonly #listeners = new Set<() => void>();
  #closed: Fault | null = null;
  #malformed: Fault | null = null;

  /** Takes the params of a notification `all`. What cannot be read is thrown at whoever looks next. */
  notify(params: unknown): void {
    try {
      this.#take(params);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.#malformed ??= error;
    }
    this.#changed();
  }

  #take(params: unknown): void {
    const { type, items } = (params ?? {}) as { type?: unknown; items?: unknown };
    if (type === 'exit') {
      for (const id of Object.keys(items ?? {})) {
        this.#toldBefore?.add(id);
        this.#objects.delete(id);
      }
      return;
    }
    if (type !== 'enter') return;
    for (const [id, raw] of objectMap(items, 'a notification')) {
      this.#toldBefore?.add(id);
      this.#put(id, raw);
    }
  }

  #put(id: string, raw: Raw): void {
    this.#objects.set(id, raw);
    if (raw.type === 'pool') this.#poolsSeen.add(id);
  }

  /** A new connection: from now on notifications run ahead of a listing that is still to come. */
  expectListing(): void {
    this.#toldBefore = new Set();
  }

  /**
   * Takes the reply of `xo.getAllObjects`: what is neither in it nor told since has left.
   * @throws Fault XO_OBJECT_MALFORMED
   */
  seed(reply: unknown): void {
    const listing = objectMap(reply, 'xo.getAllObjects');
    for (const id of [...this.#objects.keys()]) {
      if (!listing.has(id) && !this.#toldBefore?.has(id)) this.#objects.delete(id);
    }
    for (const [id, raw] of listing) {
      if (!this.#toldBefore?.has(id)) this.#put(id, raw);
    }
    this.#toldBefore = null;
    this.#changed();
  }

  /** No more news will come: every wait ends with this fault. */
  close(why: Fault): void {
    this.#closed ??= why;
    this.#changed();
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  /** @throws Fault XO_OBJECT_MALFORMED */
  get<T extends WireType>(type: T, id: string): WireObject<T> | undefined {
    if (this.#malformed) throw this.#malformed;
    const raw = this.#objects.get(id);
    return raw?.type === type ? (PARSERS[type](id, raw) as WireObject<T>) : undefined;
  }

  /** Everything by id, as XO sent it; it changes with each notification. */
  get raws(): ReadonlyMap<string, Raw> {
    return this.#objects;
  }

  /** As XO sent it; for comparing, not for reading. */
  raw(id: string): Raw | undefined {
    return this.#objects.get(id);
  }

  /** Whatever its type is now. */
  has(id: string): boolean {
    return this.#objects.has(id);
  }

  /** @throws Fault XO_OBJECT_MALFORMED */
  all<T extends WireType>(type: T): WireObject<T>[] {
    if (this.#malformed) throw this.#malformed;
    const found: WireObject<T>[] = [];
    for (const [id, raw] of this.#objects) {
      if (raw.type === type) found.push(PARSERS[type](id, raw) as WireObject<T>);
    }
    return found;
  }

  /** VMs with this tag, those that are still being cloned included. */
  tagged(tag: string): Vm[] {
    const found: Vm[] = [];
    for (const [id, raw] of this.#objects) {
      const isVm = raw.type === 'VM' || raw.type === 'VM-template';
      if (isVm && Array.isArray(raw.tags) && raw.tags.includes(tag)) found.push(parseClaimable(id, raw));
    }
    return found;
  }

  /**
   * Is the pool itself there, with a host? When XO loses its pool for a second, all of the pool's
   * objects leave at once for up to two minutes: only while this is true does "no such VM" mean that
   * the VM is gone.
   */
  poolPresent(poolId: string): boolean {
    if (this.#objects.get(poolId)?.type !== 'pool') return false;
    for (const raw of this.#objects.values()) if (raw.type === 'host' && raw.$pool === poolId) return true;
    return false;
  }

  /**
   * When XO loses its pool for a second, it says "no such object" for up to two minutes. Nothing was carried out then,
   * so that what was refused may be sent again once the pool is back: waits for that. False: it was there all along.
   * @throws Fault XO_OBJECT_LATE, the one that ended the session, and the interrupt
   */
  async poolCameBack(deadline: Deadline): Promise<boolean> {
    const missing = (): readonly string[] => [...this.#poolsSeen].filter((id) => !this.poolPresent(id));
    const news = deadline.within(POOL_NEWS_MS);
    while (missing().length === 0) {
      if (news.expired()) return false;
      await this.news(news);
      deadline.check();
    }
    await this.waitFor(deadline, 'XO to show its pool again', 'XO_OBJECT_LATE', () =>
      missing().length === 0 ? { done: true } : { seen: `pool ${missing().join(', ')} or its hosts are not listed` },
    );
    return true;
  }

  /**
   * Looks now, after every change, and every few seconds, since some looks depend on time.
   * @throws Fault `code` with the last thing seen, the one that ended the session, what the look throws, and the
   *   interrupt
   */
  async waitFor<T>(deadline: Deadline, what: string, code: FaultCode, look: () => Look<T>): Promise<T> {
    const startedMs = deadline.clock.nowMs();
    for (let looks = 1; ; looks++) {
      deadline.check();
      const result = look();
      if ('done' in result) return result.done;
      if (this.#closed !== null) {
        throw new Fault(this.#closed.code, `${what}: ${this.#closed.message}; last seen: ${result.seen}`);
      }
      if (deadline.expired()) {
        const seconds = ((deadline.clock.nowMs() - startedMs) / 1000).toFixed(1);
        throw new Fault(code, `${what}: not within ${seconds} s (${looks} looks); last seen: ${result.seen}`);
      }
      await this.news(deadline.within(LOOK_EVERY_MS));
      deadline.check();
    }
  }

  /** Resolves at the next change, the deadline or the interrupt. */
  async news(deadline: Deadline): Promise<void> {
    const changed = new AbortController();
    const listener = (): void => changed.abort();
    this.#listeners.add(listener);
    try {
      const either = AbortSignal.any([changed.signal, deadline.signal]);
      await deadline.clock.sleep(Math.max(1, deadline.remainingMs()), either);
    } finally {
      this.#listeners.delete(listener);
    }
  }
}
