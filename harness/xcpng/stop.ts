/**
 * Stops a VM that is to stay: clean where the guest can, over SSH where we were let in, hard at last. A guest without
 * tools cannot be shut down cleanly by XO: that is refused with code 10 or 14, by the way the XAPI found out.
 */
import type { Deadline, Look } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import type { PowerOff, StoppedBy } from '../lab.ts';
import { VmPresence } from './presence.ts';
import type { Session } from './session.ts';
import { BAD_POWER_STATE, isXoError } from './xo-error.ts';

export interface StopOptions {
  readonly session: Session;
  readonly poolId: string;
  readonly uuid: string;
  readonly deadline: Deadline;
  /** Powers the guest off from within; null: nobody was let in. */
  readonly powerOff: PowerOff | null;
}

const INVALID_PARAMETERS = 10;
const LACKS_FEATURE = 14;
/** XO itself waits for ever for a guest that was asked and does not go. */
const CLEAN_MS = 120_000;
/** From the guest's own power-off to its VM's halt. */
const OFF_MS = 90_000;
/** A power state that stays after a hard stop. */
const STUCK_MS = 120_000;
/** Kept back for the hard way, or half of what there is: the gentle ones may take all of their time in vain. */
const HARD_MS = 60_000;

/**
 * @returns the way that stopped it
 * @throws Fault VM_STUCK where it runs on after everything, VM_LOST, and as `Session.call`
 */
export async function stopVm(options: StopOptions): Promise<StoppedBy> {
  const { session, uuid, deadline, powerOff } = options;
  const presence = new VmPresence(session.objects, options.poolId, uuid, deadline.clock);
  const look = (): Look<true> => {
    const found = presence.look();
    if (found.state === 'gone') throw new Fault('VM_LOST', found.seen);
    if (found.state === 'out-of-sight') return { seen: found.seen };
    return found.vm.powerState === 'Halted' ? { done: true } : { seen: `power_state ${found.vm.powerState}` };
  };
  const leftMs = deadline.remainingMs();
  const gentle = deadline.within(leftMs - Math.min(HARD_MS, leftMs / 2));
  const halted = async (limit: Deadline): Promise<boolean> => {
    const what = `VM ${uuid} to be halted`;
    try {
      return await session.objects.waitFor(limit, what, 'VM_STUCK', look);
    } catch (error) {
      if (error instanceof Fault && error.code === 'VM_STUCK') return false;
      throw error;
    }
  };
  if ('done' in look()) return 'not-running';
  const clean = await askedClean(options, gentle);
  if (clean === 'not-running') return (await halted(gentle.within(OFF_MS))) ? clean : hard(options, halted, look);
  if (clean === 'done' && (await halted(gentle.within(OFF_MS)))) return 'clean';
  if (powerOff !== null) {
    await powerOff();
    if (await halted(gentle.within(OFF_MS))) return 'ssh';
  }
  return hard(options, halted, look);
}

async function hard(
  { session, uuid, deadline }: StopOptions,
  halted: (limit: Deadline) => Promise<boolean>,
  look: () => Look<true>,
): Promise<StoppedBy> {
  try {
    await session.call('vm.stop', { id: uuid, force: true }, deadline);
  } catch (error) {
    if (!isXoError(error, BAD_POWER_STATE)) throw error;
  }
  if (await halted(deadline.within(STUCK_MS))) return 'force';
  const last = look();
  const seen = 'seen' in last ? last.seen : 'halted just now';
  throw new Fault('VM_STUCK', `VM ${uuid} runs on after a hard stop; last seen: ${seen}`);
}

/** `refused`: XO cannot, or the guest did not go in time. */
async function askedClean(
  { session, uuid, deadline }: StopOptions,
  gentle: Deadline,
): Promise<'done' | 'refused' | 'not-running'> {
  try {
    await session.call('vm.stop', { id: uuid }, gentle.within(CLEAN_MS));
    return 'done';
  } catch (error) {
    if (isXoError(error, BAD_POWER_STATE)) return 'not-running';
    if (isXoError(error, INVALID_PARAMETERS) || isXoError(error, LACKS_FEATURE)) return 'refused';
    if (error instanceof Fault && error.code === 'XO_CALL_TIMEOUT' && !deadline.expired()) return 'refused';
    throw error;
  }
}
