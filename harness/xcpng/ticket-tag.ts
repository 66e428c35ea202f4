/**
 * The tag on a pool by which a run says that it has a guest there, or waits for its turn: who, since when, until when,
 * and how much memory, all by Xen Orchestra's clock. Pure.
 */
import { OURS } from './claims.ts';

/** `claim`: waits. `held`: may have a guest in the pool. */
export interface TicketTag {
  readonly tag: string;
  readonly state: 'claim' | 'held';
  /** Of the one run's place; it stays when the ticket is renewed. */
  readonly id: string;
  readonly createdMs: number;
  readonly expiresMs: number;
  readonly run: string;
  /** For messages. */
  readonly holder: string;
}

/** Any tag of a ticket. */
export const TICKET_PREFIX = `${OURS}:ticket=`;

const PATTERN = /^bootwitness:ticket=(claim|held);([0-9a-f]{16});([^;]+);([^;]+);([^;]+);([^;]*)$/;

export function ticketTag(
  { state, id, createdMs, expiresMs, run }: Omit<TicketTag, 'tag' | 'holder'>,
  host: string,
): string {
  const [created, expires] = [new Date(createdMs).toISOString(), new Date(expiresMs).toISOString()];
  return `${TICKET_PREFIX}${[state, id, created, expires, run, host.replace(/[^\w.-]/g, '_')].join(';')}`;
}

/** Null: not one of ours, or damaged; such a tag holds nothing and is left alone. */
export function parseTicket(tag: string): TicketTag | null {
  const [, state, id = '', created = '', expires = '', run = '', host = ''] = PATTERN.exec(tag) ?? [];
  const [createdMs, expiresMs] = [Date.parse(created), Date.parse(expires)];
  if ((state !== 'claim' && state !== 'held') || Number.isNaN(createdMs) || Number.isNaN(expiresMs)) return null;
  return { tag, state, id, createdMs, expiresMs, run, holder: `run ${run} on ${host}, until ${expires}` };
}

/** Clocks may be that far off: an expired ticket is believed for so long. */
export const TICKET_GRACE_MS = 30_000;

/**
 * No version writes one that lasts so long (ours: minutes). One that says so was written by hand, or before Xen
 * Orchestra's clock was set back: it would keep everybody waiting until then. Who lives renews it at once.
 */
const LIFE_MS_MAX = 3_600_000;

const isCurrent = ({ expiresMs }: TicketTag, xoNowMs: number): boolean =>
  expiresMs + TICKET_GRACE_MS > xoNowMs && expiresMs - xoNowMs <= LIFE_MS_MAX;

/** A guest of ours that is on: `<name> (<uuid>)` for messages. */
export interface LivingGuest {
  readonly run: string | null;
  readonly shown: string;
}

/** A ticket as one of several that want a place. */
export type Place = Pick<TicketTag, 'id' | 'createdMs' | 'run'>;

/** What takes the places of a pool before a ticket has one. */
export interface Crowd {
  /** Runs that hold a place; each counts once, whatever it has in the pool. */
  readonly holders: readonly TicketTag[];
  /** Guests of runs that hold none: of a run that was killed, or that was not told to count. */
  readonly strays: readonly LivingGuest[];
  /** Runs that wait and came before. */
  readonly earlier: readonly TicketTag[];
}

const isEarlier = (a: Place, b: Place): boolean =>
  a.createdMs < b.createdMs || (a.createdMs === b.createdMs && a.id < b.id);

/**
 * When a ticket came: now, and after every ticket that it sees. Xen Orchestra tells its time to the second only, and
 * who came first shall be served first.
 */
export const bornAfter = (tags: readonly string[], xoNowMs: number): number =>
  tags.reduce((latest, tag) => Math.max(latest, (parseTicket(tag)?.createdMs ?? 0) + 1), xoNowMs);

/**
 * @param tags of the pool
 * @param own ticket, which counts for nothing here
 * @param xoNowMs the time of day by Xen Orchestra's clock
 */
export function crowdBefore(
  tags: readonly string[],
  guests: readonly LivingGuest[],
  own: Place,
  xoNowMs: number,
): Crowd {
  const all = tags.flatMap((tag) => parseTicket(tag) ?? []);
  const current = all.filter((ticket) => ticket.id !== own.id && isCurrent(ticket, xoNowMs));
  // While a ticket is renewed, or becomes one that is held, it stands there twice.
  const byId = new Map<string, TicketTag>();
  for (const ticket of current) if (byId.get(ticket.id)?.state !== 'held') byId.set(ticket.id, ticket);
  const single = [...byId.values()];
  const holders = single.filter(({ state }) => state === 'held');
  const counted = new Set([own.run, ...holders.map(({ run }) => run)]);
  return {
    holders,
    strays: guests.filter(({ run }) => run === null || !counted.has(run)),
    earlier: single.filter((ticket) => ticket.state === 'claim' && isEarlier(ticket, own)),
  };
}

export const crowded = ({ holders, strays, earlier }: Crowd): number => holders.length + strays.length + earlier.length;

/** Whose places they are, for people. */
export function describeCrowd({ holders, strays, earlier }: Crowd): string {
  const parts = [
    ...holders.map(({ holder }) => holder),
    ...strays.map(({ shown }) => `guest ${shown} without a ticket`),
    ...(earlier.length === 0 ? [] : [`${earlier.length} that wait since before`]),
  ];
  return parts.join('; ') || 'nobody';
}
