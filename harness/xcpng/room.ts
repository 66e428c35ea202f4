/**
 * Is there room for a guest: bytes on the SR for its disk, memory on a host? Pure, over the figures that XO shows.
 * Refused is only what cannot work whatever else happens; what merely may become short is a warning.
 */
import type { FaultCode } from '../faults/fault-table.ts';
import { BLOCK_BYTES } from '../image/disk.ts';
import type { PlannedImage } from '../model.ts';
import type { Host, Sr } from './wire-pool.ts';

export type Room =
  | { readonly state: 'enough' }
  | { readonly state: 'tight'; readonly sentence: string }
  | { readonly state: 'short'; readonly code: FaultCode; readonly sentence: string };

/** Bytes that a new disk takes of an SR. */
export interface DiskNeed {
  /** At once. */
  readonly nowBytes: number;
  /** When the guest has written everywhere. */
  readonly laterBytes: number;
}

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
/** A VHD's bitmap for each block, rounded up to what a file system gives. */
const BITMAP_BYTES = 4096;
/** Its header, its table of blocks and its two footers, generously. */
const VHD_BYTES = 4 * MIB;
/** LVM gives out space in extents of that size. */
const EXTENT_BYTES = 4 * MIB;
/** Left over at the least, or it is said. */
const SR_MARGIN_BYTES = 512 * MIB;
/** What Xen itself takes for an HVM guest: tables for its memory, and a little for each CPU. */
const xenOverheadMiB = (memoryMiB: number, cpus: number): number => Math.ceil(memoryMiB / 128) + cpus + 16;

/** For people: at most one digit behind the point. */
export function sized(bytes: number): string {
  return bytes >= GIB ? `${(bytes / GIB).toFixed(1)} GiB` : `${(bytes / MIB).toFixed(0)} MiB`;
}

const vhdBytes = (blocks: number): number => blocks * (BLOCK_BYTES + BITMAP_BYTES) + VHD_BYTES;

/**
 * A thin SR (ext, nfs …) takes what is not zero, a thick one (lvm, lvmoiscsi …) the whole size at once. Of one that
 * does not say which it is (linstor, say) the smaller need is assumed: nothing is refused that might work.
 */
export function diskNeed(sr: Pick<Sr, 'thick'>, image: Pick<PlannedImage, 'sizeBytes' | 'blocks'>): DiskNeed {
  const whole = Math.ceil(vhdBytes(Math.ceil(image.sizeBytes / BLOCK_BYTES)) / EXTENT_BYTES) * EXTENT_BYTES;
  return { nowBytes: sr.thick === true ? whole : vhdBytes(image.blocks.length), laterBytes: whole };
}

export function srRoom(sr: Sr, need: DiskNeed): Room {
  const kind = `${sr.srType || 'unknown type'}, ${sr.thick === null ? 'thin or thick' : sr.thick ? 'thick' : 'thin'}`;
  const what = `SR "${sr.name}" (${sr.uuid}; ${kind})`;
  if (sr.usedBytes === null) return { state: 'tight', sentence: `${what}: Xen Orchestra does not say how full it is` };
  const freeBytes = Math.max(0, sr.sizeBytes - sr.usedBytes);
  const free = `${what}: ${sized(freeBytes)} free of ${sized(sr.sizeBytes)}`;
  if (freeBytes < need.nowBytes) {
    const why = sr.thick === true ? 'the whole size of the image, reserved at once' : 'what is not zero in the image';
    return { state: 'short', code: 'SR_FULL', sentence: `${free}, needed ${sized(need.nowBytes)} (${why})` };
  }
  if (freeBytes >= need.laterBytes + SR_MARGIN_BYTES) return { state: 'enough' };
  return { state: 'tight', sentence: `${free}; the disk takes up to ${sized(need.laterBytes)} of it` };
}

export interface MemoryNeed {
  readonly memoryMiB: number;
  readonly cpus: number;
}

/** How many guests of that size fit on a host; infinite where nobody measured it. */
export function guestsOn({ memory }: Pick<Host, 'memory'>, need: MemoryNeed, reclaimableBytes: number): number {
  if (memory === null) return Number.POSITIVE_INFINITY;
  const eachBytes = (need.memoryMiB + xenOverheadMiB(need.memoryMiB, need.cpus)) * MIB;
  return Math.max(0, Math.floor((memory.sizeBytes - memory.usedBytes + reclaimableBytes) / eachBytes));
}

/**
 * Is there a host with that much memory free?
 * @param hosts those that could run the guest; at least one
 * @param reclaimableBytes what the pool may take back from running VMs whose memory is dynamic, by id of the host
 */
export function memoryRoom(
  hosts: readonly Host[],
  need: MemoryNeed,
  reclaimableBytes: (hostId: string) => number,
): Room {
  const neededBytes = need.memoryMiB * MIB;
  const wishedBytes = neededBytes + xenOverheadMiB(need.memoryMiB, need.cpus) * MIB;
  const views = hosts.map(({ id, name, uuid, memory }) => {
    const freeBytes = memory === null ? null : Math.max(0, memory.sizeBytes - memory.usedBytes);
    const shown = freeBytes === null || memory === null ? 'not measured' : `${sized(freeBytes)} free of`;
    const size = memory === null ? '' : ` ${sized(memory.sizeBytes)}`;
    return { freeBytes, most: (freeBytes ?? 0) + reclaimableBytes(id), text: `"${name}" (${uuid}): ${shown}${size}` };
  });
  if (views.some(({ freeBytes }) => freeBytes !== null && freeBytes >= wishedBytes)) return { state: 'enough' };
  const wanted = `the guest is to have ${need.memoryMiB} MiB`;
  const texts = views.map(({ text }) => text).join('; ');
  const may = views.some(({ freeBytes, most }) => freeBytes === null || most >= neededBytes);
  if (may) return { state: 'tight', sentence: `memory is short, ${wanted}; ${texts}` };
  const which = hosts.length === 1 ? 'the only host that can run it has not' : 'no host that can run it has';
  return { state: 'short', code: 'NO_HOST_AVAILABLE', sentence: `${wanted}, and ${which} so much free; ${texts}` };
}
