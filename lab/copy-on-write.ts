/**
 * Copy-on-write chains, as an SR of VHDs shows them: a clone and its source share a hidden base copy, which is their
 * parent. Only the books have such chains; each disk's file holds its whole content, made by reflink where the file
 * system can and of its data extents elsewhere.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { XapiError } from './errors.ts';
import { type BaseRecord, type Inventory, newIdentity, type VdiRecord } from './inventory.ts';

const execute = promisify(execFile);

/** `MAX_CHAIN_SIZE` of XCP-ng's storage manager (sm, `vhdutil.py`): a VHD chain of that many makes no clone. */
export const CHAIN_MAX = 30;

/** The base copies above a disk, the nearest first. */
function* parentsOf({ bases }: Inventory, { parent }: Pick<VdiRecord, 'parent'>): Generator<BaseRecord> {
  for (let base = bases.get(parent ?? ''); base !== undefined; base = bases.get(base.parent ?? '')) yield base;
}

/** Bytes of a disk on the SR with those of all its parents. */
export function chainUsage(inventory: Inventory, vdi: VdiRecord): number {
  return [...parentsOf(inventory, vdi)].reduce((sum, base) => sum + base.usage, vdi.usage);
}

/** @throws XapiError where the SR makes no longer chain */
export function refuseLongChain(inventory: Inventory, vdi: VdiRecord, max: number): void {
  if (1 + [...parentsOf(inventory, vdi)].length < max) return;
  throw new XapiError('SR_BACKEND_FAILURE_109', ['', 'The snapshot chain is too long', '']);
}

/** The file of a clone; holes stay holes. */
export async function copyFile(from: string, to: string): Promise<void> {
  await execute('cp', ['--reflink=auto', '--sparse=auto', '--', from, to]);
}

/** What a disk had becomes the base copy of both; each goes on empty. */
export function shareBase(inventory: Inventory, source: VdiRecord, clone: VdiRecord, fileBytes: number): void {
  const base: BaseRecord = { ...newIdentity(), parent: source.parent, usage: source.usage, size: source.size };
  inventory.bases.set(base.uuid, base);
  for (const leaf of [source, clone]) {
    leaf.parent = base.uuid;
    leaf.usage = 0;
    leaf.inheritedBytes = fileBytes;
  }
}

/**
 * A disk has gone: base copies without children go with it.
 * @param coalesce as the garbage collector of a real SR does after a while: one with a single child becomes part of it
 */
export function tidyChain(inventory: Inventory, gone: VdiRecord, coalesce: boolean): void {
  const { bases, vdis } = inventory;
  for (const { uuid, parent, usage } of [...parentsOf(inventory, gone)]) {
    const leaves = [...vdis.values()].filter((each) => each.parent === uuid);
    const inner = [...bases.values()].filter((each) => each.parent === uuid);
    const children = leaves.length + inner.length;
    if (children > 1 || (children === 1 && !coalesce)) return;
    bases.delete(uuid);
    for (const only of [...leaves, ...inner]) {
      only.parent = parent;
      only.usage += usage;
    }
    for (const leaf of leaves) leaf.inheritedBytes = Math.max(0, leaf.inheritedBytes - usage);
  }
}
