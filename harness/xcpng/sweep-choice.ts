/**
 * Decides what of a pool may be swept: what is ours beyond doubt, and is expired or of a run that is dead. Everything
 * else that carries a tag of ours is named and left: a clone or a snapshot copies tags, but never the uuid. Pure.
 */
import type { DeadRun } from '../lab.ts';
import { chooseEntries, isOfCache } from './cache/sweep-entries.ts';
import { OURS, selfTag, tagsOf } from './claims.ts';
import { LOCK_PREFIX, parseLock } from './lock-tag.ts';
import { parseTicket, TICKET_PREFIX } from './ticket-tag.ts';

export type Raw = Readonly<Record<string, unknown>>;

export interface SweepWish {
  readonly dead: readonly DeadRun[];
  /** Only what these runs made, expired or not; null: whatever is expired or of a dead run. */
  readonly only: readonly string[] | null;
  readonly dryRun: boolean;
  /** Also what is kept for a person, before its time. */
  readonly takesKept: boolean;
}

/**
 * `remove`: ours, and due. `blocked`: ours and due, but something of somebody else would go with it. `leave`: in use,
 * or not ours beyond doubt.
 */
export interface Choice {
  readonly what: 'remove' | 'blocked' | 'leave';
  readonly type: 'VM' | 'VDI' | 'lock' | 'ticket';
  /** Of the object; of a lock or ticket: of the VM or pool that carries it. */
  readonly id: string;
  readonly name: string;
  readonly pool: string;
  readonly why: string;
  /** The tag to take away; locks and tickets only. */
  readonly tag: string | null;
}

/** Clocks may be that far apart; an expired claim is believed for so long. */
export const GRACE_MS = 2 * 60_000;

interface Claimed {
  readonly id: string;
  readonly raw: Raw;
  readonly type: string;
  readonly name: string;
  readonly run: string | null;
  readonly guestTag: string | null;
  readonly expires: string | null;
  /** Until when it is kept for a person; null: it is not. */
  readonly kept: string | null;
  readonly names: readonly string[];
}

const onlyValue = (tags: readonly string[], key: string): string | null => {
  const prefix = `${OURS}:${key}=`;
  const found = tags.filter((tag) => tag.startsWith(prefix));
  // Twice is not ours: we write each once.
  return found.length === 1 ? (found[0]?.slice(prefix.length) ?? null) : null;
};

function claimed(id: string, raw: Raw): Claimed | null {
  const type = String(raw.type);
  const own = Array.isArray(raw.tags) ? raw.tags.filter((tag) => typeof tag === 'string') : [];
  const isDisk = type.startsWith('VDI');
  const tags = isDisk ? tagsOf(String(raw.name_description ?? '')) : own;
  if (!/^(VM|VDI)\b/.test(type) || !tags.includes(OURS) || isOfCache(tags)) return null;
  const guest = onlyValue(tags, 'guest');
  return {
    ...{ id, raw, type, name: String(raw.name_label ?? '') },
    run: onlyValue(tags, 'run'),
    guestTag: guest === null ? null : `${OURS}:guest=${guest}`,
    expires: onlyValue(tags, 'expires'),
    kept: onlyValue(tags, 'kept'),
    names: tags.filter((tag) => tag.startsWith(selfTag(''))),
  };
}

/** Tags that hold something for a run, by the type of what carries them. */
const HELD_BY_TAG: Readonly<
  Record<
    string,
    {
      readonly type: 'lock' | 'ticket';
      readonly parse: (tag: string) => { run: string; expiresMs: number; holder: string } | null;
    }
  >
> = {
  VM: { type: 'lock', parse: (tag) => (tag.startsWith(LOCK_PREFIX) ? parseLock(tag) : null) },
  pool: { type: 'ticket', parse: (tag) => (tag.startsWith(TICKET_PREFIX) ? parseTicket(tag) : null) },
};

class Pool {
  readonly objects: ReadonlyMap<string, Raw>;
  readonly #wish: SweepWish;
  readonly #xoNowMs: number;
  readonly #dead: ReadonlyMap<string, DeadRun>;
  readonly #claims: readonly Claimed[];

  constructor(objects: ReadonlyMap<string, Raw>, wish: SweepWish, xoNowMs: number) {
    this.objects = objects;
    this.#wish = wish;
    this.#xoNowMs = xoNowMs;
    this.#dead = new Map(wish.dead.map((each) => [each.runId, each]));
    this.#claims = [...objects].flatMap(([id, raw]) => claimed(id, raw) ?? []);
  }

  choices(): readonly Choice[] {
    const first = this.#claims.flatMap((each) => this.#choose(each) ?? []);
    const going = new Set(first.filter(({ what }) => what === 'remove').map(({ id }) => id));
    const settled = first.map((choice) => this.#unlessUsed(this.#ofKept(choice), going));
    return [...settled, ...[...this.objects].flatMap(([id, raw]) => this.#locks(id, raw))];
  }

  /** Null: of a run that nobody asked for. */
  #choose(claim: Claimed): Choice | null {
    const { id, raw, type, name, run, guestTag, expires, kept, names } = claim;
    const of = (what: Choice['what'], why: string): Choice => ({
      ...{ what, id, name, pool: String(raw.$pool), why, tag: null },
      type: type.startsWith('VDI') ? 'VDI' : 'VM',
    });
    const { only } = this.#wish;
    if (only !== null && (run === null || !only.includes(run))) return null;
    if (type !== 'VM' && type !== 'VDI') return of('leave', `a ${type}, which Bootwitness never makes`);
    if (run === null || guestTag === null || expires === null) return of('leave', 'its claim is not whole');
    const self = selfTag(id);
    if (names.some((each) => each !== self)) {
      return of('leave', `a copy: its claim names ${names.map((each) => each.slice(selfTag('').length)).join(', ')}`);
    }
    if (kept !== null && this.#isKept(kept)) return of('leave', `of run ${run}, kept until ${kept}`);
    const due = this.#due(run, expires);
    if (due === null) return of('leave', `of run ${run}, until ${expires}`);
    const dead = this.#dead.get(run);
    if (names.includes(self) || dead?.made.has(id)) return this.#unlessSnapshots(of('remove', due), claim);
    const alone = this.#claims.filter((other) => other.guestTag === guestTag && other.type === type).length === 1;
    if (alone && dead?.guests.get(guestTag) === name) return this.#unlessSnapshots(of('remove', due), claim);
    return of('leave', 'its claim does not name it: half made, or a copy');
  }

  /** Nobody's left-over yet; a time that cannot be read ends nothing. */
  #isKept(until: string): boolean {
    return !this.#wish.takesKept && !(Date.parse(until) + GRACE_MS < this.#xoNowMs);
  }

  /** A disk goes with the machine that has it. */
  #ofKept(choice: Choice): Choice {
    if (choice.what !== 'remove' || choice.type !== 'VDI') return choice;
    const vbds = [...this.objects.values()].filter((raw) => raw.type === 'VBD' && raw.VDI === choice.id);
    const keeper = this.#claims.find(
      ({ id, kept, names }) =>
        kept !== null && this.#isKept(kept) && names.includes(selfTag(id)) && vbds.some((raw) => raw.VM === id),
    );
    if (keeper === undefined) return choice;
    return { ...choice, what: 'leave', why: `of VM ${keeper.id}, kept until ${keeper.kept}` };
  }

  /** Null: not yet. */
  #due(run: string, expires: string): string | null {
    if (this.#wish.only !== null) return `of run ${run}`;
    if (this.#dead.has(run)) return `of run ${run}, which is dead`;
    const expiresMs = Date.parse(expires);
    return expiresMs + GRACE_MS < this.#xoNowMs ? `expired at ${expires}, of run ${run}` : null;
  }

  /** XO deletes the snapshots of a VM with it, and whoever made one wanted it. */
  #unlessSnapshots(choice: Choice, { raw }: Claimed): Choice {
    const count = choice.type === 'VM' && Array.isArray(raw.snapshots) ? raw.snapshots.length : 0;
    if (count === 0) return choice;
    return { ...choice, what: 'blocked', why: `${choice.why}; but somebody made ${count} snapshot(s) of it` };
  }

  #unlessUsed(choice: Choice, going: ReadonlySet<string>): Choice {
    if (choice.what !== 'remove' || choice.type !== 'VDI') return choice;
    for (const raw of this.objects.values()) {
      if (raw.type !== 'VBD' || raw.VDI !== choice.id || going.has(String(raw.VM))) continue;
      return { ...choice, what: 'blocked', why: `${choice.why}; but it is attached to VM ${String(raw.VM)}` };
    }
    return choice;
  }

  /** What a run that died left on an operator's VM, or on a pool. Neither is ever ours. */
  #locks(id: string, raw: Raw): readonly Choice[] {
    const held = HELD_BY_TAG[String(raw.type)];
    if (held === undefined || !Array.isArray(raw.tags)) return [];
    return raw.tags.flatMap((tag) => {
      const lock = typeof tag === 'string' ? held.parse(tag) : null;
      if (lock === null) return [];
      const { only } = this.#wish;
      if (only !== null && !only.includes(lock.run)) return [];
      const due = this.#due(lock.run, new Date(lock.expiresMs).toISOString());
      const choice = { type: held.type, id, name: String(raw.name_label ?? ''), pool: String(raw.$pool), tag };
      return [{ ...choice, what: due === null ? ('leave' as const) : ('remove' as const), why: due ?? lock.holder }];
    });
  }
}

/**
 * @param objects everything that XO lists, as it sent it
 * @param xoNowMs the time of day by XO's clock
 */
export function chooseSweep(objects: ReadonlyMap<string, Raw>, wish: SweepWish, xoNowMs: number): readonly Choice[] {
  return [...new Pool(objects, wish, xoNowMs).choices(), ...chooseEntries(objects, wish, xoNowMs)];
}
