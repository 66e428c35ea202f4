/** The shapes of what a pool is made of: itself, its host, SR, network, PIF and PBD. Pure functions. */
import type { Inventory } from './inventory.ts';
import type { Json, XoObject } from './json.ts';
import { shaped } from './shaped-object.ts';

const DOM0_MEMORY_BYTES = 1717986919;
const CORES = 4;

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

/** What does not change while the lab lives. */
const HOST_FACTS: Readonly<Record<string, Json>> = {
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
};

function hostObject(inventory: Inventory): XoObject {
  const size = inventory.options.hostMemoryBytes;
  const running = [...inventory.vms.values()].filter((vm) => vm.powerState === 'Running');
  return shaped(inventory, inventory.host, 'host', {
    ...HOST_FACTS,
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

/** The pool and its parts as they are now. */
export function poolParts(inventory: Inventory): XoObject[] {
  return [poolObject(inventory), hostObject(inventory), srObject(inventory), ...networkObjects(inventory)];
}
