/** The address of a guest that is waited for: the first one that anybody knows, and a newer one. */
import { Deadline } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import type { Address, Guest } from '../lab.ts';

const NOBODY_KNOWS = ['ADDRESS_UNKNOWN', 'ADDRESS_SOURCE_FAILED'];
/** How long is waited for a newer address than the one that is known. */
const NEWS_MS = 1_000;

type Addressed = Pick<Guest, 'address' | 'outOfSight'>;

/**
 * @param ended aborts when the console shows that waiting is over: then it is asked once more, in short
 * @returns null where nobody knew one by then; `unknown`: why nobody knew one in time
 */
export async function firstAddress(
  guest: Addressed,
  deadline: Deadline,
  { ended, lastWordMs }: { readonly ended: AbortSignal; readonly lastWordMs: number },
): Promise<Address | { readonly unknown: string } | null> {
  const signal = AbortSignal.any([deadline.signal, ended]);
  try {
    return await guest.address(Deadline.after(deadline.remainingMs(), signal, deadline.clock));
  } catch (error) {
    deadline.check();
    if (ended.aborted) return lastAddress(guest, deadline, lastWordMs);
    if (!(error instanceof Fault && error.code === 'ADDRESS_UNKNOWN')) throw error;
    // A guest that nobody can see is not silent.
    const blind = guest.outOfSight();
    if (blind !== null) throw new Fault('VM_LOST', `${error.message}, and ${blind}`);
    return { unknown: error.message };
  }
}

/** Null: nobody knows one. Who disagrees about it, and an interrupt, are thrown on: they say nothing of the guest. */
async function lastAddress(guest: Addressed, deadline: Deadline, lastWordMs: number): Promise<Address | null> {
  try {
    return await guest.address(deadline.within(lastWordMs));
  } catch (error) {
    deadline.check();
    if (error instanceof Fault && NOBODY_KNOWS.includes(error.code)) return null;
    throw error;
  }
}

/** The address as it is said now; the old one where nobody says anything at the moment. */
export async function newest(guest: Addressed, known: Address, deadline: Deadline): Promise<Address> {
  try {
    return await guest.address(deadline.within(NEWS_MS));
  } catch (error) {
    if (error instanceof Fault && NOBODY_KNOWS.includes(error.code)) return known;
    throw error;
  }
}
