/**
 * The objects of Xen Orchestra that we read, parsed at the door from `unknown` into readonly types.
 * Fields that we do not read are ignored; one that is missing or of another type is a named fault.
 */
import { Fault } from '../faults/faults.ts';
import { Fields, type Named } from './wire-fields.ts';
import { host, network, pbd, pif, pool, sr, template } from './wire-pool.ts';

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
  /** Running: the host it is on. Halted: the pool, or the host of its local disk. */
  readonly container: string | null;
  /** Bytes that the pool could take back from it while it runs, where its memory is dynamic. */
  readonly reclaimableBytes: number;
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

type Raw = Readonly<Record<string, unknown>>;

function reclaimable({ size, dynamic }: Raw): number {
  const [least] = Array.isArray(dynamic) ? (dynamic as unknown[]) : [];
  return typeof size === 'number' && typeof least === 'number' ? Math.max(0, size - least) : 0;
}

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
    container: fields.optionalString('$container'),
    reclaimableBytes: reclaimable(fields.record('memory')),
  };
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
  PBD: pbd,
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
