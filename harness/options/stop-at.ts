/** Where a run can be told to stop, so that a person finds the machine as it is then: where a stage begins. */

import type { Timeline } from '../boot/timeline.ts';
import { Fault } from '../faults/faults.ts';

/** In their order; a machine is there from the first one on. */
export const STOP_STAGES = ['firmware', 'kernel', 'services', 'ssh', 'probes', 'ready', 'reboot'] as const;
export type StopStage = (typeof STOP_STAGES)[number];

export interface StopPoint {
  /** Aborts with a Fault STOPPED_AT when the stage begins. */
  readonly signal: AbortSignal;
  done(): void;
}

/**
 * @param stage null: nowhere. A stage that nothing tells apart is over when the next thing is seen: there it stops then
 */
export function stopPoint(stage: StopStage | null, timeline: Timeline): StopPoint {
  const reached = new AbortController();
  if (stage === null) return { signal: reached.signal, done: () => undefined };
  const places: readonly string[] = STOP_STAGES;
  const wanted = places.indexOf(stage);
  const done = timeline.watch((begun, by) => {
    if (places.indexOf(begun) < wanted || reached.signal.aborted) return;
    const where = begun === stage ? `${stage} began` : `${stage} was over, and ${begun} began`;
    reached.abort(new Fault('STOPPED_AT', `stopped as --stop-at ${stage} says: ${where} (${by})`));
  });
  return { signal: reached.signal, done };
}
