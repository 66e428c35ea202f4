/** `vm.*` but its creation: the life of a VM. */
import { forbiddenOperation, incorrectState, invalidParameters, operationFailed, XapiError } from '../errors.ts';
import type { VmRecord } from '../inventory.ts';
import type { JsonObject } from '../json.ts';
import { AFTER_START } from '../mishap-table.ts';
import { editVm } from '../vm-edit.ts';
import { attachDisk, cloneVm, destroyVm } from '../vm-parts.ts';
import { type Call, method, named } from './method.ts';

const ANY_VM = ['VM', 'VM-snapshot', 'VM-template'] as const;
const BOOT_ORDER = /^[acdn]+$/;

function vmOf(call: Call, parameter = 'id'): VmRecord {
  const { uuid, _xapiRef } = named(call, parameter);
  return call.world.inventory.vm(uuid, _xapiRef);
}

interface Start {
  readonly force?: boolean;
  readonly bypassMacAddressesCheck?: boolean;
}

async function start({ force = false, bypassMacAddressesCheck = false }: Start, call: Call): Promise<undefined> {
  const { inventory, machines, mishaps, view, log } = call.world;
  const vm = vmOf(call);
  const blocked = vm.blockedOperations.start;
  if (blocked !== undefined && !force) throw forbiddenOperation('Start', blocked);
  // Forcing removes the block for good.
  delete vm.blockedOperations.start;
  const macs = inventory.vifsOf(vm.uuid).map((vif) => vif.mac);
  if (!bypassMacAddressesCheck && new Set(macs).size < macs.length) {
    throw operationFailed(vm.uuid, 'DUPLICATED_MAC_ADDRESS');
  }
  if (mishaps.has('start-fails-late')) return undefined;
  const host = call.objects.host?.uuid ?? null;
  const lateSeconds = mishaps.get('start-comes-late');
  if (lateSeconds === undefined) await machines.start(vm, host);
  else {
    const late = (error: unknown): void => log(`mishap start-comes-late: VM ${vm.nameLabel}: ${String(error)}`);
    setTimeout(() => void machines.start(vm, host).catch(late), Number(lateSeconds) * 1000).unref();
  }
  const seconds = mishaps.vanishesAt(AFTER_START);
  if (seconds !== null) view.hideFor(seconds * 1000);
  return undefined;
}

interface Stop {
  readonly force?: boolean;
  readonly bypassBlockedOperation?: boolean;
}

function refuseBlocked(vm: VmRecord, operation: string, bypass: boolean): void {
  if (!bypass && vm.blockedOperations[operation] !== undefined) {
    throw new XapiError('OPERATION_BLOCKED', [vm.ref, operation]);
  }
}

async function stop({ force = false, bypassBlockedOperation = force }: Stop, call: Call): Promise<undefined> {
  const vm = vmOf(call);
  call.world.machines.requireRunning(vm);
  refuseBlocked(vm, force ? 'hard_shutdown' : 'clean_shutdown', bypassBlockedOperation);
  const { machines, mishaps, log } = call.world;
  // No guest here runs guest tools.
  if (!force) {
    if (mishaps.get('no-clean-shutdown') === '10') throw invalidParameters('clean shutdown requires PV drivers');
    throw new XapiError('VM_LACKS_FEATURE', [vm.ref]);
  }
  const stuckMs = Number(mishaps.take('stuck-power-state') ?? 0) * 1000;
  // Somebody may have stopped or deleted it by then.
  const late = (error: unknown): void => log(`mishap stuck-power-state: VM ${vm.nameLabel}: ${String(error)}`);
  if (stuckMs > 0) setTimeout(() => void machines.stop(vm).catch(late), stuckMs).unref();
  else await machines.stop(vm);
  return undefined;
}

async function restart({ force = false, bypassBlockedOperation = force }: Stop, call: Call): Promise<undefined> {
  const { machines, view } = call.world;
  const vm = vmOf(call);
  machines.requireRunning(vm);
  refuseBlocked(vm, force ? 'hard_reboot' : 'clean_reboot', bypassBlockedOperation);
  if (!force) throw new XapiError('VM_LACKS_FEATURE', [vm.ref]);
  await machines.reset(vm, () => view.polled());
  return undefined;
}

interface Delete {
  readonly deleteDisks?: boolean;
  readonly force?: boolean;
  readonly forceBlockedOperation?: boolean;
  readonly forceDeleteDefaultTemplate?: boolean;
}

async function remove(params: Delete, call: Call): Promise<undefined> {
  const { deleteDisks = true, forceBlockedOperation = false, forceDeleteDefaultTemplate = false } = params;
  const { world } = call;
  const vm = vmOf(call);
  if (vm.isDefaultTemplate && !forceDeleteDefaultTemplate) {
    throw incorrectState({ actual: true, expected: false, object: vm.uuid, property: 'isDefaultTemplate' });
  }
  const blocked = vm.blockedOperations.destroy;
  if (blocked !== undefined && !forceBlockedOperation) throw forbiddenOperation(`destroy is blocked: ${blocked}`);
  world.machines.refuseBusy(vm, 'destroy');
  // A running VM is not refused: it is shut down hard.
  if (vm.powerState === 'Running') await world.machines.stop(vm);
  await destroyVm(world, vm, deleteDisks);
  return undefined;
}

interface AttachDisk {
  readonly vm: string;
  readonly vdi: string;
  readonly position?: string;
  readonly mode?: string;
  readonly bootable?: boolean;
}

interface Clone {
  readonly id: string;
  readonly name: string;
  readonly full_copy: boolean;
}

async function clone({ name, full_copy: fully }: Clone, call: Call): Promise<string> {
  const source = vmOf(call);
  if (source.powerState !== 'Halted') throw new XapiError('VM_BAD_POWER_STATE', [source.ref, 'halted', 'running']);
  const { world } = call;
  const kind = source.kind === 'template' ? 'template' : 'vm';
  const vm = await cloneVm(world, source, { kind, nameLabel: name, snapshot: undefined }, fully);
  await world.view.polled();
  return vm.uuid;
}

interface Snapshot {
  readonly name?: string;
  readonly description?: string;
  readonly saveMemory?: boolean;
}

async function snapshot({ name, description, saveMemory = false }: Snapshot, call: Call): Promise<string> {
  const source = vmOf(call);
  if (saveMemory) throw new XapiError('VM_LACKS_FEATURE', [source.ref]);
  const { world } = call;
  const vm = await cloneVm(world, source, {
    kind: 'snapshot',
    nameLabel: name ?? `${source.nameLabel}_${new Date().toISOString()}`,
    snapshot: { of: source.uuid, time: Math.floor(Date.now() / 1000) },
  });
  if (description !== undefined) vm.nameDescription = description;
  await world.view.polled();
  return vm.uuid;
}

/** For good; wants the right to administer the pool, not only the VM. */
function convertToTemplate(_: unknown, call: Call): undefined {
  const vm = vmOf(call);
  call.mayAdminister(named(call, 'id').$pool);
  if (vm.powerState !== 'Halted') throw new XapiError('VM_BAD_POWER_STATE', [vm.ref, 'halted', 'running']);
  vm.kind = 'template';
  call.world.inventory.touch();
  return undefined;
}

export const vmMethods = {
  'vm.start': method<Start>({ resolve: { host: ['host', 'operate'], id: ['VM', 'operate'] }, run: start }),
  'vm.stop': method<Stop>({ resolve: { id: ['VM', 'operate'] }, run: stop }),
  'vm.restart': method<Stop>({ resolve: { id: ['VM', 'operate'] }, run: restart }),
  'vm.delete': method<Delete>({ resolve: { id: [ANY_VM, 'administrate'] }, run: remove }),
  'vm.clone': method<Clone>({ resolve: { id: [ANY_VM, 'administrate'] }, run: clone }),
  'vm.convertToTemplate': method({
    resolve: { id: [['VM', 'VM-snapshot'], 'administrate'] },
    run: convertToTemplate,
  }),
  'vm.snapshot': method<Snapshot>({ resolve: { id: ['VM', 'operate'] }, run: snapshot }),
  'vm.set': method<JsonObject>({
    resolve: { id: [ANY_VM, 'administrate'] },
    run(wish, call) {
      editVm(vmOf(call), wish);
      call.world.inventory.touch();
      return undefined;
    },
  }),
  'vm.attachDisk': method<AttachDisk>({
    resolve: { vm: ['VM', 'administrate'], vdi: ['VDI', 'administrate'] },
    run(how, call) {
      const { uuid, _xapiRef } = named(call, 'vdi');
      attachDisk(call.world, vmOf(call, 'vm'), call.world.inventory.vdi(uuid, _xapiRef), how);
      return undefined;
    },
  }),
  'vm.setBootOrder': method<{ readonly order: string }>({
    resolve: { vm: ['VM', 'operate'] },
    run({ order }, call) {
      if (!BOOT_ORDER.test(order)) throw invalidParameters(`invalid boot order: ${order}`);
      vmOf(call, 'vm').bootOrder = order;
      call.world.inventory.touch();
      return undefined;
    },
  }),
};
