/** Makes room for another entry: what is of no use goes first, then what was not used for longest. */
import { xoNowMs } from '../endpoint.ts';
import { allottedBytes, current, type Entry } from './entries.ts';
import { entriesOf, isExhausted, isWanted, type Keeper } from './keeper.ts';
import { removeEntry } from './remove-entry.ts';

const BLOCK_BYTES = 2 * 2 ** 20;
/** Bitmaps of the blocks, block table and header of a VHD, generously. */
const OVERHEAD = 1.002;

const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`;

/**
 * Entries go until the new one fits into what the lab file allows, by what the SR really allots to them.
 * @returns why there is no room; null: there is
 * @throws Fault as `removeEntry`
 */
export async function makeRoom(keeper: Keeper): Promise<string | null> {
  const { making, cache } = keeper;
  const { session, order, placement, settings } = making;
  const need = order.image.blocks.length * BLOCK_BYTES * OVERHEAD;
  if (need > cache.bytesMax) return `the image takes ${gib(need)}, and cache.gib allows ${gib(cache.bytesMax)}`;
  const kept = new Map<string, string>();
  for (;;) {
    const all = entriesOf(keeper).filter(({ sr }) => sr === placement.srId || sr === null);
    if (allottedBytes(all) + need <= cache.bytesMax) return null;
    for (const { id, why } of failedLately(keeper, all)) kept.set(id, why);
    const next = all.filter(({ id, state }) => state !== 'making' && !kept.has(id)).sort(worstFirst(keeper))[0];
    if (next === undefined) {
      const reasons = [...kept].map(([id, why]) => `; entry ${id} stays: ${why}`).join('');
      const taken = `entries take ${gib(allottedBytes(all))} of ${gib(cache.bytesMax)}`;
      return `${taken}, ${gib(need)} more are needed${reasons}`;
    }
    const { deadline, runId } = order;
    const removal = { session, by: runId, settleMs: settings.settleMs, deadline };
    const why = await removeEntry(removal, next, (now) => now.state === next.state && now.usedMs === next.usedMs);
    if (why !== null) kept.set(next.id, why);
    else order.onNote(`cache: entry ${next.id} (${shortOf(next)}) was removed: room for this image`);
  }
}

/** Somebody will want to boot them again, and should not have to send them. */
function failedLately(keeper: Keeper, all: readonly Entry[]): readonly { readonly id: string; readonly why: string }[] {
  const nowMs = xoNowMs(keeper.making.session);
  const useful = all.filter((entry) => entry.state === 'ready' && !isExhausted(keeper, entry));
  return useful.flatMap(({ id, failed }) => {
    const last = [...current(failed, nowMs)].sort((a, b) => b.expiresMs - a.expiresMs)[0];
    if (last === undefined) return [];
    return [{ id, why: `run ${last.run} of it failed, kept until ${new Date(last.expiresMs).toISOString()}` }];
  });
}

/** Removes what this image's new entry is made for: older ones whose chains are too long. Told, also what stays. */
export async function removeExhausted(keeper: Keeper, except: string): Promise<void> {
  const { session, order, settings } = keeper.making;
  const old = entriesOf(keeper).filter(
    (entry) => entry.id !== except && entry.state === 'ready' && isWanted(keeper, entry) && isExhausted(keeper, entry),
  );
  for (const entry of old) {
    const removal = { session, by: order.runId, settleMs: settings.settleMs, deadline: order.deadline };
    const why = await removeEntry(removal, entry, (now) => isExhausted(keeper, now));
    order.onNote(
      `cache: entry ${entry.id}, whose chain is too long, ${why === null ? 'was removed' : `stays: ${why}`}`,
    );
  }
}

export const shortOf = ({ digest }: Pick<Entry, 'digest'>): string => digest.slice(0, 12);

function worstFirst(keeper: Keeper): (a: Entry, b: Entry) => number {
  const rank = (entry: Entry): number => (entry.state === 'broken' ? 0 : isExhausted(keeper, entry) ? 1 : 2);
  return (a, b) => rank(a) - rank(b) || a.usedMs - b.usedMs;
}
