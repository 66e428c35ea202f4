/** Where a VM starts: which hosts could run it, which one does, and what the XAPI says where none can. */
import { XapiError } from './errors.ts';
import { freeMemory, secondHost } from './figures.ts';
import type { Inventory, VmRecord } from './inventory.ts';

/**
 * @param wanted uuid of the only host to take; null: any, but the VM's affinity first
 * @returns uuid of the host
 * @throws XapiError
 */
export function hostFor(inventory: Inventory, vm: VmRecord, wanted: string | null): string {
  const { host, second, sr, options } = inventory;
  const pool = secondHost(inventory) === null ? [host] : [host, second.host];
  const disabled = (one: { readonly uuid: string }): boolean =>
    one.uuid === host.uuid && options.mishaps.has('host-disabled');
  const seesDisks = (one: { readonly uuid: string }): boolean =>
    inventory.vbdsOf(vm.uuid).length === 0 || one.uuid === host.uuid || secondHost(inventory) === 'shared';
  const hasMemory = (one: { readonly uuid: string }): boolean =>
    vm.memory.dynamicMax <= freeMemory(inventory, one.uuid);
  if (wanted !== null) {
    const one = pool.find(({ uuid }) => uuid === wanted) ?? host;
    if (disabled(one)) throw new XapiError('HOST_DISABLED', [one.ref]);
    if (!seesDisks(one)) throw new XapiError('VM_REQUIRES_SR', [vm.ref, sr.ref]);
    if (!hasMemory(one)) {
      throw new XapiError('HOST_NOT_ENOUGH_FREE_MEMORY', [
        String(vm.memory.dynamicMax),
        String(Math.max(0, freeMemory(inventory, one.uuid))),
      ]);
    }
    return elsewhere(inventory, one.uuid);
  }
  const able = pool.filter((one) => !disabled(one) && seesDisks(one) && hasMemory(one));
  const chosen = able.find(({ uuid }) => uuid === vm.affinityHost) ?? able[0];
  if (chosen === undefined) throw new XapiError('NO_HOSTS_AVAILABLE');
  return elsewhere(inventory, chosen.uuid);
}

function elsewhere(inventory: Inventory, hostUuid: string): string {
  const { host, second, options } = inventory;
  if (!options.mishaps.has('placed-elsewhere') || secondHost(inventory) === null) return hostUuid;
  return hostUuid === host.uuid ? second.host.uuid : host.uuid;
}
