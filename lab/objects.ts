/**
 * The shapes: pure functions from the pool's books to the objects that Xen Orchestra shows of them. Key sets and value
 * types are those of the recorded objects (`test/contract/recorded/objects.json`).
 */
import type { Inventory, VbdRecord, VdiRecord, VifRecord, VmRecord } from './inventory.ts';
import type { Json, XoObject } from './json.ts';

const DOM0_MEMORY_BYTES = 1717986919;
const CORES = 4;

interface Identity {
  readonly uuid: string;
  readonly ref: string;
}

/** Drops absent values and adds what every object has. */
function shaped(
  inventory: Inventory,
  own: Identity,
  type: string,
  values: Readonly<Record<string, Json | undefined>>,
): XoObject {
  const kept: Record<string, Json> = {};
  for (const [key, value] of Object.entries(values)) if (value !== undefined) kept[key] = value;
  const pool = inventory.pool.uuid;
  return { id: own.uuid, ...kept, type, uuid: own.uuid, $pool: pool, $poolId: pool, _xapiRef: own.ref };
}

function poolObject(inventory: Inventory): XoObject {
  return shaped(inventory, inventory.pool, 'pool', {
    auto_poweron: false,
    crashDumpSr: inventory.sr.uuid,
    current_operations: {},
    default_SR: inventory.sr.uuid,
    HA_enabled: false,
    haRebootVmOnInternalShutdown: true,
    haSrs: [],
    master: inventory.host.uuid,
    tags: [...inventory.poolTags],
    name_description: 'VMs as processes of this machine',
    name_label: inventory.options.poolName,
    migrationCompression: false,
    otherConfig: {},
    cpus: { cores: CORES, sockets: 1 },
    suspendSr: inventory.sr.uuid,
    zstdSupported: true,
    vtpmSupported: true,
    platform_version: '3.4.0',
  });
}

function hostObject(inventory: Inventory): XoObject {
  const size = inventory.options.hostMemoryBytes;
  const running = [...inventory.vms.values()].filter((vm) => vm.powerState === 'Running');
  return shaped(inventory, inventory.host, 'host', {
    CPUs: {
      cpu_count: String(CORES),
      socket_count: '1',
      threads_per_core: '1',
      vendor: 'GenuineIntel',
      speed: '2400.000',
      modelname: 'embedded lab',
      family: '6',
      model: '85',
      stepping: '7',
      flags: 'fpu sse2',
      features: '',
      features_hvm: '',
      features_pv: '',
    },
    address: '127.0.0.1',
    bios_strings: {
      'bios-vendor': 'Bootwitness',
      'system-manufacturer': 'Bootwitness',
      'system-product-name': 'embedded lab',
    },
    build: 'embedded',
    chipset_info: { iommu: false },
    enabled: true,
    cpus: { cores: CORES, sockets: 1 },
    current_operations: {},
    hostname: 'embedded-host',
    iscsiIqn: 'iqn.2001-01.org.example:embedded',
    zstdSupported: true,
    license_params: {
      restrict_zstd_export: 'false',
      restrict_vtpm: 'false',
      restrict_pool_size: 'false',
      expiry: '',
    },
    license_server: { address: 'localhost', port: '27000' },
    license_expiry: null,
    logging: {},
    name_description: 'this machine',
    name_label: 'embedded-host',
    memory: {
      usage: DOM0_MEMORY_BYTES + running.reduce((sum, vm) => sum + vm.memory.dynamicMax, 0),
      size,
    },
    multipathing: false,
    otherConfig: {
      agent_start_time: `${inventory.bootTime}.`,
      boot_time: `${inventory.bootTime}.`,
      rpm_patch_installation_time: '0',
    },
    patches: [],
    powerOnMode: '',
    power_state: 'Running',
    residentVms: running.map((vm) => vm.uuid),
    startTime: inventory.bootTime,
    supplementalPacks: [],
    agentStartTime: inventory.bootTime,
    rebootRequired: false,
    tags: [...inventory.hostTags],
    version: '8.3.0',
    productBrand: 'XCP-ng',
    hvmCapable: true,
    certificates: [],
    PIFs: [inventory.pif.uuid],
    $PIFs: [inventory.pif.uuid],
    PCIs: [],
    $PCIs: [],
    PGPUs: [],
    $PGPUs: [],
    $PBDs: [inventory.pbd.uuid],
  });
}

function srObject(inventory: Inventory): XoObject {
  const vdis = [...inventory.vdis.values()];
  return shaped(inventory, inventory.sr, 'SR', {
    content_type: 'user',
    physical_usage: vdis.reduce((sum, vdi) => sum + vdi.usage, 0),
    allocationStrategy: 'thin',
    current_operations: {},
    inMaintenanceMode: false,
    name_description: 'a directory of raw files',
    name_label: 'Embedded local storage',
    size: inventory.options.srSize,
    shared: false,
    SR_type: 'file',
    tags: [...inventory.sr.tags],
    usage: vdis.reduce((sum, vdi) => sum + vdi.size, 0),
    VDIs: vdis.map((vdi) => vdi.uuid),
    other_config: {},
    sm_config: {},
    $container: inventory.host.uuid,
    $PBDs: [inventory.pbd.uuid],
  });
}

function networkObjects(inventory: Inventory): XoObject[] {
  const network = shaped(inventory, inventory.network, 'network', {
    automatic: false,
    bridge: 'xenbr0',
    current_operations: {},
    defaultIsLocked: false,
    MTU: 1500,
    name_description: '',
    name_label: 'Pool-wide network associated with eth0',
    other_config: {},
    tags: [...inventory.network.tags],
    PIFs: [inventory.pif.uuid],
    VIFs: [...inventory.vifs.keys()],
    nbd: false,
    insecureNbd: false,
    isBonded: false,
  });
  const pif = shaped(inventory, inventory.pif, 'PIF', {
    attached: true,
    isBondMaster: false,
    isBondSlave: false,
    device: 'eth0',
    deviceName: 'user-mode network',
    dns: '',
    disallowUnplug: false,
    gateway: '',
    ip: '127.0.0.1',
    ipv6: [],
    mac: '02:00:00:00:00:01',
    management: true,
    carrier: true,
    mode: 'Static',
    ipv6Mode: 'None',
    mtu: 1500,
    netmask: '255.0.0.0',
    physical: true,
    primaryAddressType: 'IPv4',
    vlan: -1,
    speed: 1000,
    $host: inventory.host.uuid,
    $network: inventory.network.uuid,
  });
  const pbd = shaped(inventory, inventory.pbd, 'PBD', {
    attached: true,
    host: inventory.host.uuid,
    SR: inventory.sr.uuid,
    device_config: { location: inventory.options.srPath },
    otherConfig: {},
  });
  return [network, pif, pbd];
}

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

function vmObject(inventory: Inventory, vm: VmRecord): XoObject {
  const vbds = inventory.vbdsOf(vm.uuid);
  const running = vm.powerState === 'Running';
  const { staticMin, dynamicMin, dynamicMax, staticMax } = vm.memory;
  const object = shaped(inventory, vm, VM_TYPES[vm.kind], {
    addresses: {},
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
    // No guest of this lab runs guest tools.
    xenTools: running ? false : undefined,
    // Halted: the pool, unless a disk is local to a host; the only SR here is.
    $container: running || vbds.length > 0 ? inventory.host.uuid : inventory.pool.uuid,
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
    size: vdi.size,
    snapshots: [...inventory.vdis.values()].filter((one) => one.snapshot?.of === vdi.uuid).map((one) => one.uuid),
    tags: [...vdi.tags],
    usage: vdi.usage,
    VDI_type: 'user',
    current_operations: {},
    other_config: { ...vdi.other },
    $SR: inventory.sr.uuid,
    $VBDs: inventory.vbdsOfVdi(vdi.uuid).map((vbd) => vbd.uuid),
    chainPhysicalUsage: vdi.snapshot ? undefined : vdi.usage,
    snapshot_time: vdi.snapshot?.time,
    $snapshot_of: vdi.snapshot?.of,
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
    poolObject(inventory),
    hostObject(inventory),
    srObject(inventory),
    ...networkObjects(inventory),
    ...[...inventory.vms.values()].map((vm) => vmObject(inventory, vm)),
    ...[...inventory.vdis.values()].map((vdi) => vdiObject(inventory, vdi)),
    ...[...inventory.vbds.values()].map((vbd) => vbdObject(inventory, vbd)),
    ...[...inventory.vifs.values()].map((vif) => vifObject(inventory, vif)),
  ];
}
