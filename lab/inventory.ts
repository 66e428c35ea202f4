/**
 * The pool's books: one host (or two), one SR, one network, templates, VMs, disks and what joins them, in memory.
 * Whoever changes a record calls `touch()`; what clients see of it is made by `objects.ts`, later.
 */
import { randomUUID } from 'node:crypto';
import { XapiError } from './errors.ts';
import type { Mishaps } from './mishaps.ts';

interface Identified {
  readonly uuid: string;
  readonly ref: string;
}

export interface VmRecord extends Identified {
  kind: 'vm' | 'template' | 'snapshot';
  isDefaultTemplate: boolean;
  nameLabel: string;
  nameDescription: string;
  powerState: 'Halted' | 'Running';
  /** Task id → operation, as `current_operations`. */
  readonly operations: Map<string, string>;
  /** Bytes. */
  memory: { staticMin: number; dynamicMin: number; dynamicMax: number; staticMax: number };
  cpus: { max: number; number: number };
  bootOrder: string;
  firmware: string;
  platform: {
    coresPerSocket: number | undefined;
    nestedVirt: boolean;
    nicType: string | undefined;
    secureBoot: boolean;
    vga: string;
    videoram: number;
    viridian: boolean;
  };
  /** XAPI's `other_config`. */
  other: Record<string, string>;
  tags: string[];
  blockedOperations: Record<string, string>;
  affinityHost: string | undefined;
  highAvailability: string;
  startDelay: number;
  hasVendorDevice: boolean;
  xenStoreData: Record<string, string>;
  creation: { date: string; template: string; user: string } | undefined;
  /** Seconds since 1970, of the last start. */
  startTime: number | null;
  /** What guest tools report; null: nothing, as without them. */
  reportedAddress: string | null;
  snapshot: { readonly of: string; readonly time: number } | undefined;
}

export interface VdiRecord extends Identified {
  nameLabel: string;
  nameDescription: string;
  /** Bytes, rounded up as the SR does. */
  size: number;
  /** Bytes on disk, without those of its parents. */
  usage: number;
  /** The base copy that it shares with its clones; null: it stands alone. */
  parent: string | null;
  /** Bytes of its file that are its parents'. */
  inheritedBytes: number;
  readonly path: string;
  tags: string[];
  other: Record<string, string>;
  /** Content is being written from outside. */
  importing: boolean;
  snapshot: { readonly of: string; readonly time: number } | undefined;
}

/** A hidden disk that clones have in common; XO's `VDI-unmanaged`. */
export interface BaseRecord extends Identified {
  parent: string | null;
  usage: number;
  readonly size: number;
}

export interface VbdRecord extends Identified {
  readonly vm: string;
  readonly vdi: string;
  /** Decimal, `0` first. */
  readonly position: string;
  readonly mode: 'RW' | 'RO';
  bootable: boolean;
  attached: boolean;
  device: string | null;
}

export interface VifRecord extends Identified {
  readonly vm: string;
  readonly device: string;
  /** Lower case. */
  readonly mac: string;
  readonly allowedIpv4: readonly string[];
  readonly allowedIpv6: readonly string[];
  attached: boolean;
}

/** A fresh uuid with the opaque reference that belongs to it. */
export function newIdentity(): Identified {
  return { uuid: randomUUID(), ref: `OpaqueRef:${randomUUID()}` };
}

export interface InventoryOptions {
  readonly srPath: string;
  /** Bytes that the SR claims to have. */
  readonly srSize: number;
  readonly hostMemoryBytes: number;
  /** Of these, what is used without any guest. */
  readonly hostUsedBytes: number;
  readonly poolName: string;
  readonly mishaps: Mishaps;
}

export class Inventory {
  readonly options: InventoryOptions;
  readonly pool = newIdentity();
  readonly host = newIdentity();
  readonly sr = { ...newIdentity(), tags: [] as string[] };
  readonly network = { ...newIdentity(), tags: [] as string[] };
  readonly pif = newIdentity();
  readonly pbd = newIdentity();
  /** Shown where a mishap wants a second host. */
  readonly second = { host: newIdentity(), pif: newIdentity(), pbd: newIdentity(), sr: newIdentity() };
  /** Xen Orchestra's own id of its connection to the pool. */
  readonly serverId = randomUUID();
  readonly poolTags: string[] = [];
  readonly hostTags: string[] = [];
  /** Seconds since 1970. */
  readonly bootTime = Math.floor(Date.now() / 1000);
  readonly vms = new Map<string, VmRecord>();
  readonly vdis = new Map<string, VdiRecord>();
  readonly bases = new Map<string, BaseRecord>();
  readonly vbds = new Map<string, VbdRecord>();
  readonly vifs = new Map<string, VifRecord>();
  readonly #residence = new Map<string, string>();
  readonly #listeners = new Set<() => void>();

  constructor(options: InventoryOptions) {
    this.options = options;
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Says that a record has changed. */
  touch(): void {
    for (const listener of this.#listeners) listener();
  }

  /** The record behind an id that XO still lists; gone already: what the XAPI says then. */
  vm(uuid: string, ref = ''): VmRecord {
    const vm = this.vms.get(uuid);
    if (!vm) throw new XapiError('HANDLE_INVALID', ['VM', ref]);
    return vm;
  }

  vdi(uuid: string, ref = ''): VdiRecord {
    const vdi = this.vdis.get(uuid);
    if (!vdi) throw new XapiError('HANDLE_INVALID', ['VDI', ref]);
    return vdi;
  }

  vbdsOf(vmUuid: string): VbdRecord[] {
    return [...this.vbds.values()].filter((vbd) => vbd.vm === vmUuid);
  }

  vifsOf(vmUuid: string): VifRecord[] {
    return [...this.vifs.values()].filter((vif) => vif.vm === vmUuid);
  }

  vbdsOfVdi(vdiUuid: string): VbdRecord[] {
    return [...this.vbds.values()].filter((vbd) => vbd.vdi === vdiUuid);
  }

  /** Uuid of the host that the VM runs or last ran on. */
  residence(vm: VmRecord): string {
    return this.#residence.get(vm.uuid) ?? this.host.uuid;
  }

  settle(vm: VmRecord, hostUuid: string): void {
    this.#residence.set(vm.uuid, hostUuid);
  }
}
