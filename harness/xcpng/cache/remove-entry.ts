/**
 * Removes one entry. That it goes is said on it first; then, when whoever was about to use it must have said so, it
 * is looked at again. XO itself refuses to delete a template that is being cloned, and clones that exist keep what they
 * share with it (the SR's hidden base copies).
 */
import { Deadline } from '../../deadline.ts';
import { Fault } from '../../faults/faults.ts';
import { selfTag, tagsOf } from '../claims.ts';
import { xoNowMs } from '../endpoint.ts';
import type { Session } from '../session.ts';
import { removeObject } from '../take-back.ts';
import { isGone } from '../xo-error.ts';
import { current, type Entry, readEntries, textsOf } from './entries.ts';
import { markTag } from './entry-tags.ts';

export interface Removal {
  readonly session: Session;
  /** Who removes it: a run, or `by-hand`. */
  readonly by: string;
  /** At least twice the lag of XO's objects, in ms. */
  readonly settleMs: number;
  readonly deadline: Deadline;
}

const MARK_MS = 10 * 60_000;
const UNMARK_MS = 10_000;

/**
 * @param wanted asked of what the entry has become after the settling: false leaves it
 * @returns why it stayed; null: it is gone
 * @throws Fault as `Session.call`, and the interrupt
 */
export async function removeEntry(
  { session, by, settleMs, deadline }: Removal,
  { id, pool }: Entry,
  wanted: (now: Entry) => boolean,
): Promise<string | null> {
  const mark = markTag('leaving', by, xoNowMs(session) + MARK_MS);
  const now = (): Entry | undefined => readEntries(session.objects.raws).find((each) => each.id === id);
  const found = now();
  if (found === undefined || !found.namesItself) return 'it does not name itself';
  const before = reasonToStay(session, found);
  if (before !== null) return before;
  try {
    await session.call('tag.add', { id, tag: mark }, deadline);
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
  let why: string | null = 'it was interrupted';
  try {
    await deadline.clock.sleep(settleMs, deadline.signal);
    deadline.check();
    const entry = now();
    if (entry === undefined) why = session.objects.poolPresent(pool) ? null : 'the pool is not shown any more';
    else if (!wanted(entry)) why = 'it is wanted after all';
    else why = reasonToStay(session, entry) ?? (await remove(session, entry, deadline));
    return why;
  } finally {
    // Also after an interrupt; it expires by itself.
    if (why !== null && session.objects.has(id)) await unmark(session, id, mark, deadline);
  }
}

async function unmark(session: Session, id: string, tag: string, { clock }: Deadline): Promise<void> {
  const limit = Deadline.after(UNMARK_MS, new AbortController().signal, clock);
  await session.call('tag.remove', { id, tag }, limit).catch((error: unknown) => {
    if (!(error instanceof Fault)) throw error;
  });
}

/** Null: nobody needs it. */
function reasonToStay(session: Session, { id, using }: Entry): string | null {
  const [user] = current(using, xoNowMs(session));
  if (user !== undefined) return `run ${user.run} is cloning from it`;
  const snapshots = textsOf(session.objects.raw(id)?.snapshots).length;
  return snapshots > 0 ? `somebody made ${snapshots} snapshot(s) of it` : null;
}

async function remove(session: Session, { id, pool, disk }: Entry, deadline: Deadline): Promise<string | null> {
  const why = await removeObject(session, { id, kind: 'VM', poolId: pool }, deadline);
  if (why !== null || disk === null) return why;
  const vdi = session.objects.get('VDI', disk);
  if (vdi === undefined) return null;
  if (!tagsOf(vdi.description).includes(selfTag(disk))) return `its disk ${disk} does not name itself, and stays`;
  const users = session.objects.all('VBD').filter((vbd) => vbd.vdi === disk && vbd.vm !== id);
  if (users.length > 0) return `its disk ${disk} is attached to VM ${users[0]?.vm}, and stays`;
  const kept = await removeObject(session, { id: disk, kind: 'VDI', poolId: pool }, deadline);
  return kept === null ? null : `its disk ${disk} stays: ${kept}`;
}
