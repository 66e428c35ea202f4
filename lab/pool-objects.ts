/** The shapes of what a pool is made of: itself, its host, SR, network, PIF and PBD. Pure functions. */
import { CORES, hostMemory, isThick, residentsOf, secondHost, srSpace } from './figures.ts';
import type { Inventory } from './inventory.ts';
import type { Json, XoObject } from './json.ts';
import { shaped } from './shaped-object.ts';

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

const SR_NAME = 'Embedded local storage';

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
  cpus: { cores: CORES, sockets: 1 },
  current_operations: {},
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

/** A host with what joins it to its network and its SR. */
interface HostParts {
  readonly own: Identity;
  readonly name: string;
  readonly pif: Identity;
  readonly pbd: Identity;
  readonly sr: Identity;
}

interface Identity {
  readonly uuid: string;
  readonly ref: string;
}

function hosts(inventory: Inventory): readonly HostParts[] {
  const { host, pif, pbd, sr, second } = inventory;
  const first = { own: host, name: 'embedded-host', pif, pbd, sr };
  const more = secondHost(inventory);
  if (more === null) return [first];
  const other = { own: second.host, name: 'embedded-host-2', pif: second.pif, pbd: second.pbd };
  return [first, { ...other, sr: more === 'shared' ? sr : second.sr }];
}

function hostObject(inventory: Inventory, { own, name, pif, pbd }: HostParts): XoObject {
  const first = own === inventory.host;
  return shaped(inventory, own, 'host', {
    ...HOST_FACTS,
    enabled: !(first && inventory.options.mishaps.has('host-disabled')),
    hostname: name,
    name_description: first ? 'this machine' : 'a second host that is only shown',
    name_label: name,
    memory: { ...hostMemory(inventory, own.uuid) },
    multipathing: false,
    otherConfig: {
      agent_start_time: `${inventory.bootTime}.`,
      boot_time: `${inventory.bootTime}.`,
      rpm_patch_installation_time: '0',
    },
    patches: [],
    powerOnMode: '',
    power_state: 'Running',
    residentVms: residentsOf(inventory, own.uuid).map((vm) => vm.uuid),
    startTime: inventory.bootTime,
    supplementalPacks: [],
    agentStartTime: inventory.bootTime,
    rebootRequired: false,
    tags: first ? [...inventory.hostTags] : [],
    version: '8.3.0',
    productBrand: 'XCP-ng',
    hvmCapable: true,
    certificates: [],
    PIFs: [pif.uuid],
    $PIFs: [pif.uuid],
    PCIs: [],
    $PCIs: [],
    PGPUs: [],
    $PGPUs: [],
    $PBDs: [pbd.uuid],
  });
}

function srObject(inventory: Inventory): XoObject {
  const { physicalUsage: physical_usage, size, usage } = srSpace(inventory);
  const joined = hosts(inventory).filter(({ sr }) => sr === inventory.sr);
  const shared = joined.length > 1;
  const thick = isThick(inventory);
  return shaped(inventory, inventory.sr, 'SR', {
    content_type: 'user',
    physical_usage,
    allocationStrategy: thick ? 'thick' : 'thin',
    current_operations: {},
    inMaintenanceMode: inventory.options.mishaps.has('sr-maintenance'),
    name_description: 'a directory of raw files',
    name_label: SR_NAME,
    size,
    shared,
    SR_type: thick ? 'lvm' : 'file',
    tags: [...inventory.sr.tags],
    usage,
    VDIs: [...inventory.vdis.keys(), ...inventory.bases.keys()],
    other_config: {},
    sm_config: {},
    $container: shared ? inventory.pool.uuid : inventory.host.uuid,
    $PBDs: joined.map(({ pbd }) => pbd.uuid),
  });
}

/** As every host of a real pool has one, with the same name as the others'. */
function secondSr(inventory: Inventory): XoObject[] {
  if (secondHost(inventory) !== 'local') return [];
  const { host, pbd, sr } = inventory.second;
  const own = { physical_usage: 0, usage: 0, VDIs: [], tags: [], $container: host.uuid, $PBDs: [pbd.uuid] };
  return [shaped(inventory, sr, 'SR', { ...srObject(inventory), id: sr.uuid, ...own })];
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
    PIFs: hosts(inventory).map(({ pif }) => pif.uuid),
    VIFs: [...inventory.vifs.keys()],
    nbd: false,
    insecureNbd: false,
    isBonded: false,
  });
  return [network, ...hosts(inventory).flatMap((host) => joints(inventory, host))];
}

/** What joins a host to the network and to its SR. */
function joints(inventory: Inventory, { own, pif, pbd, sr }: HostParts): XoObject[] {
  const first = own === inventory.host;
  return [
    shaped(inventory, pif, 'PIF', {
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
      mac: first ? '02:00:00:00:00:01' : '02:00:00:00:00:02',
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
      $host: own.uuid,
      $network: inventory.network.uuid,
    }),
    shaped(inventory, pbd, 'PBD', {
      attached: !(sr === inventory.sr && inventory.options.mishaps.has('sr-detached')),
      host: own.uuid,
      SR: sr.uuid,
      device_config: { location: inventory.options.srPath },
      otherConfig: {},
    }),
  ];
}

/** The pool and its parts as they are now. */
export function poolParts(inventory: Inventory): XoObject[] {
  return [
    poolObject(inventory),
    ...hosts(inventory).map((host) => hostObject(inventory, host)),
    srObject(inventory),
    ...secondSr(inventory),
    ...networkObjects(inventory),
  ];
}
