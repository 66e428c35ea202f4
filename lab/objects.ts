/**
 * The shapes: pure functions from the pool's books to the objects that Xen Orchestra shows of them. Key sets and value
 * types are those of the recorded objects (`test/contract/recorded/objects.json`).
 */
import { chainUsage } from './copy-on-write.ts';
import { secondHost } from './figures.ts';
import type { BaseRecord, Inventory, VbdRecord, VdiRecord, VifRecord, VmRecord } from './inventory.ts';
import type { Json, XoObject } from './json.ts';
import { poolParts } from './pool-objects.ts';
import { shaped } from './shaped-object.ts';

/** The id of a VM's object: default templates have the pool's uuid before their own. */
export function vmId(inventory: Inventory, vm: VmRecord): string {
  return vm.isDefaultTemplate ? `${inventory.pool.uuid}-${vm.uuid}` : vm.uuid;
}

const VM_TYPES = { vm: 'VM', template: 'VM-template', snapshot: 'VM-snapshot' } as const;

function templateValues(vm: VmRecord): Record<string, Json> {
  const disks = vm.isDefaultTemplate
    ? [{ device: '0', size: 8589934592, bootable: false, type: 'system', SR: '' }]
    : [];
  const methods = vm.other['install-methods'];
  return {
    isDefaultTemplate: vm.isDefaultTemplate,
    template_info: { disks, install_methods: methods === undefined ? [] : methods.split(',') },
  };
}

/** Of the first NIC. */
const reportKey = (address: string): string => (address.includes(':') ? '0/ipv6/0' : '0/ipv4/0');

/** Halted: the pool, unless a disk is local to a host, as on an SR that no second host shares. */
function container(inventory: Inventory, vm: VmRecord): string {
  if (vm.powerState === 'Running') return inventory.residence(vm);
  const local = secondHost(inventory) !== 'shared' && inventory.vbdsOf(vm.uuid).length > 0;
  return local ? inventory.host.uuid : inventory.pool.uuid;
}

function vmObject(inventory: Inventory, vm: VmRecord): XoObject {
  const vbds = inventory.vbdsOf(vm.uuid);
  const running = vm.powerState === 'Running';
  const { staticMin, dynamicMin, dynamicMax, staticMax } = vm.memory;
  const object = shaped(inventory, vm, VM_TYPES[vm.kind], {
    addresses: vm.reportedAddress === null ? {} : { [reportKey(vm.reportedAddress)]: vm.reportedAddress },
    mainIpAddress: vm.reportedAddress ?? undefined,
    affinityHost: vm.affinityHost,
    auto_poweron: vm.other.auto_poweron === 'true',
    bios_strings: {},
    blockedOperations: { ...vm.blockedOperations },
    boot: { order: vm.bootOrder, firmware: vm.firmware },
    CPUs: { ...vm.cpus },
    creation: vm.kind === 'vm' && vm.creation ? { ...vm.creation } : undefined,
    current_operations: Object.fromEntries(vm.operations),
    expNestedHvm: vm.platform.nestedVirt,
    isNestedVirtEnabled: vm.platform.nestedVirt,
    vulnerabilities: vm.kind === 'vm' ? { xsa468: false } : undefined,
    viridian: vm.platform.viridian,
    high_availability: vm.highAvailability,
    isFirmwareSupported: true,
    memory: { dynamic: [dynamicMin, dynamicMax], static: [staticMin, staticMax], size: dynamicMax },
    installTime: null,
    name_description: vm.nameDescription,
    name_label: vm.nameLabel,
    needsVtpm: false,
    notes: vm.other['xo:notes'],
    other: { ...vm.other },
    os_version: null,
    power_state: vm.powerState,
    hasVendorDevice: vm.hasVendorDevice,
    snapshots: [...inventory.vms.values()].filter((one) => one.snapshot?.of === vm.uuid).map((one) => one.uuid),
    startDelay: vm.startDelay,
    startTime: vm.startTime,
    secureBoot: vm.platform.secureBoot,
    tags: [...vm.tags],
    VIFs: inventory.vifsOf(vm.uuid).map((vif) => vif.uuid),
    VTPMs: [],
    virtualizationMode: 'hvm',
    // No guest of this lab runs guest tools; what some report is for the address alone.
    xenTools: running ? false : undefined,
    $container: container(inventory, vm),
    $VBDs: vbds.map((vbd) => vbd.uuid),
    VGPUs: [],
    $VGPUs: [],
    nicType: vm.platform.nicType,
    xenStoreData: { ...vm.xenStoreData },
    vga: vm.platform.vga,
    videoram: vm.platform.videoram,
    coresPerSocket: vm.platform.coresPerSocket,
    snapshot_time: vm.snapshot?.time,
    $snapshot_of: vm.snapshot?.of,
    ...(vm.kind === 'template' ? templateValues(vm) : {}),
  });
  return { ...object, id: vmId(inventory, vm) };
}

function vdiObject(inventory: Inventory, vdi: VdiRecord): XoObject {
  return shaped(inventory, vdi, vdi.snapshot ? 'VDI-snapshot' : 'VDI', {
    cbt_enabled: false,
    missing: false,
    name_description: vdi.nameDescription,
    name_label: vdi.nameLabel,
    image_format: 'vhd',
    parent: vdi.parent ?? undefined,
    size: vdi.size,
    snapshots: [...inventory.vdis.values()].filter((one) => one.snapshot?.of === vdi.uuid).map((one) => one.uuid),
    tags: [...vdi.tags],
    usage: vdi.usage,
    VDI_type: 'user',
    current_operations: {},
    other_config: { ...vdi.other },
    $SR: inventory.sr.uuid,
    $VBDs: inventory.vbdsOfVdi(vdi.uuid).map((vbd) => vbd.uuid),
    chainPhysicalUsage: vdi.snapshot ? undefined : chainUsage(inventory, vdi),
    snapshot_time: vdi.snapshot?.time,
    $snapshot_of: vdi.snapshot?.of,
  });
}

/** The hidden part of a copy-on-write chain; as a VDI, that nothing can be attached to. */
function baseObject(inventory: Inventory, base: BaseRecord): XoObject {
  return shaped(inventory, base, 'VDI-unmanaged', {
    cbt_enabled: false,
    missing: false,
    name_description: '',
    name_label: 'base copy',
    image_format: 'vhd',
    parent: base.parent ?? undefined,
    size: base.size,
    snapshots: [],
    tags: [],
    usage: base.usage,
    VDI_type: 'user',
    current_operations: {},
    other_config: {},
    $SR: inventory.sr.uuid,
    $VBDs: [],
  });
}

function vbdObject(inventory: Inventory, vbd: VbdRecord): XoObject {
  return shaped(inventory, vbd, 'VBD', {
    attached: vbd.attached,
    bootable: vbd.bootable,
    device: vbd.device,
    is_cd_drive: false,
    position: vbd.position,
    read_only: vbd.mode === 'RO',
    VDI: vbd.vdi,
    VM: vbd.vm,
  });
}

function vifObject(inventory: Inventory, vif: VifRecord): XoObject {
  const locked = vif.allowedIpv4.length + vif.allowedIpv6.length > 0;
  return shaped(inventory, vif, 'VIF', {
    allowedIpv4Addresses: [...vif.allowedIpv4],
    allowedIpv6Addresses: [...vif.allowedIpv6],
    attached: vif.attached,
    device: vif.device,
    lockingMode: locked ? 'locked' : 'network_default',
    MAC: vif.mac,
    MTU: 1500,
    other_config: {},
    txChecksumming: true,
    $network: inventory.network.uuid,
    $VM: vif.vm,
  });
}

/** All objects of the pool as they are now, in the books' order. */
export function poolObjects(inventory: Inventory): XoObject[] {
  return [
    ...poolParts(inventory),
    ...[...inventory.vms.values()].map((vm) => vmObject(inventory, vm)),
    ...[...inventory.vdis.values()].map((vdi) => vdiObject(inventory, vdi)),
    ...[...inventory.bases.values()].map((base) => baseObject(inventory, base)),
    ...[...inventory.vbds.values()].map((vbd) => vbdObject(inventory, vbd)),
    ...[...inventory.vifs.values()].map((vif) => vifObject(inventory, vif)),
  ];
}
