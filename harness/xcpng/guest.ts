/** The living VM of one case: starts it, says where it answers, whether it still lives, what its console shows. */
import { Deadline } from '../deadline.ts';
import { Fault } from '../faults.ts';
import type { Address, ConsoleText, Guest, GuestDeath, ImportRecord } from '../lab.ts';
import { chooseAddress } from './address.ts';
import { serialText } from './console.ts';
import type { Session } from './session.ts';
import type { Slot, XoLabSettings } from './settings.ts';

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
}

const CONSOLE_MS = 10_000;

export class XoGuest implements Guest {
  readonly uuid: string;
  readonly name: string;
  readonly macs: readonly string[];
  readonly imported: ImportRecord;
  readonly onlyDisk: boolean;
  readonly #parts: XoGuestParts;
  #started = false;

  constructor(parts: XoGuestParts) {
    this.#parts = parts;
    this.uuid = parts.uuid;
    this.name = parts.name;
    this.macs = parts.macs;
    this.imported = parts.imported;
    this.onlyDisk = parts.onlyDisk;
  }

  /** @throws Fault NO_HOST_AVAILABLE, VM_START_REFUSED, XO_OBJECT_LATE, VM_LOST, and as `Session.call` */
  async start(deadline: Deadline): Promise<void> {
    const { session, uuid } = this.#parts;
    const before = session.objects.get('VM', uuid)?.startTime ?? null;
    await session.call('vm.start', { id: uuid }, deadline);
    await session.objects.waitFor(deadline, `VM ${uuid} to be shown as running`, 'XO_OBJECT_LATE', () => {
      const vm = session.objects.get('VM', uuid);
      if (vm === undefined) {
        if (session.objects.poolPresent(this.#parts.poolId)) throw new Fault('VM_LOST', this.#missing().seen);
        return { seen: 'neither the VM nor its pool are listed' };
      }
      // A guest that powers itself off at once may never be seen running: its start time tells.
      const ran = vm.powerState === 'Running' || (vm.startTime !== null && vm.startTime !== before);
      return ran ? { done: true } : { seen: `power_state ${vm.powerState}` };
    });
    this.#started = true;
  }

  death(): GuestDeath | null {
    if (!this.#started) return null;
    const { session, uuid } = this.#parts;
    if (session.lost !== null) return { kind: 'lab-lost', seen: session.lost };
    const vm = session.objects.get('VM', uuid);
    if (vm === undefined) return this.#missing();
    if (vm.powerState === 'Running') return null;
    return { kind: 'halted', seen: `VM ${uuid} has power_state ${vm.powerState}` };
  }

  /** "No such VM" alone proves nothing: XO that lost its pool lists none of its objects. */
  #missing(): GuestDeath {
    const { session, uuid, poolId } = this.#parts;
    return session.objects.poolPresent(poolId)
      ? { kind: 'vanished', seen: `VM ${uuid} is not listed any more, while its pool and host are` }
      : { kind: 'lab-lost', seen: `XO lists neither VM ${uuid} nor its pool` };
  }

  /** @throws Fault ADDRESS_UNKNOWN, ADDRESS_CONFLICT, VM_LOST, XO_SESSION_LOST, and the interrupt */
  async address(deadline: Deadline): Promise<Address> {
    const { session, uuid, slot, settings } = this.#parts;
    return session.objects.waitFor(deadline, `the address of VM ${uuid}`, 'ADDRESS_UNKNOWN', () => {
      const death = this.death();
      if (death?.kind === 'halted') {
        throw new Fault('ADDRESS_UNKNOWN', `${death.seen}: it stopped before its address was known`);
      }
      if (death !== null) throw new Fault('VM_LOST', death.seen);
      const vm = session.objects.get('VM', uuid);
      if (vm === undefined) return { seen: 'the VM is not listed' };
      const found = chooseAddress(vm, slot?.address ?? null);
      if (found.state === 'conflict') throw new Fault('ADDRESS_CONFLICT', `VM ${uuid}: ${found.seen}`);
      if (found.state === 'none') return { seen: found.seen };
      return { done: { host: found.host, port: settings.sshPort, source: found.source, others: found.others } };
    });
  }

  async console(): Promise<ConsoleText | undefined> {
    const { session, settings, uuid } = this.#parts;
    const deadline = Deadline.after(CONSOLE_MS, new AbortController().signal);
    return serialText(session, settings.serialPath, uuid, deadline);
  }
}
