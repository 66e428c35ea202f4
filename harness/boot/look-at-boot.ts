/**
 * Everything that is asked of one boot of the image: is it the machine that was started, did it boot the image, do all
 * probes hold, was it the same boot from the first question to the last. All of it within one budget.
 */

import { budget, limit } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import { readRecords, recordsScript } from '../guest/guest-records.ts';
import { type Answered, confirmImage, confirmMachine, type ImageProof } from '../guest/identify.ts';
import { interview } from '../guest/interview.ts';
import { type Judged, runProbes } from '../guest/probing.ts';
import type { Case } from '../model.ts';
import type { Recorder } from '../workdir/evidence.ts';
import type { World } from './boot.ts';
import type { Timeline } from './timeline.ts';

/** Filled while it is looked at: what was found by then stays when it throws. */
export interface Seen {
  /** Null: not asked yet, or it tells none. */
  bootId: string | null;
  machine: boolean;
  image: ImageProof | null;
  records: Readonly<Record<string, string>>;
  readonly judged: Judged;
}

export const nothingSeen = (): Seen => ({
  ...{ bootId: null, machine: false, image: null, records: {}, judged: new Map() },
});

/**
 * @param boot 1 for the first
 * @throws Fault as `confirmMachine`, `confirmImage` and `runProbes`, GUEST_REBOOTED, OUT_OF_TIME
 */
export async function lookAtBoot(
  outer: World,
  theCase: Case,
  answered: Answered,
  boot: number,
  seen: Seen,
): Promise<void> {
  const { scenario } = theCase;
  const { probeS, probesS, readyS } = scenario.budgets;
  const { timeline, budgetScale } = outer;
  const whose = { guest: 'image', boot } as const;
  const begin = (stage: 'probes' | 'ready'): void => {
    const seconds = stage === 'probes' ? probesS : readyS;
    timeline.begin([{ stage, budgetS: seconds * budgetScale }], whose);
    timeline.saw('the session, and no answer since');
    outer.signal.throwIfAborted();
  };
  begin('probes');
  const deadline = budget(outer, probesS + readyS);
  const limited = limit(deadline, () => {
    const seconds = (deadline.budgetMs / 1000).toFixed(0);
    return new Fault('OUT_OF_TIME', `the probes of boot ${boot}: not done within ${seconds} s; ${timeline.longest()}`);
  });
  const world: World = { ...outer, signal: limited.signal, evidence: noticing(outer.evidence, timeline) };
  try {
    world.tell({ event: 'step-begins', step: boot === 1 ? 'identify' : `identify boot ${boot}` });
    const bootId = await confirmMachine(world, theCase, answered);
    if (seen.bootId !== null && bootId !== seen.bootId) throw rebooted(seen.bootId, bootId);
    seen.bootId = bootId;
    seen.machine = true;
    seen.image = await confirmImage(world, theCase, answered);
    world.tell({ event: 'step-begins', step: boot === 1 ? 'probe' : `probe boot ${boot}` });
    const { session } = answered;
    await runProbes(world, { ...scenario, facts: theCase.facts, onAwaiting: begin }, session, seen.judged);
    const { budgetMs } = budget(world, probeS);
    const records = await interview(world, session, { name: 'guest-records', body: recordsScript, budgetMs });
    seen.records = readRecords(records.observation);
    await sameBoot(world, theCase, answered, seen.bootId);
    timeline.end('all probes were judged');
  } finally {
    limited.done();
  }
}

/** A guest that was booted anew in the middle answered some probes before and some after. */
async function sameBoot(world: World, theCase: Case, answered: Answered, bootId: string | null): Promise<void> {
  const now = await confirmMachine(world, theCase, answered);
  if (now !== bootId) throw rebooted(bootId, now);
}

function rebooted(bootId: string | null, now: string | null): Fault {
  return new Fault('GUEST_REBOOTED', `the guest was booted anew in the middle: boot ${now} instead of ${bootId}`);
}

/** The answer that came last is the last thing seen. */
function noticing(evidence: Recorder, timeline: Timeline): Recorder {
  return {
    record: (kind, name, data) => {
      if (kind === 'command') timeline.saw(`the answer of ${name}`);
      return evidence.record(kind, name, data);
    },
  };
}
