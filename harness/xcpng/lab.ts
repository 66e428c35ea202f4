/** A Lab that speaks Xen Orchestra's API: a real one or the embedded one, told apart by nothing but the URL. */
import type { Deadline } from '../deadline.ts';
import type { Guest, GuestOrder, Lab } from '../lab.ts';
import { runTag } from './claims.ts';
import { describeListed, listTagged } from './listing.ts';
import { resolvePlacement } from './placement.ts';
import { provision } from './provision.ts';
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

  provision(order: GuestOrder): Promise<Guest> {
    return provision({ session: this.#session, settings: this.#settings, slots: this.#slots }, order);
  }

  async claimed(runId: string, deadline: Deadline): Promise<readonly string[]> {
    return (await listTagged(this.#session, this.#poolId, runTag(runId), deadline)).map(describeListed);
  }

  close(): Promise<void> {
    return this.#session.close();
  }
}

/**
 * Signs in and resolves template, SR and network, so that a wrong name is told before anything is made.
 * @param onChange told when the session is lost and when it is back
 * @throws Fault BAD_PLACEMENT, and as `openSession`
 */
export async function openXoLab(
  settings: XoLabSettings,
  deadline: Deadline,
  onChange?: (what: string) => void,
): Promise<Lab> {
  const { url, credential, tls } = settings;
  const session = await openSession({ url, credential, tls, deadline, ...(onChange ? { onChange } : {}) });
  try {
    const { pool } = resolvePlacement(session.objects, settings);
    return new XoLab(session, settings, pool);
  } catch (error) {
    await session.close();
    throw error;
  }
}
