/** What the steps that make a guest share: where it goes, its claim, and how what is made is taken back. */
import type { Deadline } from '../deadline.ts';
import type { Keep } from '../disposals.ts';
import { Fault } from '../faults/faults.ts';
import type { GuestOrder } from '../lab.ts';
import { type Claim, makeClaim } from './claims.ts';
import { xoNowMs } from './endpoint.ts';
import { keepMade } from './keep-made.ts';
import type { Placement } from './placement.ts';
import type { Session } from './session.ts';
import type { XoLabSettings } from './settings.ts';
import type { Slots } from './slots.ts';
import { type Made, takeBack } from './take-back.ts';
import { XoError } from './xo-error.ts';

export interface ProvisionContext {
  readonly session: Session;
  readonly settings: XoLabSettings;
  readonly slots: Slots;
  /** Something was taken away in this pool just now: its figures may not know it yet. */
  readonly figuresMayLag: boolean;
  /** Runs of this machine that were swept as dead. */
  readonly deadRuns: ReadonlySet<string>;
}

export interface Making extends ProvisionContext {
  readonly order: GuestOrder;
  /** A claim that nothing else carries: each try to make something has its own. */
  readonly newClaim: () => Claim;
  readonly placement: Placement;
  readonly name: string;
  /** What is made is for the cache, not a part of the guest: it does not stay when the guest is kept. */
  readonly forCache?: true;
  /** A template with the guest's disk, to be cloned; absent: the VM is made without disks. */
  readonly source?: { readonly templateId: string };
}

/** Of a guest of this run. */
export function guestClaim({ session, settings }: ProvisionContext, { runId, caseId }: GuestOrder): Claim {
  return makeClaim({ runId, caseId, xoNowMs: xoNowMs(session), ttlMs: settings.claimTtlMs });
}

/** Registers the undo, before the thing is asked for. */
export function register(making: Making, kind: Made['kind'], claim: Claim): Made {
  const { session, order, placement, name } = making;
  const made: Made = { claim, poolId: placement.pool.id, kind, uuid: null, state: 'none', creating: null };
  const details = { name, guest: claim.guestTag, expires: claim.expires };
  // Where XO cannot be asked any more, what is known to be there is still named.
  const undo = (deadline: Deadline): Promise<readonly string[]> =>
    takeBack(session, made, deadline).catch((error: unknown) => {
      if (!(error instanceof Fault)) throw error;
      const what = made.uuid === null ? `that may have been made (${claim.guestTag})` : `${made.uuid} ${name}`;
      return [`${kind} ${what}: not taken back: ${error.message}`];
    });
  const keep: Keep = (until, deadline) => keepMade(session, made, until, deadline);
  order.disposals.register(kind, details, undo, making.forCache ? null : keep);
  return made;
}

/** After a create call failed: XO's own refusal made nothing, silence may have made something. */
export function madeNothing(error: unknown): boolean {
  return error instanceof Fault && (error.cause instanceof XoError || error.code === 'UPLOAD_REFUSED');
}

/** How long a call whose answer was lost may still take to show what it did. */
export const SHOWN_AFTER_ALL_MS = 5_000;

/** The answer was lost on the way, and the session is back: what was asked for may have been done. */
export function answerLost(session: Session, error: unknown): boolean {
  return error instanceof Fault && error.code === 'XO_SESSION_LOST' && session.lost === null;
}

/** Undefined: not within the time, though there was time left. @throws Fault of the deadline, of the session */
export async function shownAfterAll<T>(
  session: Session,
  deadline: Deadline,
  what: string,
  look: () => T | undefined,
): Promise<T | undefined> {
  const within = deadline.within(SHOWN_AFTER_ALL_MS);
  try {
    return await session.objects.waitFor(within, what, 'XO_OBJECT_LATE', () => {
      const found = look();
      return found === undefined ? { seen: 'no sign of it' } : { done: found };
    });
  } catch (error) {
    if (error instanceof Fault && error.code === 'XO_OBJECT_LATE' && !deadline.expired()) return undefined;
    throw error;
  }
}
