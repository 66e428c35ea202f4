/**
 * Makes a guest of an entry: a copy-on-write clone of its template, whose disk carries the claim of this run from the
 * create call on. While that goes on a mark on the entry keeps others from removing it.
 */
import { retry } from '../../deadline.ts';
import { Fault } from '../../faults/faults.ts';
import type { ImportRecord } from '../../lab.ts';
import { claimDescription, tagsOf } from '../claims.ts';
import { xoNowMs } from '../endpoint.ts';
import { noteRetry } from '../make-disk.ts';
import { holdSlot, type MadeVm, makeVm } from '../make-vm.ts';
import type { Making } from '../making.ts';
import { readBack } from '../read-back.ts';
import { isGone, XoError } from '../xo-error.ts';
import { chainOf } from './chain.ts';
import type { Entry } from './entries.ts';
import { markTag, tagsWith, usedTag } from './entry-tags.ts';
import type { Keeper } from './keeper.ts';
import { type Obtained, obtainEntry } from './obtain.ts';

export interface ClonedGuest {
  readonly vm: MadeVm;
  readonly vdiUuid: string;
  readonly imported: ImportRecord;
}

const MARK_MS = 30 * 60_000;
const TRIES_MAX = 4;
const RETRIES = { retries: 2, minTimeoutMs: 500 };
const CHAIN_TOO_LONG = 'SR_BACKEND_FAILURE_109';

/**
 * @returns null: the cache is of no help, and the image is to be sent; why was told
 * @throws Fault as `obtainEntry` and `makeVm`
 */
export async function cloneGuest(keeper: Keeper): Promise<ClonedGuest | null> {
  const { order } = keeper.making;
  const useless = new Set<string>();
  for (let tries = 1; tries <= TRIES_MAX; tries++) {
    const obtained = await obtainEntry(keeper, useless);
    if (obtained === null) return null;
    const { id } = obtained.entry;
    try {
      return await clone(keeper, obtained);
    } catch (error) {
      const why = await uselessSince(keeper, id, error);
      if (why === null) throw error;
      useless.add(id);
      order.onNote(`cache: entry ${id} is not used: ${why}`);
    }
  }
  return null;
}

/** Null: the entry is not to blame. */
async function uselessSince({ making }: Keeper, id: string, error: unknown): Promise<string | null> {
  const { session, order, settings } = making;
  if (isGone(error)) {
    // Objects lag behind: it may be shown still.
    await order.deadline.clock.sleep(settings.settleMs, order.deadline.signal);
    return session.objects.has(id) ? null : 'it was removed at this moment';
  }
  const tooLong = error instanceof Fault && error.cause instanceof XoError && error.cause.xapiCode === CHAIN_TOO_LONG;
  return tooLong ? 'the SR says that its copy-on-write chain is too long' : null;
}

async function clone(keeper: Keeper, { entry, imported }: Obtained): Promise<ClonedGuest> {
  const making: Making = { ...keeper.making, source: { templateId: entry.id } };
  const { order } = making;
  const { clock } = order.deadline;
  const startedMs = clock.nowMs();
  const unmark = await markUsed(making, entry);
  const first = await makeVm(making);
  const firstDisk = await ownDisk(making, first);
  await unmark();
  const ms = Math.round(clock.nowMs() - startedMs);
  const vm = await holdSlot(making, first);
  const vdiUuid = vm === first ? firstDisk : await ownDisk(making, vm);
  tellLongChain(keeper, vdiUuid);
  const record = imported ?? {
    path: 'cache-clone',
    bytes: 0,
    ms,
    mibPerS: 0,
    readBack: entry.ready?.compared === true,
  };
  return { vm, vdiUuid, imported: { cache: 'hit', entry: entry.id, ...record, ...(await compared(making, vdiUuid)) } };
}

/**
 * A run that clones says so before it does. @returns takes the mark away, and writes when the entry was used
 * @throws Fault as `Session.call`; also where the entry went
 */
async function markUsed({ session, order }: Making, { id, tags }: Entry): Promise<() => Promise<void>> {
  const { deadline, disposals, runId } = order;
  const mark = markTag('using', runId, xoNowMs(session) + MARK_MS);
  let stands = true;
  disposals.register('mark', { uuid: id, tag: mark }, async (undoing) => {
    if (stands) await session.call('tag.remove', { id, tag: mark }, undoing).catch(unlessGone);
    return [];
  });
  try {
    await session.call('tag.add', { id, tag: mark }, deadline);
  } catch (error) {
    stands = !isGone(error);
    throw error;
  }
  const before = tagsWith(tags, 'used');
  return async () => {
    await session.call('tag.add', { id, tag: usedTag(xoNowMs(session)) }, deadline).catch(unlessGone);
    for (const tag of [mark, ...before]) await session.call('tag.remove', { id, tag }, deadline).catch(unlessGone);
    stands = false;
  };
}

function unlessGone(error: unknown): void {
  if (!isGone(error)) throw error;
}

/** The disk that came with the VM, named as ours by its uuid. */
async function ownDisk({ session, order }: Making, { uuid, disk }: MadeVm): Promise<string> {
  if (disk === null) throw new Error('a clone was ordered without its disk');
  const { objects } = session;
  const { deadline, disposals } = order;
  const { guestTag } = disk.claim;
  const what = `the disk of VM ${uuid} to carry our claim`;
  const vdiUuid = await objects.waitFor(deadline, what, 'XO_OBJECT_LATE', () => {
    const attached = objects.all('VBD').filter(({ vm, isCd }) => vm === uuid && !isCd);
    const ours = attached.flatMap(({ vdi }) => {
      const found = vdi === null ? undefined : objects.get('VDI', vdi);
      return found !== undefined && tagsOf(found.description).includes(guestTag) ? [found.id] : [];
    });
    return ours[0] === undefined ? { seen: `${attached.length} disks, none with it` } : { done: ours[0] };
  });
  disk.uuid = vdiUuid;
  disk.state = 'made';
  disposals.note('VDI', { uuid: vdiUuid });
  await session.call('vdi.set', { id: vdiUuid, name_description: claimDescription(disk.claim, vdiUuid) }, deadline);
  return vdiUuid;
}

/** The next run will renew the entry; nothing fails yet. */
function tellLongChain({ making: { session, order }, cache }: Keeper, vdiUuid: string): void {
  const { length } = chainOf(session.objects.raws, vdiUuid);
  if (length > cache.chainMax) order.onNote(`cache: the chain of disk ${vdiUuid} has ${length} disks`);
}

/** Where the caller wants every disk read, also one whose source was compared. */
async function compared({ session, order }: Making, vdiUuid: string): Promise<{ readonly readBack?: true }> {
  if (!order.readBackClone) return {};
  const options = { ...RETRIES, onRetry: noteRetry(order) };
  const same = await retry(order.deadline, options, () => readBack(session, vdiUuid, order.image, order.deadline));
  return same ? { readBack: true } : {};
}
