/** The time of a whole case: its outer limit, and the sentence about where it went. */

import { caseS } from '../budgets.ts';
import { Deadline, type Limit, limit } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import type { Case, FaultRecord } from '../model.ts';
import type { World } from './boot.ts';
import type { Timeline } from './timeline.ts';

/** Each step has its own deadline; this one is over all of them, and ends early enough for the clean-up. */
export function outerLimit({ scenario }: Case, world: World): Limit {
  const { budgetScale, signal, timeline, workMs } = world;
  const deadline = Deadline.after(
    Math.min(caseS(scenario.budgets, scenario.boots) * budgetScale * 1000, workMs),
    signal,
  );
  const seconds = (deadline.budgetMs / 1000).toFixed(0);
  return limit(
    deadline,
    () => new Fault('OUT_OF_TIME', `the case: not done within ${seconds} s; ${timeline.longest()}`),
  );
}

/** Says which stage ate the time, where that is why a case ended. */
export function explained(fault: FaultRecord, timeline: Timeline): FaultRecord {
  const time = fault.party === 'nobody' || fault.code === 'OUT_OF_TIME' ? null : timeline.explain();
  if (time === null || fault.message.includes(time)) return fault;
  const seen =
    timeline.lastSeen === '' || fault.message.includes(timeline.lastSeen) ? '' : `; seen: ${timeline.lastSeen}`;
  return { ...fault, message: `${fault.message}; ${time}${seen}` };
}
