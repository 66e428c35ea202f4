/**
 * The objects of Xen Orchestra that we read, parsed at the door from `unknown` into readonly types.
 * Fields that we do not read are ignored; one that is missing or of another type is a named fault.
 */
import { Fault } from '../faults.ts';
import { Fields, type Named } from './wire-fields.ts';

export const POWER_STATES = ['Halted', 'Running', 'Paused', 'Suspended'] as const;
export type PowerState = (typeof POWER_STATES)[number];

export interface Vm extends Named {
  /** A new VM is a `VM-template` for a moment: it starts as a clone of one. */
  readonly type: 'VM' | 'VM-template';
  readonly powerState: PowerState;
  readonly tags: readonly string[];
  readonly vbds: readonly string[];
  readonly vifs: readonly string[];
  /** `<device>/<protocol>/<index>` → address, as the guest reports them; empty without an agent. */
  readonly addresses: Readonly<Record<string, string>>;
  readonly mainIpAddress: string | null;
  /** Seconds since 1970 of the last start; null: never. */
  readonly startTime: number | null;
  /** Ids of its snapshots. */
  readonly snapshots: readonly string[];
  /** Names of the operations that somebody blocked. */
  readonly blockedOperations: readonly string[];
  /** XO's letters: `c` disk, `d` CD, `n` network; empty where there is none. */
  readonly bootOrder: string;
  readonly firmware: 'bios' | 'uefi';
  readonly virtualizationMode: string;
}

export interface Template extends Named {
  /** Of a default template the id is not the uuid, and `vm.create` wants the id. */
  readonly isDefault: boolean;
  readonly vbds: readonly string[];
}

export interface Vdi extends Named {
  readonly description: string;
  readonly sizeBytes: number;
  readonly sr: string;
  readonly vbds: readonly string[];
  readonly snapshots: readonly string[];
}

export interface Vbd {
  readonly id: string;
  readonly vm: string;
  /** Null: an empty drive. */
  readonly vdi: string | null;
  readonly position: string;
  readonly isCd: boolean;
  readonly readOnly: boolean;
}

export interface Vif {
  readonly id: string;
  readonly vm: string;
  /** Lower case. */
  readonly mac: string;
  readonly device: string;
  readonly network: string;
}

export interface Sr extends Named {
  readonly contentType: string;
  readonly sizeBytes: number;
}

export type Network = Named;

export interface Pif {
  readonly id: string;
  readonly pool: string;
  readonly network: string;
  readonly management: boolean;
}

export interface Host extends Named {
  readonly enabled: boolean;
}

export interface Pool extends Named {
  readonly defaultSr: string | null;
}

type Raw = Readonly<Record<string, unknown>>;

function vm(id: string, raw: Raw): Vm {
  const fields = new Fields(id, raw);
  const boot = fields.record('boot');
  return {
    ...fields.named(),
    type: fields.oneOf('type', ['VM', 'VM-template'] as const),
    powerState: fields.oneOf('power_state', POWER_STATES),
    tags: fields.strings('tags'),
    vbds: fields.strings('$VBDs'),
    vifs: fields.strings('VIFs'),
    addresses: fields.stringRecord('addresses'),
    mainIpAddress: fields.optionalString('mainIpAddress'),
    startTime: fields.optionalNumber('startTime'),
    snapshots: fields.optionalStrings('snapshots'),
    blockedOperations: Object.keys(fields.record('blockedOperations')),
    bootOrder: String(boot.order ?? ''),
    firmware: boot.firmware === 'uefi' ? 'uefi' : 'bios',
    virtualizationMode: fields.optionalString('virtualizationMode') ?? 'unknown',
  };
}

function template(id: string, raw: Raw): Template {
  const fields = new Fields(id, raw);
  return { ...fields.named(), isDefault: fields.boolean('isDefaultTemplate'), vbds: fields.strings('$VBDs') };
}

function vdi(id: string, raw: Raw): Vdi {
  const fields = new Fields(id, raw);
  return {
    ...fields.named(),
    description: fields.string('name_description'),
    sizeBytes: fields.number('size'),
    sr: fields.string('$SR'),
    vbds: fields.strings('$VBDs'),
    snapshots: fields.optionalStrings('snapshots'),
  };
}

function vbd(id: string, raw: Raw): Vbd {
  const fields = new Fields(id, raw);
  const [vmId, vdiId] = [fields.string('VM'), fields.optionalString('VDI')];
  const [isCd, readOnly] = [fields.boolean('is_cd_drive'), fields.boolean('read_only')];
  return { id, vm: vmId, vdi: vdiId, position: fields.string('position'), isCd, readOnly };
}

function vif(id: string, raw: Raw): Vif {
  const fields = new Fields(id, raw);
  const mac = fields.string('MAC').toLowerCase();
  return { id, vm: fields.string('$VM'), mac, device: fields.string('device'), network: fields.string('$network') };
}

function sr(id: string, raw: Raw): Sr {
  const fields = new Fields(id, raw);
  return { ...fields.named(), contentType: fields.string('content_type'), sizeBytes: fields.number('size') };
}

function pif(id: string, raw: Raw): Pif {
  const fields = new Fields(id, raw);
  const network = fields.string('$network');
  return { id, pool: fields.string('$pool'), network, management: fields.boolean('management') };
}

function host(id: string, raw: Raw): Host {
  const fields = new Fields(id, raw);
  return { ...fields.named(), enabled: fields.boolean('enabled') };
}

function pool(id: string, raw: Raw): Pool {
  const fields = new Fields(id, raw);
  return { ...fields.named(), defaultSr: fields.optionalString('default_SR') };
}

const network = (id: string, raw: Raw): Network => new Fields(id, raw).named();

/** XO's `type` → how it is read. `VM-template` is read as a Template; a VM that is still one, through `claimable`. */
export const PARSERS = {
  VM: vm,
  'VM-template': template,
  VDI: vdi,
  VBD: vbd,
  VIF: vif,
  SR: sr,
  network,
  PIF: pif,
  host,
  pool,
} as const;

export type WireType = keyof typeof PARSERS;
export type WireObject<T extends WireType> = ReturnType<(typeof PARSERS)[T]>;

/** A VM, or what will be one when its cloning ends. */
export const parseClaimable = vm;

/** The map that `xo.getAllObjects` and the notifications carry. */
export function objectMap(value: unknown, where: string): ReadonlyMap<string, Raw> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Fault('XO_OBJECT_MALFORMED', `${where}: expected an object of objects, given ${typeof value}`);
  }
  const map = new Map<string, Raw>();
  for (const [id, raw] of Object.entries(value)) {
    if (typeof raw !== 'object' || raw === null || typeof raw.type !== 'string') {
      throw new Fault('XO_OBJECT_MALFORMED', `${where}: object ${id}: expected an object with a type`);
    }
    map.set(id, raw as Raw);
  }
  return map;
}
