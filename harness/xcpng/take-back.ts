/**
 * Takes back what was made for a guest: stops and deletes by uuid only what carries the guest's claim,
 * then lists again, since `vm.delete` says success even when a disk stayed.
 */
import { type Deadline, retry } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import { type Claim, isOwn, tagsOf } from './claims.ts';
import { describeListed, type Listed, listTagged, poolShown } from './listing.ts';
import type { Session } from './session.ts';
import { BAD_POWER_STATE, isBusy, isGone, isXoError } from './xo-error.ts';

/** Something that is about to be made, is being made, or is there. */
export interface Made {
  readonly claim: Claim;
  readonly poolId: string;
  readonly kind: 'VM' | 'VDI';
  /** Null until the create call has answered. */
  uuid: string | null;
  /**
   * `none`: nothing was asked for, or it was refused. `unknown`: asked for, no answer seen (time-out,
   * lost session, broken upload), so that it may still appear. `answered`: there for certain, and to be shown soon.
   * `made`: it was listed.
   */
  state: 'none' | 'unknown' | 'answered' | 'made';
  /** Settles when the create call does; for one that outlived its deadline. */
  creating: Promise<unknown> | null;
}

/** One call of clean-up; XO takes 45 s to say that a disk is in use. */
const CALL_MS = 60_000;
/** How long a create call without an answer is waited for, and then for its object to appear: replies run ahead. */
const LATE_REPLY_MS = 20_000;
const LATE_OBJECT_MS = { unknown: 2_000, answered: 20_000 };
const GONE_MS = 30_000;
/**
 * An interrupt can come while the VM is being started: its deletion is refused until that is done. And a disk can be
 * in use for longer than XO itself tries.
 */
const BUSY_MS = 120_000;
const RETRIES = 4;
const RETRY_AFTER_MS = 500;

/**
 * @returns what stayed, `<type> <uuid> <why>` each; empty when a fresh listing shows nothing of it
 * @throws Fault when XO could not be asked until the deadline
 */
export async function takeBack(session: Session, made: Made, deadline: Deadline): Promise<readonly string[]> {
  if (made.state === 'none') return [];
  const options = { retries: RETRIES, minTimeoutMs: RETRY_AFTER_MS, onRetry: () => undefined };
  await lateReply(made, deadline);
  return retry(deadline, options, async () => {
    await poolShown(session, made.poolId, deadline);
    await lateObject(session, made, deadline);
    const reasons = new Map<string, string>();
    for (const { id } of shownByXo(session, made)) {
      const why = await removeObject(session, { id, kind: made.kind, poolId: made.poolId }, deadline);
      if (why !== null) reasons.set(id, why);
    }
    const left = await listAgain(session, made, deadline);
    return left.map((each) => `${describeListed(each)}: ${reasons.get(each.id) ?? 'still listed after its deletion'}`);
  });
}

/** What there is of it: by the uuid, and as long as that is unknown by the claim; never by a name. */
function shownByXo({ objects }: Session, { claim, kind, uuid }: Made): readonly Listed[] {
  const all: readonly Listed[] =
    kind === 'VM'
      ? [...objects.tagged(claim.guestTag), ...[objects.get('VM', uuid ?? '') ?? []].flat()]
      : objects.all('VDI').map((vdi) => ({ ...vdi, type: 'VDI', tags: tagsOf(vdi.description) }));
  return mine(all, claim, uuid);
}

function mine(all: readonly Listed[], claim: Claim, uuid: string | null): readonly Listed[] {
  const wanted = all.filter(({ id, tags }) => id === uuid || (uuid === null && isOwn(tags, claim.guestTag, id)));
  return [...new Map(wanted.map((each) => [each.id, each])).values()];
}

/** The proof: a fresh listing by claim, and what XO's notifications still show by uuid. */
async function listAgain(session: Session, made: Made, deadline: Deadline): Promise<readonly Listed[]> {
  const { claim, poolId, kind, uuid } = made;
  const tagged = await listTagged(session, poolId, claim.guestTag, deadline.within(CALL_MS));
  const sameKind = tagged.filter(({ type }) => (kind === 'VDI' ? type === 'VDI' : type.startsWith('VM')));
  return mine([...sameKind, ...shownByXo(session, made)], claim, uuid);
}

/** The create call may still be on its way: its answer is the best way to learn the uuid. */
async function lateReply(made: Made, deadline: Deadline): Promise<void> {
  if (made.state !== 'unknown' || made.creating === null) return;
  const stop = new AbortController();
  const limit = deadline.within(Math.min(LATE_REPLY_MS, deadline.remainingMs() / 2));
  const settled = made.creating.then(
    () => undefined,
    () => undefined, // how it failed was told where it was called; here only the end of it matters
  );
  await Promise.race([settled, limit.clock.sleep(limit.remainingMs(), AbortSignal.any([stop.signal, limit.signal]))]);
  stop.abort();
}

/** Objects lag behind: what was or may have been made gets time to appear, or to be cleared away by XO itself. */
async function lateObject(session: Session, made: Made, deadline: Deadline): Promise<void> {
  const { state } = made;
  if (state !== 'unknown' && state !== 'answered') return;
  const { objects } = session;
  const limit = deadline.within(Math.min(LATE_OBJECT_MS[state], deadline.remainingMs() / 3));
  const appears = objects.waitFor(limit, 'a late object', 'XO_OBJECT_LATE', () =>
    shownByXo(session, made).length > 0 ? { done: true } : { seen: 'not there' },
  );
  await appears.catch((error: unknown) => {
    // Nothing came: the good case. Anything else is for the retry.
    if (!(error instanceof Fault && error.code === 'XO_OBJECT_LATE')) throw error;
  });
}

/** What is to be deleted. */
export interface Condemned {
  readonly id: string;
  readonly kind: 'VM' | 'VDI';
  readonly poolId: string;
}

/**
 * Deletes one object and waits until XO shows it no more. A VM goes without its disks: ours have a claim of their own,
 * and somebody may have attached another one.
 * @returns why it stayed; null: it went
 * @throws Fault that is retriable, and the interrupt
 */
export async function removeObject(
  session: Session,
  { id, kind, poolId }: Condemned,
  deadline: Deadline,
): Promise<string | null> {
  const call = async (method: string, params: Readonly<Record<string, unknown>>): Promise<string | null> => {
    const busy = deadline.within(BUSY_MS);
    for (;;) {
      try {
        await session.call(method, { id, ...params }, deadline.within(CALL_MS));
        return null;
      } catch (error) {
        if (isGone(error) || isXoError(error, BAD_POWER_STATE)) return null;
        if (!(error instanceof Fault) || error.retriable) throw error;
        if (!isBusy(error) || busy.expired()) return error.message;
        await busy.clock.sleep(RETRY_AFTER_MS, deadline.signal);
      }
    }
  };
  const { objects } = session;
  const isVm = kind === 'VM';
  if (isVm && objects.raw(id)?.power_state !== 'Halted') await call('vm.stop', { force: true });
  const refused = isVm ? await call('vm.delete', { deleteDisks: false }) : await call('vdi.delete', {});
  if (refused !== null) return refused;
  try {
    await objects.waitFor(deadline.within(GONE_MS), `${kind} ${id} to go`, 'XO_OBJECT_LATE', () =>
      !objects.has(id) && objects.poolPresent(poolId) ? { done: true } : { seen: 'still listed, or no pool' },
    );
    return null;
  } catch (error) {
    const stayed = error instanceof Fault && error.code === 'XO_OBJECT_LATE' && objects.has(id);
    if (stayed) return error.message;
    throw error;
  }
}
