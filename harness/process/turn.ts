/** A run's turn in a pool that it shares: waited for before anything is made, given back when all is taken back. */

import type { Timeline } from '../boot/timeline.ts';
import { Deadline } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import type { Admission, Lab } from '../lab.ts';
import type { Log } from '../workdir/log.ts';

export interface TurnOptions {
  readonly runId: string;
  readonly timeline: Timeline;
  readonly tell: (line: string) => void;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Of what a time limit leaves for work the rest is for the case. */
const WAITING_SHARE = 0.5;
const WEEK_MS = 7 * 86_400_000;
const RELEASE_MS = 60_000;

/**
 * @param lab null: it could not be opened
 * @param leftMs what the time limit of the whole run leaves for work; infinite: it has none
 * @returns null: nobody counts there
 * @throws Fault NO_FREE_TICKET, and the interrupt
 */
export async function awaitTurn(
  lab: Lab | null,
  leftMs: number,
  { runId, timeline, tell, log, signal }: TurnOptions,
): Promise<Admission | null> {
  if (lab === null) return null;
  const waitMs = Math.max(0, Math.min(WEEK_MS, leftMs * WAITING_SHARE));
  let waits = false;
  return lab.admit(runId, waitMs, signal, (who) => {
    if (!waits) timeline.begin([{ stage: 'turn', budgetS: null }]);
    waits = true;
    log.info({ waitsFor: who }, 'turn');
    tell(`waiting for its turn: ${who}`);
  });
}

/** Never throws: a ticket that cannot be given back expires in minutes, and is told. */
export async function endTurn(turn: Admission | null, tell: (line: string) => void): Promise<void> {
  try {
    await turn?.release(Deadline.after(RELEASE_MS, new AbortController().signal));
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    tell(`its place in the pool could not be given back, and expires by itself: ${error.message}`);
  }
}
