/** Powers a guest off from within. Only over a connection whose identity was verified: it might be somebody else's. */

import { budget } from '../deadline.ts';
import { interview } from '../guest/interview.ts';
import type { PowerOff } from '../lab.ts';
import type { Case } from '../model.ts';
import type { SshSession } from '../ssh/session.ts';
import type { World } from './boot.ts';

/**
 * Body for `probes/frame.ts`. In the background and a second later, so that the answer still comes through. FreeBSD's
 * `shutdown -p` asks init; where PID 1 is Shepherd nobody may listen, and `halt -p` asks the kernel itself.
 */
export const powerOffScript = `
sync
(
  sleep 1
  if [ "$(uname -s)" = FreeBSD ]; then
    shutdown -p now || halt -p
    sleep 20
    halt -p
  elif have busybox; then
    sync
    busybox poweroff -f
  else
    poweroff || shutdown -h now
    sleep 20
    poweroff -f
  fi
) </dev/null >/dev/null 2>&1 &
fact power_off asked`;

/** Asks once; what comes of it is seen in the power state, never here. */
export function powerOffOver(world: World, theCase: Case, session: SshSession): PowerOff {
  return async () => {
    const budgetMs = budget(world, theCase.scenario.budgets.probeS).budgetMs;
    await interview(world, session, { name: 'power-off', body: powerOffScript, budgetMs });
  };
}
