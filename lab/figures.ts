/** What the pool's hosts and SR have and have left, as it is now; mishaps make it small. */
import { existsSync, statfsSync } from 'node:fs';
import { cpus } from 'node:os';
import type { Inventory, VmRecord } from './inventory.ts';

const MIB = 2 ** 20;

/** Bytes. */
export interface HostMemory {
  readonly size: number;
  /** Of the host itself and of the VMs that run or start on it. */
  readonly usage: number;
}

/** Bytes. */
export interface SrSpace {
  readonly size: number;
  readonly physicalUsage: number;
  /** Sizes of the disks, full or not. */
  readonly usage: number;
}

export const CORES = cpus().length || 1;

/** Null: the pool has one host. */
export function secondHost({ options }: Inventory): 'local' | 'shared' | null {
  const value = options.mishaps.get('second-host');
  return value === 'local' || value === 'shared' ? value : null;
}

const takesMemory = (vm: VmRecord): boolean =>
  vm.powerState === 'Running' || [...vm.operations.values()].includes('start');

export function residentsOf(inventory: Inventory, hostUuid: string): readonly VmRecord[] {
  return [...inventory.vms.values()].filter((vm) => inventory.residence(vm) === hostUuid && takesMemory(vm));
}

export function hostMemory(inventory: Inventory, hostUuid: string): HostMemory {
  const { hostMemoryBytes: size, hostUsedBytes, mishaps } = inventory.options;
  const free = mishaps.get('host-free');
  const own = free === undefined ? hostUsedBytes : Math.max(0, size - Number(free) * MIB);
  const guests = residentsOf(inventory, hostUuid).reduce((sum, vm) => sum + vm.memory.dynamicMax, 0);
  return { size, usage: own + guests };
}

/** Bytes that guests could still have. */
export function freeMemory(inventory: Inventory, hostUuid: string): number {
  const { size, usage } = hostMemory(inventory, hostUuid);
  return size - usage;
}

/** Shown as `lvm`, which reserves a disk in full; else `file`, which grows. */
export const isThick = ({ options }: Inventory): boolean => options.mishaps.has('sr-thick');

/** Of the file system; nothing where the folder is not there any more, as after the lab has ended. */
function availableBytes(path: string): number {
  if (!existsSync(path)) return 0;
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}

/** The files are measured, and so is the file system that they are on: others write to it, too. */
export function srSpace(inventory: Inventory): SrSpace {
  const { srPath, mishaps } = inventory.options;
  const vdis = [...inventory.vdis.values()];
  const written = [...vdis, ...inventory.bases.values()];
  const usage = vdis.reduce((sum, vdi) => sum + vdi.size, 0);
  const onDisk = isThick(inventory) ? usage : written.reduce((sum, vdi) => sum + vdi.usage, 0);
  const small = mishaps.get('sr-size');
  if (small !== undefined) return { size: Number(small) * MIB, physicalUsage: onDisk, usage };
  const size = inventory.options.srSize;
  return { size, physicalUsage: Math.min(size, Math.max(onDisk, size - availableBytes(srPath))), usage };
}

/** A disk that grows may be promised more than is free now, but not more than all there is. */
export function hasRoomFor(inventory: Inventory, diskBytes: number): boolean {
  const { size, physicalUsage } = srSpace(inventory);
  return isThick(inventory) ? diskBytes <= size - physicalUsage : diskBytes <= inventory.options.srSize;
}
