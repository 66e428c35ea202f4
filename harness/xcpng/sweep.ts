/** Removes from a pool what runs of ours left behind, object by object, and looks whether it went. */
import type { Deadline } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import type { SweepLines } from '../lab.ts';
import { textsOf } from './cache/entries.ts';
import { somePoolShown } from './listing.ts';
import { openSession, type Session } from './session.ts';
import type { XoLabSettings } from './settings.ts';
import { type Choice, chooseSweep, type SweepWish } from './sweep-choice.ts';
import { removeObject } from './take-back.ts';
import { objectMap } from './wire.ts';

export interface Swept {
  /** Everything that carries a tag of ours, with what was chosen for it. */
  readonly choices: readonly Choice[];
  /** What is gone (on a dry run: would be). */
  readonly removed: readonly Choice[];
  /** What had to go and did not, with the reason. */
  readonly stayed: readonly { readonly choice: Choice; readonly why: string }[];
}

/** XO takes 45 s to say that a disk is in use. */
const OBJECT_MS = 180_000;
/** Objects lag behind the reply. */
const SHOWN_MS = 10_000;
/** XO that lost its pool has it back in two minutes. */
const POOL_MS = 180_000;
const ORDER: Readonly<Record<Choice['type'], number>> = { lock: 0, VM: 1, VDI: 2, ticket: 3 };

async function choose(session: Session, wish: SweepWish, deadline: Deadline): Promise<readonly Choice[]> {
  const objects = objectMap(await session.call('xo.getAllObjects', {}, deadline), 'xo.getAllObjects');
  return chooseSweep(objects, wish, Date.now() + session.endpoint.clockOffsetMs);
}

const same = (a: Choice, b: Choice): boolean => a.type === b.type && a.id === b.id && a.tag === b.tag;

/** @returns why it stayed; null: it went */
async function remove(session: Session, choice: Choice, deadline: Deadline): Promise<string | null> {
  const { type, id, pool, tag } = choice;
  try {
    if (type === 'VM' || type === 'VDI') {
      return await removeObject(session, { id, kind: type, poolId: pool }, deadline);
    }
    await session.call('tag.remove', { id, tag: tag ?? '' }, deadline);
    await session.objects.waitFor(deadline.within(SHOWN_MS), `the ${type} on ${id} to go`, 'XO_OBJECT_LATE', () =>
      // Whatever carries it: an entry of the cache is a template, no VM.
      textsOf(session.objects.raw(id)?.tags).includes(tag ?? '') ? { seen: 'still listed' } : { done: true },
    );
    return null;
  } catch (error) {
    deadline.check();
    if (error instanceof Fault && session.lost === null) return error.message;
    throw error;
  }
}

/** A VM that could not be removed and has this disk; null: none. */
function userThatStays(
  { objects }: Session,
  { type, id }: Choice,
  reasons: ReadonlyMap<Choice, string>,
): string | null {
  if (type !== 'VDI') return null;
  const users = new Set(objects.all('VBD').flatMap(({ vdi, vm }) => (vdi === id ? [vm] : [])));
  return [...reasons.keys()].find((choice) => choice.type === 'VM' && users.has(choice.id))?.id ?? null;
}

/** @throws Fault XO_OBJECT_LATE where XO shows no pool, as `Session.call`, and the interrupt */
export async function sweep(session: Session, wish: SweepWish, deadline: Deadline): Promise<Swept> {
  await somePoolShown(session, deadline.within(POOL_MS));
  const choices = await choose(session, wish, deadline);
  const due = choices.filter(({ what }) => what === 'remove').sort((a, b) => ORDER[a.type] - ORDER[b.type]);
  const blocked = choices.filter(({ what }) => what === 'blocked').map((choice) => ({ choice, why: choice.why }));
  if (wish.dryRun || due.length === 0) return { choices, removed: due, stayed: blocked };
  const reasons = new Map<Choice, string>();
  for (const choice of due) {
    // Somebody may have taken it into use since it was listed.
    const now = (await choose(session, wish, deadline)).find((each) => same(each, choice));
    if (now === undefined) continue;
    const user = userThatStays(session, now, reasons);
    const why =
      user !== null
        ? `attached to VM ${user}, which stays`
        : now.what === 'remove'
          ? await remove(session, now, deadline.within(OBJECT_MS))
          : now.why;
    if (why !== null) reasons.set(choice, why);
  }
  const after = await choose(session, wish, deadline);
  const stayed = due.filter((choice) => {
    // A pool that is lost for a moment shows nothing: that proves nothing.
    return after.some((each) => same(each, choice)) || !session.objects.poolPresent(choice.pool);
  });
  const left = stayed.map((choice) => ({ choice, why: reasons.get(choice) ?? 'still listed after its deletion' }));
  return { choices, removed: due.filter((choice) => !stayed.includes(choice)), stayed: [...blocked, ...left] };
}

const line = ({ type, id, name, why }: Choice): string =>
  type === 'VM' || type === 'VDI'
    ? `${type} ${id} ${name}: ${why}`
    : `${type} on ${type === 'lock' ? 'VM' : 'pool'} ${id} ${name}: ${why}`;

export const sweepLines = ({ choices, removed, stayed }: Swept): SweepLines => ({
  removed: removed.map(line),
  stayed: stayed.map(({ choice, why }) => line({ ...choice, why })),
  left: choices.filter(({ what }) => what === 'leave').map(line),
});

/** Signs in, sweeps, leaves. @throws Fault as `openSession` and `sweep` */
export async function sweepXo(
  { url, credential, tls }: XoLabSettings,
  wish: SweepWish,
  deadline: Deadline,
): Promise<SweepLines> {
  const session = await openSession({ url, credential, tls, deadline });
  try {
    return sweepLines(await sweep(session, wish, deadline));
  } finally {
    await session.close();
  }
}
