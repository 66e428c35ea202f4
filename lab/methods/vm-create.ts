/** `vm.create`: a VM from a template, seen at first as the clone of the template that it is. */
import type { VmRecord } from '../inventory.ts';
import type { JsonObject } from '../json.ts';
import { parseSize } from '../sizes.ts';
import { editVm } from '../vm-edit.ts';
import { addNic, attachDisk, cloneVm, destroyVm } from '../vm-parts.ts';
import type { World } from '../world.ts';
import { type Call, caller, method, named } from './method.ts';

interface Create extends JsonObject {
  readonly name_label: string;
  readonly template: string;
  readonly bootAfterCreate?: boolean;
  readonly clone?: boolean;
}

interface WantedDisk {
  readonly size: number | string;
  readonly SR: string;
  readonly name_label?: string;
  readonly name_description?: string;
}

/** Changes to a disk that came from the template. */
interface KnownDisk {
  readonly size?: number | string;
  readonly $SR?: string;
  readonly name_label?: string;
  readonly name_description?: string;
}

interface WantedNic {
  readonly network: string;
  readonly mac?: string;
  readonly allowedIpv4Addresses?: readonly string[];
  readonly allowedIpv6Addresses?: readonly string[];
}

/** Parts of `vm.create` that this lab's pool has no use for: refused loudly rather than ignored. */
const NOT_HERE = ['acls', 'cloudConfig', 'copyHostBiosStrings', 'coreOs', 'installation'] as const;

/** Of the template's `other_config` these are not handed on. */
const TEMPLATE_ONLY = ['default_template', 'disks'] as const;

/** @throws XoError where an SR or a network is not there (without a type, as recorded), Error for unreadable sizes */
function wantedParts(world: World, params: Create) {
  const disks = ((params.VDIs ?? []) as unknown as readonly WantedDisk[]).map((disk) => {
    world.view.need(disk.SR);
    return { ...disk, size: parseSize(disk.size) };
  });
  const nics = (params.VIFs ?? []) as unknown as readonly WantedNic[];
  for (const nic of nics) world.view.need(nic.network);
  return { disks, nics };
}

/** Of a position where the template has no disk nothing is made, and nothing is said (`createVm` of xo-server). */
async function changeDisks({ world }: Call, vm: VmRecord, params: Create): Promise<void> {
  const changes = (params.existingDisks ?? {}) as Readonly<Record<string, KnownDisk>>;
  for (const vbd of world.inventory.vbdsOf(vm.uuid)) {
    const change = changes[vbd.position];
    if (change === undefined) continue;
    const vdi = world.inventory.vdi(vbd.vdi);
    if (change.$SR !== undefined && world.view.need(change.$SR).id !== world.inventory.sr.uuid) {
      throw new Error('the embedded lab has one SR: no disk can be moved');
    }
    vdi.nameLabel = change.name_label ?? vdi.nameLabel;
    vdi.nameDescription = change.name_description ?? vdi.nameDescription;
    if (change.size === undefined) continue;
    const size = parseSize(change.size);
    if (size < vdi.size) {
      const sizes = `Current size: ${vdi.size}, new size: ${size}`;
      throw new Error(`Unable to update to a smaller VDI size for VDI with PBD userdevice: ${vbd.position}. ${sizes}`);
    }
    if (size > vdi.size) await world.storage.grow(vdi, size);
  }
}

/** A clone becomes the VM that was ordered. */
async function furnish(call: Call, vm: VmRecord, template: VmRecord, params: Create): Promise<void> {
  const { world } = call;
  const { disks, nics } = wantedParts(world, params);
  const creation = { date: new Date().toISOString(), template: template.uuid, user: caller(call).id };
  for (const key of TEMPLATE_ONLY) delete vm.other[key];
  Object.assign(vm.other, {
    base_template_name: template.nameLabel,
    [`xo:${vm.uuid.slice(0, 8)}`]: JSON.stringify({ creation }),
  });
  vm.kind = 'vm';
  vm.creation = creation;
  editVm(vm, params);
  await changeDisks(call, vm, params);
  for (const [index, disk] of disks.entries()) {
    const vdi = await world.storage.create({
      nameLabel: disk.name_label ?? '',
      nameDescription: disk.name_description,
      size: disk.size,
    });
    attachDisk(world, vm, vdi, { bootable: index === 0 });
  }
  for (const vif of world.inventory.vifsOf(vm.uuid)) world.inventory.vifs.delete(vif.uuid);
  for (const { mac, allowedIpv4Addresses: allowedIpv4, allowedIpv6Addresses: allowedIpv6 } of nics) {
    addNic(world, vm, { mac, allowedIpv4, allowedIpv6 });
  }
  await world.view.polled();
}

async function run(params: Create, call: Call): Promise<string> {
  const { world } = call;
  call.mayAdminister(named(call, 'template').$pool);
  const asked = NOT_HERE.find((name) => params[name] !== undefined);
  if (asked || params.createVtpm === true) throw new Error(`the embedded lab has no ${asked ?? 'createVtpm'}`);
  wantedParts(world, params);
  const { uuid, _xapiRef } = named(call, 'template');
  const template = world.inventory.vm(uuid, _xapiRef);
  const own = { kind: 'template', nameLabel: params.name_label, snapshot: undefined } as const;
  const vm = await cloneVm(world, template, own, params.clone === false);
  try {
    await world.view.polled();
    await furnish(call, vm, template, params);
  } catch (error) {
    await destroyVm(world, vm, true);
    throw error;
  }
  const blocked = world.mishaps.get('blocked-operation');
  if (blocked !== undefined) vm.blockedOperations[blocked] = 'by somebody';
  if (params.bootAfterCreate === true) {
    // As in Xen Orchestra a failure to start is only logged; the VM stays halted.
    world.machines.start(vm).catch((error: unknown) => world.log(`bootAfterCreate of ${vm.nameLabel}: ${error}`));
  }
  return vm.uuid;
}

export const vmCreateMethods = {
  'vm.create': method<Create>({ resolve: { template: ['VM-template', ''] }, run }),
};
