/**
 * Is the VM there, gone, or out of sight? "No such VM" alone proves nothing: XO that loses its pool for a second lists
 * none of its objects for up to two minutes, and gives them back bit by bit.
 */
import { type Clock, systemClock } from '../deadline.ts';
import type { ObjectStore } from './objects.ts';
import type { Vm } from './wire.ts';

export type Presence =
  | { readonly state: 'there'; readonly vm: Vm }
  /** Nobody can tell at the moment; `forMs`: since when. */
  | { readonly state: 'out-of-sight'; readonly seen: string; readonly forMs: number }
  /** The pool is shown, and the VM is not, and that stays so. */
  | { readonly state: 'gone'; readonly seen: string };

/** A pool that comes back shows itself before all of its VMs. */
const GONE_AFTER_MS = 10_000;

export class VmPresence {
  readonly #objects: ObjectStore;
  readonly #poolId: string;
  readonly #uuid: string;
  readonly #clock: Clock;
  #missingSinceMs: number | null = null;
  /** Since when the pool is shown and the VM is not. */
  #aloneSinceMs: number | null = null;

  constructor(objects: ObjectStore, poolId: string, uuid: string, clock: Clock = systemClock) {
    this.#objects = objects;
    this.#poolId = poolId;
    this.#uuid = uuid;
    this.#clock = clock;
  }

  /** @throws Fault XO_OBJECT_MALFORMED */
  look(): Presence {
    const vm = this.#objects.get('VM', this.#uuid);
    const nowMs = this.#clock.nowMs();
    if (vm !== undefined) {
      this.#missingSinceMs = null;
      this.#aloneSinceMs = null;
      return { state: 'there', vm };
    }
    this.#missingSinceMs ??= nowMs;
    const forMs = nowMs - this.#missingSinceMs;
    if (!this.#objects.poolPresent(this.#poolId)) {
      this.#aloneSinceMs = null;
      return { state: 'out-of-sight', seen: `XO lists neither VM ${this.#uuid} nor its pool`, forMs };
    }
    this.#aloneSinceMs ??= nowMs;
    const seen = `VM ${this.#uuid} is not listed any more, while its pool and host are`;
    return nowMs - this.#aloneSinceMs >= GONE_AFTER_MS
      ? { state: 'gone', seen }
      : { state: 'out-of-sight', seen, forMs };
  }
}
