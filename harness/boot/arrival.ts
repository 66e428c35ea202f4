/**
 * Waits for a started guest until it answers over SSH, or until it is known that it will not: power state and console
 * are watched beside it, and nobody waits for a corpse.
 */

import type { Fatal } from '../console/console-signatures.ts';
import type { Deadline } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import type { Address, Guest, GuestDeath } from '../lab.ts';
import { listening } from '../process/standstill.ts';
import { type Attempt, attemptSsh, type Reached } from '../ssh/attempt.ts';
import type { Login } from '../ssh/login.ts';
import type { SshSession } from '../ssh/session.ts';
import { firstAddress, newest } from './arriving-address.ts';

/** First wait for a banner; a user-mode network accepts before the guest exists. Grows, see below. */
const BANNER_WAIT_MS = 2_000;
const BANNER_WAIT_MS_MAX = 10_000;
/** A handshake is slow under emulation, and one that began just before the deadline may still end. */
const HANDSHAKE_WAIT_MS_MAX = 45_000;
const HANDSHAKE_WAIT_MS_MIN = 3_000;
/** Between attempts; sshd's penalties forbid a tight loop. */
const PAUSE_MS = 250;
/** The same where perhaps somebody else's sshd refused us: it is asked rarely. */
const STRANGER_PAUSE_MS = 5_000;
/** A guest whose console has shown a stop is asked once more, for so long. */
const LAST_WORD_MS = 500;

/** The guest answered, or fell silent. Silence is not a fault yet: who is to blame is decided elsewhere. */
export type Arrival =
  | {
      readonly state: 'answered';
      readonly session: SshSession;
      readonly address: Address;
      readonly firstBannerMs: number;
    }
  | { readonly state: 'silent'; readonly silence: Silence };

/** Told after each attempt: what was seen, how long it has been, how long it may take (ms). */
export type OnLook = (seen: string, elapsedMs: number, budgetMs: number) => void;

/** Told what is seen of a guest on its way up, each as often as it is seen. */
export interface Signs {
  address(address: Address): void;
  /** Its TCP refuses: a kernel with a network, and no sshd yet. */
  refused(address: Address): void;
  /** An sshd has said its first word. */
  banner(): void;
}

/** What is needed of a guest that is waited for. */
export type ArrivingGuest = Pick<Guest, 'address' | 'confirmAddress' | 'death' | 'outOfSight'>;

/** Watches the console beside the wait. */
export interface FatalWatch {
  /** Something that a guest never leaves by itself, seen twice. */
  readonly fatal: Fatal | null;
  /** Aborts when `fatal` is set. */
  readonly fatalSignal: AbortSignal;
}

const NOBODY_WATCHES: FatalWatch = { fatal: null, fatalSignal: new AbortController().signal };

/** What goes on beside the wait. */
export interface Beside {
  readonly signs?: Signs;
  readonly watch?: FatalWatch;
  /** How long a guest whose console has shown a stop is asked once more, address and banner each. @default 500 ms */
  readonly lastWordMs?: number;
}

/** What was seen of a guest that did not answer. */
export interface Silence {
  readonly lastSeen: string;
  /** Whether an address was known at all: a guest that got none is silent, too, and so is one that nobody can find. */
  readonly addressed: boolean;
  /** How far it let us come at last. */
  readonly reached: Reached;
  readonly attempts: number;
  /** A console line that a guest never leaves by itself, seen twice. */
  readonly fatal: Fatal | null;
  /** The VM powered itself off. */
  readonly halted: boolean;
  readonly waitedMs: number;
  /** Which stage the time went to, one clause; null: it was not used up. */
  readonly time: string | null;
  /** Milliseconds for which this process stood still meanwhile, where it is much of the wait; null: it heard. */
  readonly stoodMs: number | null;
}

/**
 * @throws Fault VM_LOST when XO lost the VM or its pool, SSH_KEY_REFUSED, SSH_NO_AGREEMENT, ADDRESS_CONFLICT,
 *   ADDRESS_SOURCE_FAILED, and the interrupt. A guest without an address is silent.
 */
export async function awaitArrival(
  guest: ArrivingGuest,
  login: Login,
  deadline: Deadline,
  onLook: OnLook,
  beside: Beside = {},
): Promise<Arrival> {
  const stood = listening();
  const arrival = await arrivalOf(guest, login, deadline, onLook, beside);
  // What halted or shows a stop was not silent for want of a listener.
  if (arrival.state !== 'silent' || arrival.silence.halted || arrival.silence.fatal !== null) return arrival;
  return { state: 'silent', silence: { ...arrival.silence, stoodMs: stood() } };
}

async function arrivalOf(
  guest: ArrivingGuest,
  login: Login,
  deadline: Deadline,
  onLook: OnLook,
  { signs, watch = NOBODY_WATCHES, lastWordMs = LAST_WORD_MS }: Beside,
): Promise<Arrival> {
  const onBanner = (): void => signs?.banner();
  const startedMs = deadline.clock.nowMs();
  const either = AbortSignal.any([deadline.signal, watch.fatalSignal]);
  let attempts = 0;
  let lastSeen = 'nothing yet';
  let reached: Reached = 'nothing';
  let addressed = false;
  const silent = (halted: boolean): Arrival => {
    const waitedMs = Math.round(deadline.clock.nowMs() - startedMs);
    const { fatal } = watch;
    return {
      state: 'silent',
      silence: { lastSeen, addressed, reached, attempts, fatal, halted, waitedMs, time: null, stoodMs: null },
    };
  };
  const first = await firstAddress(guest, deadline, { ended: watch.fatalSignal, lastWordMs });
  if (first === null || 'unknown' in first) {
    lastSeen = first?.unknown ?? 'no address';
    return silent(guest.death()?.kind === 'halted');
  }
  let address = first;
  addressed = true;
  let bannerWaitMs = BANNER_WAIT_MS;
  while (true) {
    deadline.check();
    const death = guest.death();
    if (death !== null) return onDeath(death, () => silent(true));
    attempts++;
    signs?.address(address);
    // A guest that answers after all has the last word, whatever its console shows.
    const last = watch.fatal !== null;
    const room = Math.min(deadline.remainingMs(), HANDSHAKE_WAIT_MS_MAX);
    const attempt = await attemptSsh({
      ...{ host: address.host, port: address.port, ...login, expectHostKey: null, onBanner },
      bannerWaitMs: last ? lastWordMs : bannerWaitMs,
      handshakeWaitMs: Math.max(room, HANDSHAKE_WAIT_MS_MIN),
      signal: last ? deadline.signal : either,
    });
    deadline.check();
    if (attempt.state === 'ready') {
      const firstBannerMs = deadline.clock.nowMs() - startedMs;
      return answered(guest, { address, session: attempt.session, firstBannerMs }, deadline);
    }
    const looked = attempt.state === 'not-yet' ? attempt : perhapsStranger(address, attempt, deadline);
    if (watch.fatal === null || last) ({ seen: lastSeen, reached } = looked);
    if (reached === 'refused') signs?.refused(address);
    onLook(lastSeen, deadline.clock.nowMs() - startedMs, deadline.budgetMs);
    if (guest.death() !== null) continue;
    const blind = guest.outOfSight();
    // A guest that nobody can see is not silent: the lab is.
    if (deadline.expired() && blind !== null) throw new Fault('VM_LOST', `${lastSeen}, and ${blind}`);
    if (deadline.expired() && looked.blame !== null) throw looked.blame;
    if (last || deadline.expired()) return silent(false);
    // Under emulation a loaded sshd needs longer for its banner than an absent one to be silent.
    bannerWaitMs = Math.min(bannerWaitMs * 1.1, BANNER_WAIT_MS_MAX);
    await deadline.clock.sleep(looked === attempt ? PAUSE_MS : STRANGER_PAUSE_MS, either);
    // It may have got another one meanwhile; what speaks SSH is stayed with.
    if (reached !== 'banner' && watch.fatal === null) address = await newest(guest, address, deadline);
  }
}

function unwelcome({ host }: Address, attempt: Exclude<Attempt, { readonly state: 'ready' | 'not-yet' }>): Fault {
  const code = attempt.state === 'refused-key' ? 'SSH_KEY_REFUSED' : 'SSH_NO_AGREEMENT';
  return new Fault(code, `ssh to ${host}: ${attempt.seen}`);
}

/**
 * Who refuses us at an address of which nobody is sure is perhaps not our guest, which has got another one meanwhile.
 * @throws Fault as `unwelcome` where somebody is sure, or time is up
 */
function perhapsStranger(
  address: Address,
  attempt: Parameters<typeof unwelcome>[1],
  deadline: Deadline,
): Extract<Attempt, { readonly state: 'not-yet' }> {
  if (address.sure || deadline.expired()) throw unwelcome(address, attempt);
  const seen = `${attempt.seen} at ${address.host}, which ${address.source} is not sure of`;
  return { state: 'not-yet', reached: 'nothing', seen, blame: null };
}

/** A guest that answers has an address by now for everybody who may know it: do they agree? */
async function answered(
  guest: ArrivingGuest,
  by: Omit<Extract<Arrival, { readonly state: 'answered' }>, 'state'>,
  deadline: Deadline,
): Promise<Arrival> {
  try {
    return { ...by, state: 'answered', address: await guest.confirmAddress(by.address, deadline) };
  } catch (error) {
    by.session.close();
    throw error;
  }
}

function onDeath(death: GuestDeath, halted: () => Arrival): Arrival {
  if (death.kind === 'halted') return halted();
  throw new Fault('VM_LOST', `the VM was lost while it was waited for: ${death.seen}`);
}
