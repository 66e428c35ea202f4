/**
 * Brings an entry of the wanted image: one that is there, one that another run is making (awaited as long as that gets
 * on), or one of our own making. Null where the cache is of no help: then the image is sent as without one.
 */
import { Fault } from '../../faults/faults.ts';
import type { ImportRecord } from '../../lab.ts';
import { poolShown } from '../listing.ts';
import type { Entry } from './entries.ts';
import { STALLED_MS } from './heartbeat.ts';
import { entriesOf, isExhausted, isLeaving, isUsable, isWanted, type Keeper } from './keeper.ts';
import { makeEntry } from './make-entry.ts';
import { makeRoom, removeExhausted } from './room.ts';

export interface Obtained {
  readonly entry: Entry;
  /** How the image came in; null: it had been there. */
  readonly imported: ImportRecord | null;
}

/** How long an entry that was just made may take to be shown as such. */
const SHOWN_MS = 30_000;

/**
 * @param useless ids of entries that were tried in vain: they went meanwhile, or the SR makes no clone of them
 * @throws Fault as `makeEntry` and `removeEntry`
 */
export async function obtainEntry(keeper: Keeper, useless: ReadonlySet<string>): Promise<Obtained | null> {
  const { session, order, placement } = keeper.making;
  const dead = new Set<string>();
  for (;;) {
    await poolShown(session, placement.pool.id, order.deadline);
    const wanted = entriesOf(keeper).filter((entry) => isWanted(keeper, entry) && !useless.has(entry.id));
    const usable = wanted.filter((entry) => isUsable(keeper, entry)).sort(newestFirst)[0];
    if (usable !== undefined) return { entry: usable, imported: null };
    const maker = wanted.find(({ id, state }) => state === 'making' && !dead.has(id));
    if (maker !== undefined && !isLeaving(keeper, maker)) {
      const outcome = await awaitMaker(keeper, maker);
      if (outcome === 'late') return null;
      if (outcome === 'stalled') dead.add(maker.id);
      continue;
    }
    tellUnusable(keeper, wanted);
    const full = await makeRoom(keeper);
    if (full !== null) {
      order.onNote(`cache: not used: ${full}`);
      return null;
    }
    const made = await makeEntry(keeper, dead);
    if (made === null) continue;
    await removeExhausted(keeper, made.id);
    return { entry: await shownEntry(keeper, made.id), imported: made.imported };
  }
}

const newestFirst = (a: Entry, b: Entry): number => (b.ready?.atMs ?? 0) - (a.ready?.atMs ?? 0);

function tellUnusable(keeper: Keeper, wanted: readonly Entry[]): void {
  const { order } = keeper.making;
  for (const entry of wanted.filter(({ state }) => state !== 'making')) {
    const { id, chain, bytes, sr } = entry;
    const why =
      entry.wrong ??
      (bytes !== order.image.sizeBytes
        ? `it is of ${bytes} bytes, the image of ${order.image.sizeBytes}`
        : isExhausted(keeper, entry)
          ? `its copy-on-write chain has ${chain.length} disks, and ${keeper.cache.chainMax} are allowed`
          : isLeaving(keeper, entry)
            ? 'it is being removed'
            : `it is on SR ${sr ?? 'unknown'}`);
    order.onNote(`cache: entry ${id} is not used: ${why}`);
  }
}

/** `changed`: it is ready, or gone. `stalled`: no sign of life. `late`: the rest of our time is for sending it. */
async function awaitMaker(keeper: Keeper, maker: Entry): Promise<'changed' | 'stalled' | 'late'> {
  const { session, order } = keeper.making;
  const { deadline } = order;
  order.onNote(`cache: run ${maker.maker} is sending the same image; waiting for it`);
  const limit = deadline.within(deadline.remainingMs() / 2);
  let alive = maker.alive;
  let sinceMs = deadline.clock.nowMs();
  try {
    return await session.objects.waitFor(limit, `entry ${maker.id} to be ready`, 'XO_OBJECT_LATE', () => {
      const now = entriesOf(keeper).find(({ id }) => id === maker.id);
      if (now?.state !== 'making' || isLeaving(keeper, now)) return { done: 'changed' as const };
      const nowMs = deadline.clock.nowMs();
      if (now.alive !== alive) sinceMs = nowMs;
      alive = now.alive;
      if (nowMs - sinceMs < STALLED_MS) return { seen: `made by run ${now.maker}` };
      order.onNote(`cache: run ${now.maker} does not get on with it`);
      return { done: 'stalled' as const };
    });
  } catch (error) {
    if (!(error instanceof Fault && error.code === 'XO_OBJECT_LATE') || deadline.expired()) throw error;
    order.onNote(`cache: not used: ${error.message}`);
    return 'late';
  }
}

function shownEntry(keeper: Keeper, id: string): Promise<Entry> {
  const { session, order } = keeper.making;
  return session.objects.waitFor(order.deadline.within(SHOWN_MS), `entry ${id}`, 'XO_OBJECT_LATE', () => {
    const found = entriesOf(keeper).find((entry) => entry.id === id);
    return found?.state === 'ready' ? { done: found } : { seen: found?.wrong ?? 'not shown' };
  });
}
