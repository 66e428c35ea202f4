/**
 * Decides what of the image cache a sweep takes: entries that were not finished, of makers that are dead or whose time
 * is over, disks that lost their entry, and marks of the dead. A finished entry is nobody's left-over. Pure.
 */
import { OURS, selfTag, tagsOf } from '../claims.ts';
import type { Choice, Raw, SweepWish } from '../sweep-choice.ts';
import { type Objects, readEntries, textsOf } from './entries.ts';
import { onlyValue, tagsWith } from './entry-tags.ts';

/** Clocks may be that far apart; an expired claim is believed for so long. */
const GRACE_MS = 2 * 60_000;

interface Claimed {
  readonly id: string;
  readonly raw: Raw;
  readonly type: string;
  readonly maker: string;
  readonly expires: string;
  readonly guestTag: string | null;
  readonly selves: readonly string[];
}

/** Null: not of the cache. */
function claimed(id: string, raw: Raw): Claimed | null {
  const type = String(raw.type);
  if (!/^(VM|VM-template|VDI)$/.test(type)) return null;
  const tags = type === 'VDI' ? tagsOf(String(raw.name_description ?? '')) : textsOf(raw.tags);
  if (!isOfCache(tags)) return null;
  const [maker, expires] = [onlyValue(tags, 'maker'), onlyValue(tags, 'expires')];
  const guest = onlyValue(tags, 'guest');
  const guestTag = guest === null ? null : `${OURS}:guest=${guest}`;
  return {
    ...{ id, raw, type, guestTag, maker: maker ?? '', expires: expires ?? '' },
    selves: tags.filter((each) => each.startsWith(selfTag(''))),
  };
}

/** The claim of an entry or of its disk, no run's. */
export const isOfCache = (tags: readonly string[]): boolean =>
  tags.includes(OURS) && tagsWith(tags, 'cache').length > 0;

export function chooseEntries(objects: Objects, wish: SweepWish, xoNowMs: number): readonly Choice[] {
  const dead = new Map(wish.dead.map((each) => [each.runId, each]));
  const entries = readEntries(objects);
  const finished = new Set(entries.filter(({ state }) => state !== 'making').flatMap(({ id, disk }) => [id, disk]));
  const claims = [...objects].flatMap(([id, raw]) => claimed(id, raw) ?? []);
  const due = (run: string, expiresMs: number): string | null => {
    if (wish.only !== null) return wish.only.includes(run) ? `of run ${run}` : null;
    if (dead.has(run)) return `of run ${run}, which is dead`;
    return expiresMs + GRACE_MS < xoNowMs ? `expired at ${new Date(expiresMs).toISOString()}, of run ${run}` : null;
  };
  const choose = (claim: Claimed): readonly Choice[] => {
    const { id, raw, type, maker, expires, selves, guestTag } = claim;
    if (finished.has(id) || (wish.only !== null && !wish.only.includes(maker))) return [];
    const of = (what: Choice['what'], why: string): Choice => ({
      ...{ what, id, name: String(raw.name_label ?? ''), pool: String(raw.$pool), why, tag: null },
      type: type === 'VDI' ? 'VDI' : 'VM',
    });
    if (selves.some((each) => each !== selfTag(id))) return [of('leave', 'a copy of a cache entry')];
    const why = due(maker, Date.parse(expires));
    if (why === null) return [of('leave', `an entry of the cache in the making by run ${maker}, until ${expires}`)];
    const run = dead.get(maker);
    const alone = claims.filter((other) => other.guestTag === guestTag && other.type === type).length === 1;
    const announced = guestTag !== null && alone && run?.guests.get(guestTag) === raw.name_label;
    const ours = selves.length === 1 || run?.made.has(id) === true || announced;
    if (!ours) return [of('leave', 'its claim does not name it: half made, or a copy')];
    const snapshots = textsOf(raw.snapshots).length;
    const unfinished = `${why}: an unfinished entry of the cache`;
    if (snapshots > 0) return [of('blocked', `${unfinished}; but somebody made ${snapshots} snapshot(s) of it`)];
    return [of('remove', unfinished)];
  };
  const first = claims.flatMap(choose);
  const going = new Set(first.filter(({ what }) => what === 'remove').map(({ id }) => id));
  const marks = entries.flatMap(({ id, name, pool, using, leaving }) =>
    [...using, ...leaving].flatMap(({ tag, run, expiresMs }): Choice[] => {
      const why = due(run, expiresMs);
      return why === null ? [] : [{ what: 'remove', type: 'lock', id, name, pool, why, tag }];
    }),
  );
  return [...first.map((choice) => unlessUsed(objects, choice, going)), ...marks];
}

function unlessUsed(objects: Objects, choice: Choice, going: ReadonlySet<string>): Choice {
  if (choice.what !== 'remove' || choice.type !== 'VDI') return choice;
  // XO leaves null where it does not know the object behind a reference yet: that one is in use, too.
  const vbds: unknown = objects.get(choice.id)?.$VBDs;
  const users = Array.isArray(vbds) ? vbds.map((vbd) => String(objects.get(String(vbd))?.VM ?? 'unknown')) : [];
  const user = users.find((vm) => !going.has(vm));
  return user === undefined ? choice : { ...choice, what: 'blocked', why: `${choice.why}; but VM ${user} has it` };
}
