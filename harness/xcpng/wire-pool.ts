/** What a pool is made of, as we read it: templates, SRs, networks, hosts, and what joins them. */
import { Fields, type Named } from './wire-fields.ts';

export interface Template extends Named {
  /** Of a default template the id is not the uuid, and `vm.create` wants the id. */
  readonly isDefault: boolean;
  readonly vbds: readonly string[];
  readonly firmware: 'bios' | 'uefi';
  readonly virtualizationMode: string;
  /** Bytes; a VM of it cannot have less memory. 0 where it does not say. */
  readonly memoryMinBytes: number;
  /** Made for Windows. */
  readonly viridian: boolean;
}

export interface Sr extends Named {
  readonly contentType: string;
  /** `ext`, `lvm`, `nfs`, `lvmoiscsi` …; empty where it does not say. */
  readonly srType: string;
  /** Bytes. */
  readonly sizeBytes: number;
  /** Bytes used, as the pool measured them last; null: it does not say. */
  readonly usedBytes: number | null;
  /** Does a disk take its whole size from the start? XO's word, else by the type; null: nobody can tell. */
  readonly thick: boolean | null;
  readonly shared: boolean;
  readonly inMaintenance: boolean;
}

export type Network = Named;

export interface Pif {
  readonly id: string;
  readonly pool: string;
  readonly network: string;
  readonly host: string | null;
  readonly management: boolean;
}

/** Joins a host to an SR. */
export interface Pbd {
  readonly id: string;
  readonly host: string;
  readonly sr: string;
  readonly attached: boolean;
}

export interface Host extends Named {
  /** False in maintenance mode. */
  readonly enabled: boolean;
  readonly running: boolean;
  /** Bytes; null: XO has no measurement (it shows a size of 0 then). */
  readonly memory: { readonly sizeBytes: number; readonly usedBytes: number } | null;
}

export interface Pool extends Named {
  readonly defaultSr: string | null;
  readonly tags: readonly string[];
}

type Raw = Readonly<Record<string, unknown>>;

/** LVM gives each disk a volume of its full size; XO itself knows no more than the type. */
const THICK_TYPES = ['lvm', 'lvmoiscsi', 'lvmohba', 'lvmofcoe'];
const THIN_TYPES = ['ext', 'file', 'nfs', 'smb', 'cephfs', 'glusterfs', 'moosefs', 'xfs', 'zfs', 'largeblock'];

function thickness(strategy: string | null, srType: string): boolean | null {
  if (strategy === 'thick' || strategy === 'thin') return strategy === 'thick';
  if (THICK_TYPES.includes(srType)) return true;
  return THIN_TYPES.includes(srType) ? false : null;
}

export function template(id: string, raw: Raw): Template {
  const fields = new Fields(id, raw);
  const { static: limits } = fields.record('memory');
  const [least] = Array.isArray(limits) ? (limits as unknown[]) : [];
  return {
    ...fields.named(),
    isDefault: fields.boolean('isDefaultTemplate'),
    vbds: fields.strings('$VBDs'),
    firmware: fields.record('boot').firmware === 'uefi' ? 'uefi' : 'bios',
    virtualizationMode: fields.optionalString('virtualizationMode') ?? 'unknown',
    memoryMinBytes: typeof least === 'number' ? least : 0,
    viridian: raw.viridian === true,
  };
}

export function sr(id: string, raw: Raw): Sr {
  const fields = new Fields(id, raw);
  const srType = fields.optionalString('SR_type') ?? '';
  return {
    ...fields.named(),
    contentType: fields.string('content_type'),
    srType,
    sizeBytes: fields.number('size'),
    usedBytes: fields.optionalNumber('physical_usage'),
    thick: thickness(fields.optionalString('allocationStrategy'), srType),
    shared: raw.shared === true,
    inMaintenance: raw.inMaintenanceMode === true,
  };
}

export function pif(id: string, raw: Raw): Pif {
  const fields = new Fields(id, raw);
  const [network, host] = [fields.string('$network'), fields.optionalString('$host')];
  return { id, pool: fields.string('$pool'), network, host, management: fields.boolean('management') };
}

export function pbd(id: string, raw: Raw): Pbd {
  const fields = new Fields(id, raw);
  return { id, host: fields.string('host'), sr: fields.string('SR'), attached: fields.boolean('attached') };
}

export function host(id: string, raw: Raw): Host {
  const fields = new Fields(id, raw);
  const { size, usage } = fields.record('memory');
  const measured = typeof size === 'number' && typeof usage === 'number' && size > 0;
  return {
    ...fields.named(),
    enabled: fields.boolean('enabled'),
    running: (fields.optionalString('power_state') ?? 'Running') === 'Running',
    memory: measured ? { sizeBytes: size, usedBytes: usage } : null,
  };
}

export function pool(id: string, raw: Raw): Pool {
  const fields = new Fields(id, raw);
  return { ...fields.named(), defaultSr: fields.optionalString('default_SR'), tags: fields.optionalStrings('tags') };
}

export const network = (id: string, raw: Raw): Network => new Fields(id, raw).named();
