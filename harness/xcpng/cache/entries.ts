/**
 * Reads the entries of the image cache out of what a pool shows. An entry is what names itself by uuid; what carries
 * its tags and another's name is a copy (a clone in the making has its source's tags for a moment) and none. Pure.
 */
import { selfTag, tagsOf } from '../claims.ts';
import { type Chain, chainOf } from './chain.ts';
import { cacheTag, type Mark, marksOf, onlyValue, parseReady, type Ready, valuesOf } from './entry-tags.ts';

export type Raw = Readonly<Record<string, unknown>>;
export type Objects = ReadonlyMap<string, Raw>;

export interface Entry {
  readonly id: string;
  readonly name: string;
  readonly pool: string;
  readonly tags: readonly string[];
  /** `ready`: may be used. `broken`: has its ready mark, and is not what it says. */
  readonly state: 'making' | 'ready' | 'broken';
  /** Why it is broken; else null. */
  readonly wrong: string | null;
  /** It carries its own uuid; one in the making does not from its first moment on. */
  readonly namesItself: boolean;
  readonly digest: string;
  readonly bytes: number;
  readonly base: string;
  readonly maker: string;
  readonly ready: Ready | null;
  /** Of its last use, or of its making; 0 while it is made. */
  readonly usedMs: number;
  /** What its maker wrote last to say that it lives. */
  readonly alive: string;
  readonly using: readonly Mark[];
  readonly leaving: readonly Mark[];
  /** Runs of it that failed lately: it stays for whoever looks. */
  readonly failed: readonly Mark[];
  /** Its disk, once there is one; the chain of that. */
  readonly disk: string | null;
  readonly sr: string | null;
  readonly chain: Chain;
}

export const textsOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];

/** Disks attached to a VM. */
const disksOf = (objects: Objects, vm: Raw): readonly string[] =>
  textsOf(vm.$VBDs).flatMap((id) => {
    const vbd = objects.get(id);
    return vbd !== undefined && vbd.is_cd_drive !== true && typeof vbd.VDI === 'string' ? [vbd.VDI] : [];
  });

/** Null: it is what its ready mark says. */
function wrongOf(objects: Objects, vm: Raw, { disk, diskBytes }: Ready, { digest, bytes }: Said): string | null {
  if (vm.type !== 'VM-template') return `it is a ${String(vm.type)}, no template`;
  if (vm.virtualizationMode !== 'hvm') return `its mode is ${String(vm.virtualizationMode)}, not hvm`;
  const disks = disksOf(objects, vm);
  if (disks.length !== 1 || disks[0] !== disk) return `its disks are ${disks.join(', ') || 'none'}, not ${disk} alone`;
  const vdi = objects.get(disk);
  if (vdi === undefined || vdi.type !== 'VDI' || vdi.missing === true) return `its disk ${disk} is missing`;
  if (vdi.size !== diskBytes) return `its disk has ${String(vdi.size)} bytes, not ${diskBytes}`;
  if (diskBytes < bytes) return `its disk has ${diskBytes} bytes, too few for ${bytes}`;
  const claims = tagsOf(String(vdi.name_description ?? ''));
  const selves = claims.filter((each) => each.startsWith(selfTag('')));
  const own = selves.length === 1 && selves[0] === selfTag(disk) && claims.includes(cacheTag(digest));
  if (!own) return `its disk ${disk} does not say that it is the disk of this image`;
  const users = textsOf(vdi.$VBDs).map((id) => String(objects.get(id)?.VM));
  if (users.length !== 1 || users[0] !== vm.uuid) return `its disk is attached to ${users.join(', ')} as well`;
  return null;
}

type Said = Pick<Entry, 'digest' | 'bytes' | 'base' | 'maker'>;

function saidBy(tags: readonly string[]): Said | null {
  const [digest, bytes] = [onlyValue(tags, 'cache'), onlyValue(tags, 'bytes')];
  const [base, maker] = [onlyValue(tags, 'base'), onlyValue(tags, 'maker')];
  if (digest === null || bytes === null || base === null || maker === null) return null;
  return { digest, bytes: Number(bytes), base, maker };
}

function entry(objects: Objects, id: string, vm: Raw): Entry | null {
  const tags = textsOf(vm.tags);
  const said = saidBy(tags);
  const selves = tags.filter((each) => each.startsWith(selfTag('')));
  const namesItself = selves.length === 1 && selves[0] === selfTag(id);
  const isMarked = valuesOf(tags, 'ready').length > 0;
  // A ready mark without a name of its own was copied from somewhere.
  if (said === null || (selves.length > 0 && !namesItself) || (isMarked && !namesItself)) return null;
  const ready = parseReady(onlyValue(tags, 'ready'));
  const damaged = ready === null ? 'its ready mark cannot be read' : wrongOf(objects, vm, ready, said);
  const wrong = isMarked ? damaged : null;
  const disk = ready?.disk ?? disksOf(objects, vm)[0] ?? null;
  const sr = disk === null ? undefined : objects.get(disk)?.$SR;
  const used = valuesOf(tags, 'used').map((value) => Date.parse(value) || 0);
  return {
    ...{ id, name: String(vm.name_label ?? ''), pool: String(vm.$pool), tags, namesItself, ...said, ready, wrong },
    state: !isMarked ? 'making' : wrong === null ? 'ready' : 'broken',
    usedMs: Math.max(0, ready?.atMs ?? 0, ...used),
    alive: valuesOf(tags, 'alive').join(' '),
    using: marksOf(tags, 'using'),
    leaving: marksOf(tags, 'leaving'),
    failed: marksOf(tags, 'failed'),
    ...{ disk, sr: typeof sr === 'string' ? sr : null },
    chain: disk === null ? { length: 0, usage: new Map() } : chainOf(objects, disk),
  };
}

export function readEntries(objects: Objects): readonly Entry[] {
  const found: Entry[] = [];
  for (const [id, raw] of objects) {
    if (raw.type !== 'VM' && raw.type !== 'VM-template') continue;
    const read = entry(objects, id, raw);
    if (read !== null) found.push(read);
  }
  return found;
}

/** Bytes of the SR that these take together; what several share counts once. */
export function allottedBytes(entries: readonly Entry[]): number {
  const all = new Map(entries.flatMap(({ chain }) => [...chain.usage]));
  return [...all.values()].reduce((sum, bytes) => sum + bytes, 0);
}

/** Marks that still count. */
export const current = (marks: readonly Mark[], xoNowMs: number): readonly Mark[] =>
  marks.filter(({ expiresMs }) => expiresMs > xoNowMs);
