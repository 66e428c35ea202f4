/**
 * Powers VMs on and off over a backend, and keeps the books in step: also when a guest powers itself off or its process
 * dies. Refuses what the XAPI refuses: wrong power state, no memory, a disk that another VM has.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Backend, BackendVm, RunningVm } from './backend.ts';
import { XapiError } from './errors.ts';
import { GuestMetrics } from './guest-metrics.ts';
import { hostFor } from './host-choice.ts';
import type { Inventory, VmRecord } from './inventory.ts';
import type { Mishaps } from './mishaps.ts';
import type { Storage } from './storage.ts';

export interface MachinesOptions {
  readonly inventory: Inventory;
  readonly storage: Storage;
  readonly backend: Backend;
  readonly mishaps: Mishaps;
  /** Folder for each start's own folder. */
  readonly dir: string;
  /** MAC → 127.x.y.z of its slot. */
  readonly addresses: ReadonlyMap<string, string>;
  readonly log: (line: string) => void;
}

interface Machine {
  readonly running: RunningVm;
  readonly dir: string;
  /** Settles when the books show the VM as halted. */
  readonly halted: Promise<void>;
}

const BAD_STATE = 'VM_BAD_POWER_STATE';

export class Machines {
  readonly #options: MachinesOptions;
  readonly #machines = new Map<string, Machine>();
  readonly #starting = new Set<Promise<unknown>>();
  /** Serial text of the last run, kept when the VM is off. */
  readonly #lastSerial = new Map<string, string>();
  readonly #metrics: GuestMetrics;
  #starts = 0;
  #closed = false;

  constructor(options: MachinesOptions) {
    this.#options = options;
    this.#metrics = new GuestMetrics(options.inventory);
  }

  /** @param hostUuid the only host to start it on; null: the one it has an affinity for, else the first */
  async start(vm: VmRecord, hostUuid: string | null = null): Promise<void> {
    this.refuseBusy(vm, 'start');
    if (vm.powerState === 'Running') throw new XapiError(BAD_STATE, [vm.ref, 'halted', 'running']);
    this.#refuseMishaps(vm);
    this.#refuseResources(vm);
    const host = hostFor(this.#options.inventory, vm, hostUuid);
    this.#options.inventory.settle(vm, host);
    await this.#operation(vm, 'start', async () => {
      const started = this.#startBackend(vm);
      this.#starting.add(started);
      await started.finally(() => this.#starting.delete(started));
    });
  }

  /** Hard power-off; the books show it when this resolves. */
  async stop(vm: VmRecord): Promise<void> {
    this.refuseBusy(vm, 'hard_shutdown');
    const machine = this.#need(vm);
    await machine.running.stop();
    await machine.halted;
  }

  /** Hard reboot; the operation stays visible until `shown` resolves. */
  async reset(vm: VmRecord, shown: () => Promise<void>): Promise<void> {
    this.refuseBusy(vm, 'hard_reboot');
    const machine = this.#need(vm);
    await this.#operation(vm, 'hard_reboot', async () => {
      await machine.running.reset();
      await shown();
      vm.startTime = Math.floor(Date.now() / 1000);
    });
  }

  /** Says whether the VM runs at all; for operations that a guest without tools refuses. */
  requireRunning(vm: VmRecord): void {
    this.#need(vm);
  }

  vncSocketPath(vmUuid: string): string | null {
    return this.#machines.get(vmUuid)?.running.vncSocketPath ?? null;
  }

  async serialText(vmUuid: string): Promise<string> {
    const machine = this.#machines.get(vmUuid);
    return machine ? await machine.running.serialText() : (this.#lastSerial.get(vmUuid) ?? '');
  }

  forget(vmUuid: string): void {
    this.#lastSerial.delete(vmUuid);
  }

  /** Stops everything, also what is just starting. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#starting);
    await Promise.allSettled([...this.#machines.values()].map((machine) => machine.running.stop()));
  }

  #need(vm: VmRecord): Machine {
    const machine = this.#machines.get(vm.uuid);
    if (!machine) throw new XapiError(BAD_STATE, [vm.ref, 'running', 'halted']);
    return machine;
  }

  /** @throws XapiError while another operation is under way */
  refuseBusy(vm: VmRecord, wanted: string): void {
    const [busy] = vm.operations.values();
    if (busy === undefined) return;
    this.#options.log(`VM ${vm.nameLabel}: ${wanted} refused during ${busy}`);
    throw new XapiError('OTHER_OPERATION_IN_PROGRESS', ['VM', vm.ref, busy]);
  }

  #refuseMishaps(vm: VmRecord): void {
    const { mishaps } = this.#options;
    if (mishaps.has('no-memory')) throw new XapiError('NO_HOSTS_AVAILABLE');
    const code = mishaps.get('start-fails');
    if (code !== undefined) throw startFailure(code, vm);
  }

  #refuseResources(vm: VmRecord): void {
    const { inventory } = this.#options;
    for (const vbd of inventory.vbdsOf(vm.uuid)) {
      const vdi = inventory.vdi(vbd.vdi);
      const elsewhere = inventory
        .vbdsOfVdi(vdi.uuid)
        .some((other) => other.attached && other.vm !== vm.uuid && (other.mode === 'RW' || vbd.mode === 'RW'));
      if (elsewhere || vdi.importing) throw startFailure('SR_BACKEND_FAILURE_46', vm);
    }
  }

  async #operation(vm: VmRecord, name: string, work: () => Promise<void>): Promise<void> {
    const task = randomUUID();
    vm.operations.set(task, name);
    this.#options.inventory.touch();
    try {
      await work();
    } finally {
      vm.operations.delete(task);
      this.#options.inventory.touch();
    }
  }

  async #startBackend(vm: VmRecord): Promise<void> {
    const { backend, log } = this.#options;
    if (this.#closed) throw new XapiError('HOST_OFFLINE', [this.#options.inventory.host.ref]);
    const dir = join(this.#options.dir, `${vm.uuid}-${++this.#starts}`);
    await mkdir(dir, { recursive: true });
    const order = this.#order(vm, dir);
    const before = Date.now();
    const running = await backend.start(order).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      log(`VM ${vm.nameLabel}: ${backend.kind} did not start it: ${reason}`);
      throw startFailure('INTERNAL_ERROR', vm, [`xenopsd internal error: ${reason}`]);
    });
    const nics = order.nics.map((nic) => `${nic.mac} at ${nic.address ?? 'no address'}${nic.dead ? ', dead' : ''}`);
    log(`VM ${vm.nameLabel}: started in ${Date.now() - before} ms (${backend.accelerator}; ${nics.join('; ')})`);
    this.#setPower(vm, 'Running');
    const metrics = this.#options.mishaps.get('guest-metrics');
    if (metrics !== undefined) this.#metrics.begin(vm, metrics, order.nics[0]?.address ?? null);
    const halted = running.exited.then(({ seen }) => this.#powerLost(vm, running, dir, seen));
    this.#machines.set(vm.uuid, { running, dir, halted });
  }

  #order(vm: VmRecord, dir: string): BackendVm {
    const { inventory, mishaps, addresses } = this.#options;
    const dead = mishaps.has('dead-network');
    // Two VMs with one MAC: both start, as in a real pool, and the one that was there first keeps the address.
    const running = [...inventory.vifs.values()].filter((vif) => vif.vm !== vm.uuid && this.#machines.has(vif.vm));
    const taken = new Set(running.map((vif) => vif.mac));
    return {
      uuid: vm.uuid,
      name: vm.nameLabel,
      memoryBytes: vm.memory.dynamicMax,
      cpus: vm.cpus.number,
      firmware: vm.firmware === 'uefi' ? 'uefi' : 'bios',
      bootOrder: vm.bootOrder,
      disks: inventory
        .vbdsOf(vm.uuid)
        .map((vbd) => ({ path: inventory.vdi(vbd.vdi).path, position: vbd.position, readOnly: vbd.mode === 'RO' })),
      nics: inventory
        .vifsOf(vm.uuid)
        .map(({ mac }) => ({ mac, address: taken.has(mac) ? null : (addresses.get(mac) ?? null), dead })),
      nicType: vm.platform.nicType === 'e1000' || vm.platform.nicType === 'rtl8139' ? vm.platform.nicType : null,
      dir,
    };
  }

  #setPower(vm: VmRecord, state: VmRecord['powerState']): void {
    const { inventory } = this.#options;
    const on = state === 'Running';
    vm.powerState = state;
    if (on) vm.startTime = Math.floor(Date.now() / 1000);
    for (const vbd of inventory.vbdsOf(vm.uuid)) {
      vbd.attached = on;
      vbd.device ??= `xvd${String.fromCharCode('a'.charCodeAt(0) + Number(vbd.position))}`;
    }
    for (const vif of inventory.vifsOf(vm.uuid)) vif.attached = on;
    inventory.touch();
  }

  async #powerLost(vm: VmRecord, running: RunningVm, dir: string, seen: string): Promise<void> {
    const { inventory, storage, log } = this.#options;
    log(`VM ${vm.nameLabel}: off: ${seen}`);
    const text = await running.serialText().catch((error: unknown) => {
      log(`VM ${vm.nameLabel}: its serial text cannot be read: ${String(error)}`);
      return '';
    });
    this.#lastSerial.set(vm.uuid, text);
    this.#machines.delete(vm.uuid);
    this.#metrics.end(vm);
    this.#setPower(vm, 'Halted');
    await rm(dir, { recursive: true, force: true });
    for (const vbd of inventory.vbdsOf(vm.uuid)) {
      const vdi = inventory.vdis.get(vbd.vdi);
      if (vdi && !this.#closed) await storage.measure(vdi);
    }
  }
}

/** Parameters that the XAPI gives with those errors of VM.start that were recorded. */
function startFailure(code: string, vm: VmRecord, own?: readonly string[]): XapiError {
  const known: Readonly<Record<string, readonly string[]>> = {
    SR_BACKEND_FAILURE_46: ['', 'The VDI is not available', ''],
    HOST_OFFLINE: [vm.ref],
    VM_REQUIRES_SR: [vm.ref, 'OpaqueRef:x'],
    OTHER_OPERATION_IN_PROGRESS: ['VM', vm.ref, 'clone'],
    VM_HVM_REQUIRED: [vm.ref],
    INTERNAL_ERROR: ['xenopsd internal error: Device_common.Ioemu_failed'],
  };
  return new XapiError(code, own ?? known[code] ?? [vm.ref], {
    method: 'VM.start',
    params: [vm.ref, false, false],
  });
}
