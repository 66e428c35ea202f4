/** The living VM of one case: starts it, says where it answers, whether it still lives, what its console shows. */
import { type Clock, Deadline, type Look, systemClock, until } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import type { Address, ConsoleText, Guest, GuestDeath, ImportRecord, PowerOff, Screen, StoppedBy } from '../lab.ts';
import type { Placed } from '../model.ts';
import { chooseAddress, sayingsOfXo } from './address.ts';
import { AskedSources } from './asked-sources.ts';
import { serialText } from './console.ts';
import { answerLost, shownAfterAll } from './making.ts';
import { VmPresence } from './presence.ts';
import { VmScreen } from './screen/vm-screen.ts';
import type { Session } from './session.ts';
import type { Slot, XoLabSettings } from './settings.ts';
import { stopVm } from './stop.ts';
import type { Host } from './wire-pool.ts';
import { BAD_POWER_STATE, isBusy, isXoError } from './xo-error.ts';

export interface XoGuestParts {
  readonly session: Session;
  readonly settings: XoLabSettings;
  readonly poolId: string;
  readonly uuid: string;
  readonly name: string;
  readonly macs: readonly string[];
  readonly slot: Slot | null;
  readonly imported: ImportRecord;
  readonly onlyDisk: boolean;
  /** As planned; its host is filled in when the VM runs. */
  readonly place: Placed;
  /** Id of the only host that it may run on; null: any. */
  readonly hostId: string | null;
  /** Default: the system's. */
  readonly clock?: Clock;
  /** Default: deleted. */
  readonly afterwards?: Guest['afterwards'];
}

const CONSOLE_MS = 10_000;
const ADDRESS_LOOK_MS = 100;
/** XO that lost its pool has it back after two minutes. */
const OUT_OF_SIGHT_MS_MAX = 180_000;
/** XO that deletes a running VM halts it first: a halt is believed when the VM is still there a moment later. */
const HALT_STAYS_MS = 3_000;
/** A start that was answered with yes shows itself within this time, or it failed late. */
const START_TAKES_MS = 60_000;
/** XO shows a VM as running together with its host; nothing but an order hangs on which one. */
const HOST_SHOWN_MS = 2_000;

export class XoGuest implements Guest {
  readonly uuid: string;
  readonly name: string;
  readonly macs: readonly string[];
  readonly imported: ImportRecord;
  readonly onlyDisk: boolean;
  readonly afterwards: Guest['afterwards'];
  #placed: Placed;
  readonly #parts: XoGuestParts;
  readonly #presence: VmPresence;
  readonly #sources: AskedSources;
  #started = false;
  #haltedSinceMs: number | null = null;

  constructor(parts: XoGuestParts) {
    this.#parts = parts;
    this.#placed = parts.place;
    this.uuid = parts.uuid;
    this.name = parts.name;
    this.macs = parts.macs;
    this.imported = parts.imported;
    this.onlyDisk = parts.onlyDisk;
    this.afterwards = parts.afterwards ?? 'deleted';
    this.#sources = new AskedSources(parts.settings.addressSources, parts.macs);
    this.#presence = new VmPresence(parts.session.objects, parts.poolId, parts.uuid, parts.clock);
  }

  get placed(): Placed {
    return this.#placed;
  }

  /**
   * @throws Fault NO_HOST_AVAILABLE, VM_START_REFUSED, XO_OBJECT_LATE, VM_LOST, WRONG_HOST, and as `Session.call`
   */
  async start(deadline: Deadline): Promise<void> {
    const { session, uuid } = this.#parts;
    const before = session.objects.get('VM', uuid)?.startTime ?? null;
    try {
      await session.call('vm.start', this.#startCall(), deadline);
    } catch (error) {
      if (!answerLost(session, error)) throw error;
      const what = 'the VM whose start was not answered';
      const ran = (): true | undefined => ('done' in this.#ran(before) ? true : undefined);
      if (!(await shownAfterAll(session, deadline, what, ran))) await this.#startAgain(deadline);
    }
    const saidYesMs = deadline.clock.nowMs();
    await session.objects.waitFor(deadline, `VM ${uuid} to be shown as running`, 'XO_OBJECT_LATE', () => {
      const look = this.#ran(before);
      const tookMs = deadline.clock.nowMs() - saidYesMs;
      if ('done' in look || tookMs < START_TAKES_MS || this.outOfSight() !== null) return look;
      const seconds = Math.round(tookMs / 1000);
      throw new Fault(
        'VM_START_REFUSED',
        `vm.start said yes, but VM ${uuid} did not run in ${seconds} s: ${look.seen}`,
      );
    });
    this.#started = true;
    await this.#onItsHost(deadline);
  }

  #startCall(): Readonly<Record<string, string>> {
    const { uuid, hostId } = this.#parts;
    return hostId === null ? { id: uuid } : { id: uuid, host: hostId };
  }

  /** Where XO shows it, which is asked for a moment only: a guest that has halted already is on no host any more. */
  async #onItsHost(deadline: Deadline): Promise<void> {
    const { session, uuid, hostId } = this.#parts;
    const { objects } = session;
    const look = (): Look<Host | null> => {
      const vm = objects.get('VM', uuid);
      if (vm !== undefined && vm.powerState !== 'Running') return { done: null };
      const host = objects.get('host', vm?.container ?? '');
      return host === undefined ? { seen: `$container ${vm?.container ?? 'none'}` } : { done: host };
    };
    const within = deadline.within(hostId === null ? HOST_SHOWN_MS : OUT_OF_SIGHT_MS_MAX);
    const shown = objects.waitFor(within, `the host of VM ${uuid} to be shown`, 'XO_OBJECT_LATE', look);
    const host = await shown.catch((error: unknown) => {
      if (hostId !== null || !(error instanceof Fault) || error.party === 'nobody') throw error;
      return null;
    });
    if (host === null) return;
    this.#placed = { ...this.#placed, host: { uuid: host.uuid, name: host.name } };
    if (hostId === null || host.id === hostId) return;
    const ordered = objects.get('host', hostId)?.name ?? hostId;
    throw new Fault(
      'WRONG_HOST',
      `VM ${uuid} was ordered on host "${ordered}" and runs on "${host.name}" (${host.uuid})`,
    );
  }

  /** A guest that powers itself off at once may never be seen running: its start time tells. */
  #ran(before: number | null): Look<true> {
    const found = this.#presence.look();
    if (found.state === 'gone') throw new Fault('VM_LOST', found.seen);
    if (found.state === 'out-of-sight') return { seen: found.seen };
    const { powerState, startTime } = found.vm;
    const ran = powerState === 'Running' || (startTime !== null && startTime !== before);
    return ran ? { done: true } : { seen: `power_state ${powerState}` };
  }

  async #startAgain(deadline: Deadline): Promise<void> {
    const { session } = this.#parts;
    try {
      await session.call('vm.start', this.#startCall(), deadline);
    } catch (error) {
      // It runs already, or is being started: the first call came through.
      if (!isXoError(error, BAD_POWER_STATE) && !isBusy(error)) throw error;
    }
  }

  death(): GuestDeath | null {
    if (!this.#started) return null;
    const { session, uuid } = this.#parts;
    if (session.lost !== null) return { kind: 'lab-lost', seen: session.lost };
    const found = this.#presence.look();
    if (found.state === 'gone') return { kind: 'vanished', seen: found.seen };
    if (found.state === 'out-of-sight') {
      return found.forMs >= OUT_OF_SIGHT_MS_MAX ? { kind: 'lab-lost', seen: found.seen } : null;
    }
    const { powerState } = found.vm;
    const nowMs = (this.#parts.clock ?? systemClock).nowMs();
    this.#haltedSinceMs = powerState === 'Running' ? null : (this.#haltedSinceMs ?? nowMs);
    if (this.#haltedSinceMs === null || nowMs - this.#haltedSinceMs < HALT_STAYS_MS) return null;
    return { kind: 'halted', seen: `VM ${uuid} has power_state ${powerState}` };
  }

  outOfSight(): string | null {
    const { session } = this.#parts;
    if (session.lost !== null) return session.lost;
    const found = this.#presence.look();
    return found.state === 'there' ? null : found.seen;
  }

  /**
   * @throws Fault ADDRESS_UNKNOWN, ADDRESS_SOURCE_FAILED, ADDRESS_CONFLICT, VM_LOST, XO_SESSION_LOST, and the interrupt
   */
  async address(deadline: Deadline): Promise<Address> {
    const { uuid } = this.#parts;
    const stop = new AbortController();
    const asking = this.#sources.again(deadline, stop.signal);
    const options = { what: `the address of VM ${uuid}`, code: 'ADDRESS_UNKNOWN', everyMs: ADDRESS_LOOK_MS } as const;
    try {
      return await until(deadline, options, () => {
        const death = this.death();
        if (death?.kind === 'halted') {
          throw new Fault('ADDRESS_UNKNOWN', `${death.seen}: it stopped before its address was known`);
        }
        if (death !== null) throw new Fault('VM_LOST', death.seen);
        return this.#chosen();
      });
    } catch (error) {
      const { failures } = this.#sources;
      if (!(error instanceof Fault && error.code === 'ADDRESS_UNKNOWN') || failures.length === 0) throw error;
      throw new Fault('ADDRESS_SOURCE_FAILED', error.message, { cause: error });
    } finally {
      stop.abort();
      await asking;
    }
  }

  /** @throws Fault ADDRESS_CONFLICT */
  #chosen(): Look<Address> {
    const { session, uuid, slot, settings } = this.#parts;
    const vm = session.objects.get('VM', uuid);
    if (vm === undefined) return { seen: 'the VM is not listed' };
    const found = chooseAddress([...sayingsOfXo(vm, slot?.address ?? null), ...this.#sources.sayings]);
    if (found.state === 'conflict') throw new Fault('ADDRESS_CONFLICT', `VM ${uuid}: ${found.seen}`);
    if (found.state === 'none') return { seen: found.seen };
    const { host, source, others, sure } = found;
    return { done: { host, port: settings.sshPort, source, others, sure } };
  }

  /** @throws Fault ADDRESS_CONFLICT, and the interrupt */
  async confirmAddress(used: Address, deadline: Deadline): Promise<Address> {
    await this.#sources.once(deadline);
    const look = this.#chosen();
    if (!('done' in look)) return used;
    const now = look.done;
    if (now.host === used.host) return now;
    return { ...used, others: [`${now.source}=${now.host}`, ...now.others] };
  }

  /** From here on a halt is what we asked for. @throws Fault VM_STUCK, VM_LOST, and as `Session.call` */
  stop(deadline: Deadline, powerOff: PowerOff | null): Promise<StoppedBy> {
    const { session, poolId, uuid } = this.#parts;
    this.#started = false;
    return stopVm({ session, poolId, uuid, deadline, powerOff });
  }

  async console(): Promise<ConsoleText | undefined> {
    const { session, settings, uuid } = this.#parts;
    const deadline = Deadline.after(CONSOLE_MS, new AbortController().signal);
    return serialText(session, settings.serialPath, uuid, deadline);
  }

  screen(): Screen {
    return new VmScreen(this.#parts.session, this.uuid);
  }
}
