/**
 * What became of a guest whose connection ended in the middle. The loss alone says nothing; the power state, the boot
 * id of a new connection and the console do.
 */

import { bootS } from '../budgets.ts';
import type { Fatal } from '../console/console-signatures.ts';
import { budget, type Deadline, until } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import { confirmMachine } from '../guest/identify.ts';
import type { Guest, GuestDeath } from '../lab.ts';
import type { Case } from '../model.ts';
import { waitingTold } from '../progress/told.ts';
import { awaitArrival, type FatalWatch } from './arrival.ts';
import type { Booted, World } from './boot.ts';

/** XO tells of a halt some seconds after the guest's connection has ended. */
const HALT_SHOWN_MS = 10_000;
const LOOK_MS = 250;
/** It lived a moment ago: what its console shows may be a line in a log, and a busy sshd needs its time. */
const LAST_WORD_MS = 5_000;

/**
 * Explains a Fault SSH_LOST. Always returns a Fault; the one given where nothing more is to be seen.
 * @param bootId of the boot that was identified; null: the guest could not tell
 */
export async function explainLoss(
  world: World,
  theCase: Case,
  booted: Booted,
  lost: Fault,
  bootId: string | null,
): Promise<Fault> {
  const { guest, console } = booted;
  const because = (code: Fault['code'], seen: string): Fault => {
    world.evidence.record('connection', 'loss', { lost: lost.message, code, seen });
    return new Fault(code, `${lost.message}; ${seen}`, { cause: lost });
  };
  // What its console shows since it answered; a line of before was outlived.
  const from = await console.serialAtAnswer();
  const watch = console.watch({ milestone: 'lost', from });
  const deadline = budget(world, bootS(theCase.scenario.budgets, guest.placed.firmware));
  const death = await deathOf(guest, deadline, watch);
  if (death !== null) {
    const last = death.kind === 'halted' ? await console.fatalSince(from) : null;
    if (last?.proves === 'image') return because('GUEST_PANICKED', `${told(last)}, then ${death.seen}`);
    return because(death.kind === 'halted' ? 'GUEST_HALTED' : 'VM_LOST', death.seen);
  }
  // A stop on the console or a new connection, whichever comes first.
  const arrival = await awaitArrival(guest, world.login, deadline, waitingTold(world.tell), {
    watch,
    lastWordMs: LAST_WORD_MS,
  });
  const shown = watch.fatal === null ? '' : `; ${told(watch.fatal)}`;
  if (arrival.state === 'silent') {
    const seen = `it did not answer again: ${arrival.silence.lastSeen}${shown}`;
    return because(watch.fatal?.proves === 'image' ? 'GUEST_PANICKED' : 'SSH_LOST', seen);
  }
  const { session } = arrival;
  try {
    const now = await confirmMachine(world, theCase, { ...booted, session });
    if (bootId === null || now === null) return because('SSH_LOST', 'it answers again, and cannot tell its boot');
    if (now === bootId) return because('SSH_LOST', 'it answers again, in the same boot');
    return because('GUEST_REBOOTED', `it answers again, in another boot: ${now} instead of ${bootId}${shown}`);
  } finally {
    session.close();
  }
}

/** What XO tells of it in time; null: it runs, or its console shows that it has stopped. */
async function deathOf(guest: Guest, deadline: Deadline, watch: FatalWatch): Promise<GuestDeath | null> {
  const shown = deadline.within(HALT_SHOWN_MS);
  try {
    return await until(shown, { what: 'a halt', code: 'SSH_LOST', everyMs: LOOK_MS }, () => {
      const found = guest.death();
      return found === null && watch.fatal === null ? { seen: 'the VM runs' } : { done: found };
    });
  } catch (error) {
    if (error instanceof Fault && error.code === 'SSH_LOST') return null;
    throw error;
  }
}

const told = ({ line, name }: Fatal): string => `console: "${line}" (${name})`;
