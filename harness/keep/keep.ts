/**
 * How a case ends in the lab: everything is taken back, or the guest is kept for a person, until a time that is written
 * into the lab itself. Keeping is a wish: where it cannot be, everything is taken back.
 */
import { cleanUpBudget, dispose, type World } from '../boot/boot.ts';
import type { Budgets } from '../budgets.ts';
import type { Deadline } from '../deadline.ts';
import type { Disposals } from '../disposals.ts';
import { faultRecord } from '../faults/faults.ts';
import type { Address, Guest } from '../lab.ts';

export interface KeepWish {
  /** `unless-passed`: what is looked for is a failure. */
  readonly when: 'always' | 'unless-passed';
  readonly hours: number;
  /** Told for how long (ms) before the guest is marked: whoever finds the run dead takes it for kept. */
  readonly remember: (forMs: number) => void;
  /**
   * Makes the lab itself live for so long (ms), where it would end with this process; null: it lives anyway.
   * @throws Fault EMBEDDED_LAB_FAILED
   */
  readonly holdLab: ((forMs: number, deadline: Deadline) => Promise<void>) | null;
}

/** A machine that stays after its case. */
export interface KeptGuest {
  readonly vm: string;
  readonly name: string;
  /** ISO 8601, by the lab's clock. */
  readonly until: string;
  /** What becomes of it then. `left`: an operator's VM, which only is free again. */
  readonly afterwards: 'deleted' | 'left';
  /** Null: nobody knew one. */
  readonly address: Pick<Address, 'host' | 'port'> | null;
}

const HOUR_MS = 3_600_000;
/** Who is asked for an address once more knows it at once, or not. */
const ADDRESS_MS = 2_000;
/** The lab lives longer than the guest in it, so that it is the guest's expiry that is told. */
const LAB_LONGER_MS = 5 * 60_000;

export interface Ending {
  readonly world: World;
  readonly disposals: Disposals;
  readonly budgets: Budgets;
  /** Null: there is none to keep. */
  readonly guest: Guest | null;
  readonly address: KeptGuest['address'];
  readonly passed: boolean;
}

export interface Ended {
  /** What is still there and should not be. */
  readonly left: readonly string[];
  readonly kept: KeptGuest | null;
}

/** Never throws. An interrupted case keeps nothing. */
export async function endCase(ending: Ending): Promise<Ended> {
  const { world, disposals, budgets, guest, passed } = ending;
  const { keep } = world;
  const wanted = keep !== null && (keep.when === 'always' || !passed) && !world.signal.aborted;
  if (wanted && guest !== null) {
    world.tell({ event: 'step-begins', step: 'keep' });
    world.timeline.begin([{ stage: 'keep', budgetS: cleanUpBudget(world, budgets).budgetMs / 1000 }]);
    const ended = await keepGuest(ending, keep, guest);
    if (ended !== null) return ended;
  }
  world.tell({ event: 'step-begins', step: 'dispose' });
  return { left: await dispose(world, disposals, budgets), kept: null };
}

/** Null: it could not be kept, why was told, and everything is to be taken back. */
async function keepGuest({ world, disposals, budgets, address }: Ending, keep: KeepWish, guest: Guest) {
  const deadline = cleanUpBudget(world, budgets);
  const forMs = keep.hours * HOUR_MS;
  try {
    keep.remember(forMs);
    const until = new Date(world.lab.timeOfDayMs() + forMs).toISOString();
    const where = address ?? (await guest.address(deadline.within(ADDRESS_MS)).catch(() => null));
    const left = await disposals.keep(until, deadline);
    if (world.signal.aborted) return null;
    // Last: a lab without a kept guest in it ends with this process, however that ends.
    await keep.holdLab?.(forMs + LAB_LONGER_MS, deadline);
    world.timeline.end('it carries the time until which it is kept');
    const kept: KeptGuest = {
      ...{ vm: guest.uuid, name: guest.name, until },
      afterwards: guest.afterwards === 'deleted' ? 'deleted' : 'left',
      address: where && { host: where.host, port: where.port },
    };
    world.journal({ event: 'guest-kept', vm: guest.uuid, until });
    // Nothing that may fail comes after it: what is not told of any more must have been taken back.
    disposals.kept();
    return { left, kept };
  } catch (error) {
    // Whatever it was (a full disk, too): nothing may stay that nobody knows of.
    const { code, message } = faultRecord(error);
    world.log.error({ err: error, code }, 'keep');
    world.tell({ event: 'warning', text: `the guest could not be kept: ${message}` });
    return null;
  }
}
