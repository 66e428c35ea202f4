/** A Lab that speaks Xen Orchestra's API: a real one or the embedded one, told apart by nothing but the URL. */
import type { Deadline } from '../deadline.ts';
import { Fault } from '../faults.ts';
import type { Guest, GuestOrder, Lab } from '../lab.ts';
import type { PlannedImage } from '../model.ts';
import { runTag } from './claims.ts';
import { checkFixedPlace } from './fixed-place.ts';
import { describeListed, listTagged } from './listing.ts';
import { resolvePlacement } from './placement.ts';
import { provision } from './provision.ts';
import { provisionFixed } from './provision-fixed.ts';
import { openSession, type Session } from './session.ts';
import type { XoLabSettings } from './settings.ts';
import { Slots } from './slots.ts';
import type { Pool } from './wire.ts';

class XoLab implements Lab {
  readonly name: string;
  readonly xoVersion: string;
  readonly poolName: string;
  readonly #session: Session;
  readonly #settings: XoLabSettings;
  readonly #slots: Slots;
  readonly #poolId: string;

  constructor(session: Session, settings: XoLabSettings, pool: Pool) {
    this.name = settings.name;
    this.xoVersion = session.xoVersion;
    this.poolName = pool.name;
    this.#poolId = pool.id;
    this.#session = session;
    this.#settings = settings;
    this.#slots = new Slots(settings.slots);
  }

  get reconnects(): number {
    return this.#session.reconnects;
  }

  get takesControl(): boolean {
    return this.#settings.fixed?.control ?? true;
  }

  check(image: PlannedImage): void {
    const { fixed } = this.#settings;
    if (fixed !== null) checkFixedPlace(this.#session.objects, fixed, image);
  }

  provision(order: GuestOrder): Promise<Guest> {
    const context = { session: this.#session, settings: this.#settings, slots: this.#slots };
    const { fixed } = this.#settings;
    return fixed === null ? provision(context, order) : provisionFixed(context, fixed, order);
  }

  async claimed(runId: string, deadline: Deadline): Promise<readonly string[]> {
    return (await listTagged(this.#session, this.#poolId, runTag(runId), deadline)).map(describeListed);
  }

  close(): Promise<void> {
    return this.#session.close();
  }
}

/** The pool that guests are in; everything that the settings name is looked at here, before anything is made. */
function poolOf({ objects }: Session, settings: XoLabSettings): Pool {
  if (settings.fixed === null) return resolvePlacement(objects, settings).pool;
  const { poolId } = checkFixedPlace(objects, settings.fixed, null);
  const pool = objects.get('pool', poolId);
  if (pool !== undefined) return pool;
  throw new Fault('XO_OBJECT_LATE', `Xen Orchestra shows fixed.vm, but not its pool ${poolId}`);
}

/**
 * Signs in and resolves template, SR and network, so that a wrong name is told before anything is made.
 * @param onChange told when the session is lost and when it is back
 * @throws Fault BAD_PLACEMENT, BAD_FIXED_VM, and as `openSession`
 */
export async function openXoLab(
  settings: XoLabSettings,
  deadline: Deadline,
  onChange?: (what: string) => void,
): Promise<Lab> {
  const { url, credential, tls } = settings;
  const session = await openSession({ url, credential, tls, deadline, ...(onChange ? { onChange } : {}) });
  try {
    return new XoLab(session, settings, poolOf(session, settings));
  } catch (error) {
    await session.close();
    throw error;
  }
}
