/** Changes properties of a VM in the books, as `vm.set` and `vm.create` do. */
import { XapiError } from './errors.ts';
import type { VmRecord } from './inventory.ts';
import type { Json, JsonObject } from './json.ts';
import { parseSize } from './sizes.ts';

/** Not part of this lab's pool: asking for one is answered loudly rather than by doing nothing. */
const NOT_HERE = [
  'PV_args',
  'cpuCap',
  'cpuMask',
  'cpuWeight',
  'creation',
  'gpuGroup',
  'resourceSet',
  'share',
  'suspendSr',
  'uefiMode',
  'vgpuType',
  'virtualizationMode',
] as const;

const LIMITS = 'Memory limits must satisfy: static_min <= dynamic_min <= dynamic_max <= static_max';

type Size = number | string;

function requireHalted(vm: VmRecord): void {
  if (vm.powerState !== 'Halted') throw new XapiError('VM_BAD_POWER_STATE', [vm.ref, 'halted', 'running']);
}

function setMemory(vm: VmRecord, wish: JsonObject): void {
  const { memory, memoryMin, memoryMax, memoryStaticMax } = wish as Readonly<Record<string, Size | undefined>>;
  if ([memory, memoryMin, memoryMax, memoryStaticMax].every((one) => one === undefined)) return;
  requireHalted(vm);
  const next = { ...vm.memory };
  if (memory !== undefined) next.staticMax = next.dynamicMax = next.dynamicMin = parseSize(memory);
  if (memoryStaticMax !== undefined) next.staticMax = parseSize(memoryStaticMax);
  if (memoryMax !== undefined) next.dynamicMax = parseSize(memoryMax);
  if (memoryMin !== undefined) next.dynamicMin = parseSize(memoryMin);
  const { staticMin, dynamicMin, dynamicMax, staticMax } = next;
  if (!(staticMin <= dynamicMin && dynamicMin <= dynamicMax && dynamicMax <= staticMax)) {
    throw new XapiError('MEMORY_CONSTRAINT_VIOLATION', [LIMITS]);
  }
  vm.memory = next;
}

function setCpus(vm: VmRecord, wish: JsonObject): void {
  const { CPUs, cpusMax } = wish;
  if (CPUs === undefined && cpusMax === undefined) return;
  requireHalted(vm);
  const number = CPUs === undefined ? vm.cpus.number : Number(CPUs);
  const max = cpusMax === undefined ? vm.cpus.max : Number(cpusMax);
  const cpus = CPUs === undefined ? { max, number: Math.min(number, max) } : { max: Math.max(max, number), number };
  if (!Number.isInteger(cpus.number) || cpus.number < 1) {
    throw new XapiError('INVALID_VALUE', ['VCPUs_at_startup', String(cpus.number)]);
  }
  vm.cpus = cpus;
}

function setBlocked(vm: VmRecord, wish: JsonObject): void {
  for (const [operation, reason] of Object.entries((wish.blockedOperations ?? {}) as JsonObject)) {
    if (reason === null || reason === false) delete vm.blockedOperations[operation];
    else vm.blockedOperations[operation] = String(reason);
  }
}

function setXenStoreData(vm: VmRecord, wish: JsonObject): void {
  for (const [key, value] of Object.entries((wish.xenStoreData ?? {}) as JsonObject)) {
    const path = key.startsWith('vm-data/') ? key : `vm-data/${key}`;
    if (value === null) delete vm.xenStoreData[path];
    else vm.xenStoreData[path] = String(value);
  }
}

function setOther(vm: VmRecord, key: string, value: Json | undefined): void {
  if (value === undefined) return;
  if (value === null || value === false) delete vm.other[key];
  else vm.other[key] = String(value);
}

function setPlatform(vm: VmRecord, wish: JsonObject): void {
  const { coresPerSocket, nicType, vga, videoram } = wish;
  const nestedVirt = wish.nestedVirt ?? wish.expNestedHvm;
  const { platform } = vm;
  if (coresPerSocket !== undefined) platform.coresPerSocket = coresPerSocket === null ? undefined : +coresPerSocket;
  if (nicType !== undefined) platform.nicType = nicType === null ? undefined : String(nicType);
  if (vga !== undefined) platform.vga = String(vga);
  if (videoram !== undefined) platform.videoram = Number(videoram);
  if (nestedVirt !== undefined) platform.nestedVirt = nestedVirt === true;
  if (wish.secureBoot !== undefined) platform.secureBoot = wish.secureBoot === true;
  if (wish.viridian !== undefined) platform.viridian = wish.viridian === true;
}

/** Takes what it knows of `wish` and leaves the rest alone, as Xen Orchestra does. @throws XapiError, Error */
export function editVm(vm: VmRecord, wish: JsonObject): void {
  const asked = NOT_HERE.find((name) => wish[name] !== undefined);
  if (asked) throw new Error(`the embedded lab cannot set ${asked} of a VM`);
  setMemory(vm, wish);
  setCpus(vm, wish);
  setBlocked(vm, wish);
  setXenStoreData(vm, wish);
  setPlatform(vm, wish);
  setOther(vm, 'xo:notes', wish.notes);
  setOther(vm, 'auto_poweron', wish.auto_poweron);
  if (wish.name_label !== undefined) vm.nameLabel = String(wish.name_label);
  if (wish.name_description !== undefined) vm.nameDescription = String(wish.name_description);
  if (wish.high_availability !== undefined) vm.highAvailability = String(wish.high_availability);
  if (wish.startDelay !== undefined) vm.startDelay = Number(wish.startDelay);
  if (wish.hasVendorDevice !== undefined) vm.hasVendorDevice = wish.hasVendorDevice === true;
  if (wish.affinityHost !== undefined) {
    vm.affinityHost = wish.affinityHost === null ? undefined : String(wish.affinityHost);
  }
  if (typeof wish.hvmBootFirmware === 'string') vm.firmware = wish.hvmBootFirmware;
  if (Array.isArray(wish.tags)) vm.tags = wish.tags.map(String);
}
