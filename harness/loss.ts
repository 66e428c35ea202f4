/**
 * What became of a guest whose connection ended in the middle. The loss alone says nothing; the power state, the boot
 * id of a new connection and the console do.
 */
import { awaitArrival } from './arrival.ts';
import type { Booted, World } from './boot.ts';
import { bootS } from './budgets.ts';
import { fatalSignature } from './console-signatures.ts';
import { budget, until } from './deadline.ts';
import { Fault } from './faults.ts';
import { confirmMachine } from './identify.ts';
import type { Case } from './model.ts';

/** XO tells of a halt some seconds after the guest's connection has ended. */
const HALT_SHOWN_MS = 10_000;
const LOOK_MS = 250;

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
  const { guest } = booted;
  const because = (code: Fault['code'], seen: string): Fault => {
    world.evidence.record('connection', 'loss', { lost: lost.message, code, seen });
    return new Fault(code, `${lost.message}; ${seen}`, { cause: lost });
  };
  const console = await guest.console().catch(() => undefined); // no console is no news
  const fatal = fatalSignature(console?.text ?? '');
  if (fatal?.proves === 'image') return because('GUEST_PANICKED', `console: "${fatal.line}" (${fatal.name})`);
  // A halt, or a new connection, whichever comes first.
  const deadline = budget(world, bootS(theCase.scenario.budgets, guest.placed.firmware));
  const shown = deadline.within(HALT_SHOWN_MS);
  const death = await until(shown, { what: 'a halt', code: 'SSH_LOST', everyMs: LOOK_MS }, () => {
    const found = guest.death();
    return found === null ? { seen: 'the VM runs' } : { done: found };
  }).catch((error: unknown) => {
    if (error instanceof Fault && error.code === 'SSH_LOST') return null;
    throw error;
  });
  if (death?.kind === 'halted') return because('GUEST_HALTED', death.seen);
  if (death !== null) return because('VM_LOST', death.seen);
  const arrival = await awaitArrival(guest, world.login, deadline, world.tell.waiting);
  if (arrival.state === 'silent') return because('SSH_LOST', `it did not answer again: ${arrival.silence.lastSeen}`);
  const { session } = arrival;
  try {
    const now = await confirmMachine(world, theCase, { ...booted, session });
    if (bootId === null || now === null) return because('SSH_LOST', 'it answers again, and cannot tell its boot');
    if (now === bootId) return because('SSH_LOST', 'it answers again, in the same boot');
    return because('GUEST_REBOOTED', `it answers again, in another boot: ${now} instead of ${bootId}`);
  } finally {
    session.close();
  }
}
