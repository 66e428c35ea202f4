/** Which boot mode a machine shows, when nobody says which one to expect. */
import type { BootMode, Observation } from '../model.ts';
import { shownMode } from '../probes/pid1.ts';
import type { ShepherdTalk } from '../probes/shepherd-talk.ts';

export interface ModeSeen {
  /** Null: neither, or not to be told. */
  readonly mode: BootMode | null;
  /** One sentence. */
  readonly why: string;
}

/**
 * PID 1 says it, or, where that leaves it open, the Shepherd behind the live socket by its own pid.
 * @param talk asked only then
 */
export async function seeMode(pid1: Observation, talk: () => Promise<ShepherdTalk>): Promise<ModeSeen> {
  const shown = shownMode(pid1);
  const name = pid1.state === 'seen' ? (pid1.facts.comm ?? '') : '';
  if ('mode' in shown) return { mode: shown.mode, why: `PID 1 is ${name}` };
  if ('neither' in shown) return { mode: null, why: shown.neither };
  const answer = await talk();
  if (answer.kind !== 'answered' || answer.pid === null) return { mode: null, why: shown.undecided };
  const mode = answer.pid === 1 ? 'shepherd-pid1' : 'freebsd-init+rc.d-shepherd';
  return { mode, why: `${shown.undecided}, but the live Shepherd says that it is process ${answer.pid}` };
}
