/**
 * Boots a guest again, from within and over a connection whose identity was verified. That it booted is shown by its
 * boot id and by nothing else: a connection that ends and comes back may be sshd's own doing.
 */

import { bootS, type StageRecord } from '../budgets.ts';
import { budget, type Deadline, until } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import { confirmMachine } from '../guest/identify.ts';
import { interview } from '../guest/interview.ts';
import type { Case } from '../model.ts';
import { quote } from '../probes/quote.ts';
import type { Login } from '../ssh/login.ts';
import type { SshSession } from '../ssh/session.ts';
import type { Arrival, Silence } from './arrival.ts';
import { arrive, type Booted, type World } from './boot.ts';
import { bootStages } from './timeline.ts';

const LOOK_MS = 250;
const AGAIN_MS = 1_000;

/** A guest that answered in a boot that is known. */
export interface Alive {
  readonly booted: Booted;
  readonly session: SshSession;
  readonly login: Login;
  readonly bootId: string | null;
  readonly guest: Exclude<StageRecord['guest'], null>;
}

/** The next boot, or that none came. */
export type NextBoot =
  | { readonly state: 'answered'; readonly session: SshSession; readonly bootId: string }
  | { readonly state: 'silent'; readonly silence: Silence };

/** Body for `probes/frame.ts`. */
export const markerRemoval = (marker: string): string => `
marker=${quote(marker)}
rm -f "$marker" 2>/dev/null || :
if [ -e "$marker" ] || [ -L "$marker" ]; then fact marker 'still there'; else fact marker absent; fi`;

/**
 * Body for `probes/frame.ts`. In the background and a second later, so that the answer still comes through; where the
 * system's own way does not reboot, its kernel is asked.
 * @param how the scenario's shell command
 */
export const rebootScript = (how: string): string => `
sync
(
  sleep 1
  ${how}
  sleep 60
  sync
  if [ "$(uname -s)" = FreeBSD ]; then
    reboot -q
  elif have busybox; then
    busybox reboot -f
  else
    reboot -f
  fi
) </dev/null >/dev/null 2>&1 &
fact reboot asked`;

/**
 * Removes the ready marker, asks for the reboot, waits for the boot after it.
 * @param boot number of the boot that is to come, 2 or more
 * @throws Fault NOT_REBOOTED, PROBE_UNOBSERVED where the guest tells no boot id or keeps its marker, SSH_LOST, and as
 *   `awaitArrival` and `confirmMachine`
 */
export async function reboot(world: World, theCase: Case, alive: Alive, boot: number): Promise<NextBoot> {
  const { scenario } = theCase;
  const { guest } = alive.booted;
  const { timeline } = world;
  if (alive.bootId === null) {
    throw new Fault('PROBE_UNOBSERVED', 'the guest tells no boot id: that it was booted again could not be shown');
  }
  world.tell({ event: 'step-begins', step: `reboot boot ${boot}` });
  const whose = { guest: alive.guest, boot } as const;
  const down = budget(world, scenario.budgets.rebootS);
  timeline.begin([{ stage: 'reboot', budgetS: down.budgetMs / 1000 }], whose);
  world.signal.throwIfAborted();
  const { firmware } = guest.placed;
  const { console } = alive.booted;
  const since = { milestone: 'reboot', from: await console.serialSoFar() } as const;
  await ask(world, theCase, alive);
  await wentDown(alive, down);
  alive.session.close();
  timeline.begin(bootStages(scenario.budgets, firmware, world.budgetScale), whose);
  const deadline = budget(world, bootS(scenario.budgets, firmware));
  const how = { login: alive.login, deadline, name: `${alive.guest} boot ${boot}`, console, since };
  for (;;) {
    const arrival = await arrive(world, guest, how);
    if (arrival.state === 'silent') return arrival;
    const bootId = await bootIdOf(world, theCase, alive, arrival, deadline);
    if (bootId !== null && bootId !== alive.bootId) return { state: 'answered', session: arrival.session, bootId };
    arrival.session.close();
    if (bootId !== null && deadline.expired()) {
      throw new Fault('NOT_REBOOTED', `asked to reboot, the guest went away and came back in the same boot ${bootId}`);
    }
    // The old boot on its way down, most likely.
    await deadline.clock.sleep(AGAIN_MS, deadline.signal);
    deadline.check();
  }
}

async function ask(world: World, theCase: Case, { session }: Alive): Promise<void> {
  const { scenario, facts } = theCase;
  const { budgetMs } = budget(world, scenario.budgets.probeS);
  const question = { name: 'ready-marker-removal', body: markerRemoval(facts.paths.readyMarker), budgetMs };
  const { observation } = await interview(world, session, question);
  const lost = session.lost();
  if (lost !== null) throw new Fault('SSH_LOST', `the SSH connection ended before the reboot: ${lost}`);
  const marker = observation.state === 'seen' ? observation.facts.marker : observation.reason;
  if (marker !== 'absent') {
    throw new Fault(
      'PROBE_UNOBSERVED',
      `the ready marker could not be removed before the reboot: ${marker ?? 'no answer'}`,
    );
  }
  // What comes of it is seen from outside; a fast guest cuts its own answer.
  await interview(world, session, { name: 'reboot', body: rebootScript(scenario.reboot), budgetMs });
}

/** The connection of the old boot ends; keep-alives tell it where the guest ends without a word. */
async function wentDown({ booted, session, bootId }: Alive, deadline: Deadline): Promise<void> {
  const what = `the guest to go down after it was asked to reboot (boot ${bootId})`;
  await until(deadline, { what, code: 'NOT_REBOOTED', everyMs: LOOK_MS }, () => {
    if (session.lost() !== null || booted.guest.death() !== null) return { done: true };
    return { seen: 'it runs on, and its connection lives' };
  });
}

/** Null: it went away again while it was asked, and there is time to look again. */
async function bootIdOf(
  world: World,
  theCase: Case,
  { booted }: Alive,
  { session }: Extract<Arrival, { readonly state: 'answered' }>,
  deadline: Deadline,
): Promise<string | null> {
  try {
    const bootId = await confirmMachine(world, theCase, { ...booted, session });
    if (bootId !== null) return bootId;
    throw new Fault('PROBE_UNOBSERVED', 'after the reboot the guest tells no boot id');
  } catch (error) {
    session.close();
    const goes = error instanceof Fault && ['SSH_LOST', 'SSH_COMMAND_FAILED'].includes(error.code);
    if (!goes || deadline.expired()) throw error;
    return null;
  }
}
