/** Chooses a slot for a guest: one whose MAC nobody in the pool has, nor another guest of this process. */
import { randomInt } from 'node:crypto';
import { Fault } from '../faults/faults.ts';
import type { ObjectStore } from './objects.ts';
import type { Slot } from './settings.ts';

export class Slots {
  readonly #slots: readonly Slot[];
  readonly #taken = new Set<string>();
  constructor(slots: readonly Slot[]) {
    this.#slots = slots;
  }

  /**
   * Takes a slot until `release`. Null: the lab has no slots, so the pool makes the MAC.
   * @throws Fault NO_FREE_SLOT
   */
  take(objects: ObjectStore): Slot | null {
    if (this.#slots.length === 0) return null;
    const inPool = new Set(objects.all('VIF').map(({ mac }) => mac));
    const free = this.#slots.filter(({ mac }) => !inPool.has(mac) && !this.#taken.has(mac));
    // At random: two runs that look at the same moment should not both want the first one.
    const chosen = free[randomInt(Math.max(1, free.length))];
    if (chosen === undefined) {
      throw new Fault('NO_FREE_SLOT', `all ${this.#slots.length} slots of the lab file are taken by VIFs of the pool`);
    }
    this.#taken.add(chosen.mac);
    return chosen;
  }

  release(slot: Slot): void {
    this.#taken.delete(slot.mac);
  }
}
