/** The image cache of a pool, for people: what is in it, and what of it is to go. */
import type { Deadline } from '../../deadline.ts';
import { xoNowMs } from '../endpoint.ts';
import { openSession, type Session } from '../session.ts';
import type { XoLabSettings } from '../settings.ts';
import { allottedBytes, current, type Entry, readEntries } from './entries.ts';
import { removeEntry } from './remove-entry.ts';

export interface Image {
  readonly uuid: string;
  /** SHA-256 of the virtual disk. */
  readonly digest: string;
  /** Bytes of the virtual disk. */
  readonly bytes: number;
  /** Bytes on the SR, with the base copies that it shares with its clones. */
  readonly allotted: number;
  /** Null: it was never ready. */
  readonly lastUsed: string | null;
  /** Disks in its copy-on-write chain. */
  readonly chain: number;
  readonly state: string;
}

export interface PruneWish {
  /** Only this image; null: any. */
  readonly digest: string | null;
  /** Only what was not used for so long, in ms; null: whatever. */
  readonly olderThanMs: number | null;
  readonly dryRun: boolean;
}

export interface Pruned {
  readonly removed: readonly Image[];
  /** With the reason of each. */
  readonly stayed: readonly { readonly image: Image; readonly why: string }[];
}

async function withSession<T>(
  { url, credential, tls }: XoLabSettings,
  deadline: Deadline,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await openSession({ url, credential, tls, deadline });
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

function image(entry: Entry, nowMs: number): Image {
  const { id, digest, bytes, chain, usedMs, state, wrong, maker, using } = entry;
  const user = current(using, nowMs)[0];
  const busy = user === undefined ? '' : `, run ${user.run} is cloning from it`;
  const states = { ready: `ready${busy}`, making: `being made by run ${maker}`, broken: `broken: ${wrong}` } as const;
  return {
    ...{ uuid: id, digest, bytes, allotted: allottedBytes([entry]), chain: chain.length, state: states[state] },
    lastUsed: usedMs === 0 ? null : new Date(usedMs).toISOString(),
  };
}

const byUse = (a: Entry, b: Entry): number => b.usedMs - a.usedMs;
const entriesOf = ({ objects }: Session): readonly Entry[] => [...readEntries(objects.raws)].sort(byUse);

/** Those used last first. @throws Fault as `openSession` */
export const listImages = (settings: XoLabSettings, deadline: Deadline): Promise<readonly Image[]> =>
  withSession(settings, deadline, async (session) => entriesOf(session).map((each) => image(each, xoNowMs(session))));

/**
 * Removes finished entries that name themselves. One in the making is its maker's, and the sweep's after that.
 * @throws Fault as `openSession` and `removeEntry`
 */
export function pruneImages(settings: XoLabSettings, wish: PruneWish, deadline: Deadline): Promise<Pruned> {
  const { digest, olderThanMs, dryRun } = wish;
  return withSession(settings, deadline, async (session) => {
    const isDue = (entry: Entry): boolean =>
      entry.state !== 'making' &&
      (digest === null || entry.digest === digest) &&
      (olderThanMs === null || entry.usedMs + olderThanMs < xoNowMs(session));
    const due = entriesOf(session).filter(isDue);
    const [removed, stayed]: [Image[], { image: Image; why: string }[]] = [[], []];
    for (const entry of due) {
      const shown = image(entry, xoNowMs(session));
      const removal = { session, by: 'by-hand', settleMs: settings.settleMs, deadline };
      const why = dryRun ? null : await removeEntry(removal, entry, isDue);
      if (why === null) removed.push(shown);
      else stayed.push({ image: shown, why });
    }
    return { removed, stayed };
  });
}
