/** `disk.*`, `vdi.*` and `vbd.*`: disks and how they hang on VMs. */

import { importPath } from '../disk-import.ts';
import { invalidParameters, XapiError } from '../errors.ts';
import type { VdiRecord } from '../inventory.ts';
import { parseSize } from '../sizes.ts';
import { attachDisk } from '../vm-parts.ts';
import { type Call, method, named } from './method.ts';

const ANY_VDI = ['VDI', 'VDI-snapshot'] as const;

function vdiOf(call: Call): VdiRecord {
  const { uuid, _xapiRef } = named(call, 'id');
  return call.world.inventory.vdi(uuid, _xapiRef);
}

interface Create {
  readonly name: string;
  readonly size: number | string;
  readonly bootable?: boolean;
  readonly mode?: string;
  readonly position?: string;
  readonly vm?: string;
}

async function create(params: Create, call: Call): Promise<string> {
  const { world } = call;
  const vdi = await world.storage.create({ nameLabel: params.name, size: parseSize(params.size) });
  try {
    const vm = call.objects.vm;
    if (vm) attachDisk(world, world.inventory.vm(vm.uuid, vm._xapiRef), vdi, params);
  } catch (error) {
    await world.storage.destroy(vdi);
    throw error;
  }
  await world.view.polled();
  return vdi.uuid;
}

interface Import {
  readonly name: string;
  readonly description?: string;
  readonly type: string;
  readonly url?: string;
}

interface Set {
  readonly name_label?: string;
  readonly name_description?: string;
  readonly size?: number | string;
  readonly cbt?: boolean;
}

async function set(params: Set, call: Call): Promise<undefined> {
  const { world } = call;
  const vdi = vdiOf(call);
  if (params.cbt === true) throw new Error('the embedded lab has no changed block tracking');
  if (params.size !== undefined) {
    const size = parseSize(params.size);
    if (size < vdi.size) {
      throw invalidParameters(`cannot set new size (${size}) below the current size (${vdi.size})`);
    }
    await world.storage.grow(vdi, size);
  }
  if (params.name_label !== undefined) vdi.nameLabel = params.name_label;
  if (params.name_description !== undefined) vdi.nameDescription = params.name_description;
  world.inventory.touch();
  return undefined;
}

export const diskMethods = {
  'disk.create': method<Create>({
    resolve: { vm: ['VM', 'administrate'], sr: ['SR', 'administrate'] },
    run: create,
  }),
  'disk.import': method<Import>({
    resolve: { sr: ['SR', 'administrate'] },
    run({ name, description, type, url }, call) {
      if (url !== undefined) throw new Error('the embedded lab fetches no URL');
      return { $sendTo: importPath(call.world, { nameLabel: name, nameDescription: description, type }) };
    },
  }),
  'vdi.set': method<Set>({ resolve: { id: [ANY_VDI, 'administrate'] }, run: set }),
  'vdi.delete': method({
    resolve: { id: [ANY_VDI, 'administrate'] },
    async run(_, call) {
      await call.world.storage.destroyPatiently(vdiOf(call));
      return undefined;
    },
  }),
  'vbd.delete': method({
    resolve: { id: ['VBD', 'administrate'] },
    run(_, call) {
      const { inventory } = call.world;
      const { uuid, _xapiRef } = named(call, 'id');
      const vbd = inventory.vbds.get(uuid);
      if (!vbd) throw new XapiError('HANDLE_INVALID', ['VBD', _xapiRef]);
      // No guest here can let go of a disk while it runs.
      if (vbd.attached) throw new XapiError('VM_MISSING_PV_DRIVERS', [inventory.vm(vbd.vm).ref]);
      inventory.vbds.delete(uuid);
      inventory.touch();
      return undefined;
    },
  }),
};
