/**
 * Boots one guest: provision, power on, wait until it answers or is silent. Used for the image, for
 * the control, and for the image's second chance, so that all three are treated alike.
 */

import { type Budgets, bootS, provisionS } from '../budgets.ts';
import { ConsoleWitness, type Watching } from '../console/witness.ts';
import { budget, Deadline } from '../deadline.ts';
import type { Disposals, Journal } from '../disposals.ts';
import type { Asking } from '../guest/interview.ts';
import { unpackFirst } from '../image/open-disk.ts';
import type { Scratch } from '../image/scratch.ts';
import type { KeepWish } from '../keep/keep.ts';
import type { Guest, Lab } from '../lab.ts';
import type { Case, PlannedImage } from '../model.ts';
import type { StopStage } from '../options/stop-at.ts';
import type { Tell } from '../progress/event.ts';
import { transferTold, waitingTold } from '../progress/told.ts';
import type { Login } from '../ssh/login.ts';
import type { Log } from '../workdir/log.ts';
import { type Arrival, type ArrivingGuest, awaitArrival, type OnLook } from './arrival.ts';
import { BootSigns } from './boot-signs.ts';
import { bootStages, type Timeline } from './timeline.ts';

/** What a run needs of the world around a case. */
export interface World extends Asking {
  readonly lab: Lab;
  /** Where images are decompressed. */
  readonly scratch: Scratch;
  readonly login: Login;
  /** What to ask when the image is silent; null: none configured. */
  readonly control: { readonly image: PlannedImage; readonly login: Login } | null;
  readonly readBack: 'auto' | 'always';
  readonly journal: Journal;
  readonly log: Log;
  readonly tell: Tell;
  readonly timeline: Timeline;
  /** What is left for all work before the clean-up, where the caller set a limit; Infinity: no limit. */
  readonly workMs: number;
  /** Null: everything is taken back. */
  readonly keep: KeepWish | null;
  /** Null: nowhere. */
  readonly stopAt: StopStage | null;
}

/** A guest that was started, with what became of it and what must be taken back. */
export interface Booted {
  readonly guest: Guest;
  readonly arrival: Arrival;
  readonly disposals: Disposals;
  /** To be ended and settled by whoever booted. */
  readonly console: ConsoleWitness;
  /** Clock reading just before the power-on call; the guest cannot be up for longer. */
  readonly startedAtMs: number;
}

export interface BootOrder {
  readonly purpose: 'image' | 'control';
  readonly image: PlannedImage;
  readonly login: Login;
  readonly readBack: boolean;
  readonly disposals: Disposals;
  /** Told of the guest as soon as it is there. */
  readonly onMade?: (guest: Guest) => void;
}

/** Clean-up has its own budget and no interrupt: it must also run after one. */
export function cleanUpBudget(world: Pick<World, 'budgetScale'>, budgets: Budgets): Deadline {
  // A scale below one hurries the guest, never the clean-up.
  const seconds = budgets.disposeS * Math.max(1, world.budgetScale);
  return Deadline.after(seconds * 1000, new AbortController().signal);
}

export async function dispose(world: World, disposals: Disposals, budgets: Budgets): Promise<readonly string[]> {
  const deadline = cleanUpBudget(world, budgets);
  world.timeline.begin([{ stage: 'dispose', budgetS: deadline.budgetMs / 1000 }]);
  const left = await disposals.run(deadline);
  world.timeline.end(left.length === 0 ? 'all was taken back' : `${left.length} stayed`);
  return left;
}

/** @throws Fault where the lab could not make or start the guest. Silence is returned, not thrown. */
export async function boot(world: World, theCase: Case, order: BootOrder): Promise<Booted> {
  const { budgets } = theCase.scenario;
  const { purpose } = order;
  const which = purpose === 'image' ? '' : ' control';
  world.tell({ event: 'step-begins', step: `provision${which}` });
  // Outside the budget: how long this machine decompresses says nothing about the lab.
  if (world.lab.wantsBytes(order.image)) await unpackFirst(order.image, world.scratch, world.signal);
  const guest = await provision(world, theCase, order);
  order.onMade?.(guest);
  world.evidence.record('image', purpose, {
    sha256: order.image.sha256,
    ...guest.imported,
    onlyDisk: guest.onlyDisk,
  });
  world.log.info({ vm: guest.uuid, macs: guest.macs, purpose }, 'provisioned');
  world.evidence.record('placement', `${purpose} ordered`, guest.placed);
  const { firmware } = guest.placed;
  const deadline = budget(world, bootS(budgets, firmware));
  const startedAtMs = performance.now();
  world.tell({ event: 'step-begins', step: `boot${which}` });
  world.timeline.begin(bootStages(budgets, firmware, world.budgetScale), { guest: purpose, boot: 1 });
  world.signal.throwIfAborted();
  await guest.start(deadline);
  world.evidence.record('placement', purpose, guest.placed);
  const { workdir } = theCase;
  const console = new ConsoleWitness({ guest, workdir, evidence: world.evidence, purpose });
  const how = {
    login: order.login,
    deadline,
    name: purpose,
    console,
    since: { milestone: 'power-on', from: 0 },
  } as const;
  try {
    const arrival = await arrive(world, guest, how);
    return { guest, arrival, console, disposals: order.disposals, startedAtMs };
  } catch (error) {
    await console.end();
    await console.settled();
    throw error;
  }
}

export interface Arriving {
  readonly login: Login;
  readonly deadline: Deadline;
  /** As which the connection stands in the evidence. */
  readonly name: string;
  readonly console: ConsoleWitness;
  /** Which part of its console is of this boot: what stands before it is over. */
  readonly since: Pick<Watching, 'milestone' | 'from'>;
}

/** Waits for a guest that boots; the stages of its boot end by what is seen of it. @throws Fault as `awaitArrival` */
export async function arrive(
  world: World,
  guest: ArrivingGuest & Pick<Guest, 'uuid'>,
  how: Arriving,
): Promise<Arrival> {
  const { timeline } = world;
  const tellWaiting = waitingTold(world.tell);
  const signs = new BootSigns(timeline);
  const onLook: OnLook = (seen, elapsedMs, budgetMs) => {
    timeline.saw(seen);
    tellWaiting(seen, elapsedMs, budgetMs);
  };
  const watch = how.console.watch({ ...how.since, onText: (text) => signs.console(text) });
  let arrival = await awaitArrival(guest, how.login, how.deadline, onLook, { signs, watch });
  if (arrival.state === 'silent') {
    arrival = { ...arrival, silence: { ...arrival.silence, time: timeline.explain() } };
    timeline.end('it did not answer');
  } else {
    timeline.end('authenticated over SSH');
    how.console.answered();
  }
  world.evidence.record('connection', how.name, describe(arrival, guest.uuid));
  return arrival;
}

/** Makes the guest. What goes over the wire first is the upload; before and after it the rest is made. */
async function provision(world: World, theCase: Case, order: BootOrder): Promise<Guest> {
  const { budgets } = theCase.scenario;
  const { budgetScale, timeline } = world;
  const whose = { guest: order.purpose, boot: 1 } as const;
  const { createS, uploadS, attachS } = budgets;
  const create = { stage: 'create', budgetS: createS * budgetScale };
  const upload = { stage: 'upload', budgetS: uploadS * budgetScale };
  const attach = { stage: 'attach', budgetS: attachS * budgetScale };
  timeline.begin([create, upload, attach], whose, true);
  const tellUpload = transferTold(world.tell, 'upload');
  const guest = await world.lab.provision({
    runId: theCase.runId,
    caseId: theCase.id,
    purpose: order.purpose,
    image: order.image,
    scratch: world.scratch,
    readBack: order.readBack,
    readBackClone: world.readBack === 'always',
    onNote: (line) => {
      world.log.info({ purpose: order.purpose }, line);
      world.tell({ event: 'note', text: line });
    },
    deadline: budget(world, provisionS(budgets)),
    disposals: order.disposals,
    onUpload: (done, total) => {
      timeline.reached('upload', 'the first bytes were sent', true);
      tellUpload(done, total);
      if (done === total) timeline.reached('attach', 'the last byte was sent', true);
      timeline.saw(`${done} of ${total} bytes sent`);
    },
    onWarning: (line) => {
      world.log.warn({ placement: line }, 'placement');
      world.evidence.record('placement', `${order.purpose} warning`, { line });
      world.tell({ event: 'warning', text: line });
    },
  });
  timeline.end('disk and VM are made');
  return guest;
}

function describe(arrival: Arrival, vm: string): Readonly<Record<string, unknown>> {
  if (arrival.state === 'silent') return { vm, ...arrival };
  const { address, session, firstBannerMs } = arrival;
  return { vm, state: arrival.state, address, banner: session.banner, hostKey: session.hostKey, firstBannerMs };
}
