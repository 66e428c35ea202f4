/** Joins and copies parts of VMs in the books: disks and NICs attached, whole VMs cloned and destroyed. */
import { randomBytes, randomUUID } from 'node:crypto';
import { XapiError } from './errors.ts';
import { newIdentity, type VbdRecord, type VdiRecord, type VifRecord, type VmRecord } from './inventory.ts';
import type { World } from './world.ts';

export interface Attachment {
  readonly position?: string | undefined;
  readonly mode?: string | undefined;
  readonly bootable?: boolean | undefined;
}

const POSITION = /^\d{1,2}$/;

/** @throws XapiError where the position is taken or none, or the VM runs */
export function attachDisk({ inventory }: World, vm: VmRecord, vdi: VdiRecord, how: Attachment): VbdRecord {
  const taken = new Set(inventory.vbdsOf(vm.uuid).map((vbd) => vbd.position));
  let free = 0;
  while (taken.has(String(free))) free++;
  const position = how.position ?? String(free);
  const { mode = 'RW' } = how;
  if (mode !== 'RO' && mode !== 'RW') throw new XapiError('FIELD_TYPE_ERROR', ['mode']);
  if (!POSITION.test(position)) throw new XapiError('INVALID_DEVICE', [position]);
  const bootable = how.bootable ?? false;
  if (taken.has(position)) {
    throw new XapiError('DEVICE_ALREADY_EXISTS', [position], {
      method: 'VBD.create',
      params: [
        {
          bootable,
          empty: false,
          mode,
          other_config: {},
          qos_algorithm_params: {},
          qos_algorithm_type: '',
          type: 'Disk',
          unpluggable: false,
          userdevice: position,
          VDI: vdi.ref,
          VM: vm.ref,
        },
      ],
    });
  }
  // Real guests without PV drivers cannot take a disk while running either.
  if (vm.powerState === 'Running') throw new XapiError('VM_MISSING_PV_DRIVERS', [vm.ref]);
  const vbd: VbdRecord = {
    ...newIdentity(),
    vm: vm.uuid,
    vdi: vdi.uuid,
    position,
    mode,
    bootable,
    attached: false,
    device: null,
  };
  inventory.vbds.set(vbd.uuid, vbd);
  inventory.touch();
  return vbd;
}

export interface Nic {
  readonly mac?: string | undefined;
  readonly allowedIpv4?: readonly string[] | undefined;
  readonly allowedIpv6?: readonly string[] | undefined;
}

const MAC = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i;

/** A MAC as the XAPI makes them: random, locally administered, unicast. */
function randomMac(): string {
  const bytes = randomBytes(6);
  bytes[0] = ((bytes[0] ?? 0) & 0xfc) | 0x02;
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** @throws XapiError MAC_INVALID */
export function addNic({ inventory }: World, vm: VmRecord, nic: Nic): VifRecord {
  const device = String(inventory.vifsOf(vm.uuid).length);
  const mac = nic.mac ?? randomMac();
  if (!MAC.test(mac)) {
    throw new XapiError('MAC_INVALID', [mac], {
      method: 'VIF.create',
      params: [
        {
          device,
          locking_mode: 'network_default',
          MAC: mac,
          MTU: 1500,
          network: inventory.network.ref,
          other_config: {},
          qos_algorithm_params: {},
          qos_algorithm_type: '',
          VM: vm.ref,
        },
      ],
    });
  }
  const vif: VifRecord = {
    ...newIdentity(),
    vm: vm.uuid,
    device,
    mac: mac.toLowerCase(),
    allowedIpv4: nic.allowedIpv4 ?? [],
    allowedIpv6: nic.allowedIpv6 ?? [],
    attached: false,
  };
  inventory.vifs.set(vif.uuid, vif);
  inventory.touch();
  return vif;
}

/** A record with identities of its own and the values of another; no disk, no NIC. */
export function copiedVm(source: VmRecord, own: Pick<VmRecord, 'kind' | 'nameLabel' | 'snapshot'>): VmRecord {
  return {
    ...source,
    ...newIdentity(),
    ...own,
    isDefaultTemplate: false,
    powerState: 'Halted',
    operations: new Map(),
    memory: { ...source.memory },
    cpus: { ...source.cpus },
    platform: { ...source.platform },
    other: { ...source.other, mac_seed: randomUUID() },
    tags: [...source.tags],
    blockedOperations: { ...source.blockedOperations },
    xenStoreData: { ...source.xenStoreData },
    creation: undefined,
    startTime: null,
    reportedAddress: null,
  };
}

/**
 * Copies a VM with its disks and NICs into the books; where it fails nothing of it stays. Meanwhile the source refuses
 * to be destroyed.
 * @param fully true: disks are copied rather than cloned. Snapshots are, too: the recorded pool shows them no chain
 */
export async function cloneVm(
  world: World,
  source: VmRecord,
  own: Pick<VmRecord, 'kind' | 'nameLabel' | 'snapshot'>,
  fully = own.snapshot !== undefined,
): Promise<VmRecord> {
  const { inventory, storage } = world;
  const vm = copiedVm(source, own);
  const task = randomUUID();
  source.operations.set(task, own.snapshot ? 'snapshot' : fully ? 'copy' : 'clone');
  inventory.vms.set(vm.uuid, vm);
  inventory.touch();
  try {
    for (const vbd of inventory.vbdsOf(source.uuid)) {
      const vdi = inventory.vdi(vbd.vdi);
      const names = { nameLabel: vdi.nameLabel, nameDescription: vdi.nameDescription };
      const copy = await (fully ? storage.copy(vdi, names) : storage.clone(vdi, names));
      if (own.snapshot) copy.snapshot = { of: vdi.uuid, time: own.snapshot.time };
      copy.tags = [...vdi.tags];
      attachDisk(world, vm, copy, vbd);
    }
    for (const vif of inventory.vifsOf(source.uuid)) {
      addNic(world, vm, { mac: own.snapshot ? vif.mac : undefined });
    }
    return vm;
  } catch (error) {
    await destroyVm(world, vm, true);
    throw error;
  } finally {
    source.operations.delete(task);
    inventory.touch();
  }
}

/** Takes a halted VM, its snapshots and those disks that no other VM has out of the books. */
export async function destroyVm(world: World, vm: VmRecord, withDisks: boolean): Promise<void> {
  const { inventory, machines, mishaps, storage, log } = world;
  for (const snapshot of [...inventory.vms.values()].filter((one) => one.snapshot?.of === vm.uuid)) {
    await destroyVm(world, snapshot, withDisks);
  }
  const disks = inventory.vbdsOf(vm.uuid).map((vbd) => inventory.vdi(vbd.vdi));
  for (const vbd of inventory.vbdsOf(vm.uuid)) inventory.vbds.delete(vbd.uuid);
  for (const vif of inventory.vifsOf(vm.uuid)) inventory.vifs.delete(vif.uuid);
  inventory.vms.delete(vm.uuid);
  machines.forget(vm.uuid);
  inventory.touch();
  if (!withDisks) return;
  for (const vdi of new Set(disks)) {
    if (mishaps.has('keep-disk')) log(`mishap keep-disk: disk ${vdi.uuid} of VM ${vm.nameLabel} stays`);
    else if (inventory.vbdsOfVdi(vdi.uuid).length === 0) {
      // Real Xen Orchestra only logs this, too: the call succeeds and the disk stays.
      await storage.destroy(vdi).catch((error: unknown) => log(`disk ${vdi.uuid} stays: ${String(error)}`));
    }
  }
}
