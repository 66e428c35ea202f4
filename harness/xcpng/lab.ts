/** A Lab that speaks Xen Orchestra's API: a real one or the embedded one, told apart by nothing but the URL. */
import type { Deadline } from '../deadline.ts';
import type { Guest, GuestOrder, Lab } from '../lab.ts';
import { runTag } from './claims.ts';
import { Connection } from './connection.ts';
import { describeListed, listTagged } from './listing.ts';
import { resolvePlacement } from './placement.ts';
import { provision } from './provision.ts';
import type { XoLabSettings } from './settings.ts';
import { Slots } from './slots.ts';
import type { Pool } from './wire.ts';

class XoLab implements Lab {
  readonly name: string;
  readonly xoVersion: string;
  readonly poolName: string;
  readonly #connection: Connection;
  readonly #settings: XoLabSettings;
  readonly #slots: Slots;
  readonly #poolId: string;

  constructor(connection: Connection, settings: XoLabSettings, pool: Pool) {
    this.name = settings.name;
    this.xoVersion = connection.latest.xoVersion;
    this.poolName = pool.name;
    this.#poolId = pool.id;
    this.#connection = connection;
    this.#settings = settings;
    this.#slots = new Slots(settings.slots);
  }

  provision(order: GuestOrder): Promise<Guest> {
    return provision({ connection: this.#connection, settings: this.#settings, slots: this.#slots }, order);
  }

  async claimed(runId: string, deadline: Deadline): Promise<readonly string[]> {
    const session = await this.#connection.session(deadline);
    return (await listTagged(session, this.#poolId, runTag(runId), deadline)).map(describeListed);
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}

/**
 * Signs in and resolves template, SR and network, so that a wrong name is told before anything is made.
 * @throws Fault BAD_PLACEMENT, and as `openSession`
 */
export async function openXoLab(settings: XoLabSettings, deadline: Deadline): Promise<Lab> {
  const connection = await Connection.open(settings, deadline);
  try {
    const { pool } = resolvePlacement(connection.latest.objects, settings);
    return new XoLab(connection, settings, pool);
  } catch (error) {
    await connection.close();
    throw error;
  }
}
