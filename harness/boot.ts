/**
 * Boots one guest: provision, power on, wait until it answers or is silent. Used for the image, for
 * the control, and for the image's second chance, so that all three are treated alike.
 */
import { type Arrival, awaitArrival, type OnLook } from './arrival.ts';
import { budget, Deadline } from './deadline.ts';
import type { Disposals, Journal } from './disposals.ts';
import { unpackFirst } from './image/open-disk.ts';
import type { Scratch } from './image/scratch.ts';
import type { Asking } from './interview.ts';
import type { Guest, Lab } from './lab.ts';
import type { Log } from './log.ts';
import type { Budgets, Case, PlannedImage } from './model.ts';
import type { Login } from './ssh/login.ts';

/** Told what happens, for people; no opinion about where it is shown. */
export interface Tell {
  /** A stage begins; the one before has ended. */
  stage(name: string): void;
  note(line: string): void;
  upload(doneBytes: number, totalBytes: number): void;
  /** How much of a compressed file was read. */
  unpack(doneBytes: number, totalBytes: number): void;
  /** The guest has not answered yet; called every few seconds. */
  readonly waiting: OnLook;
}

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
}

/** A guest that was started, with what became of it and what must be taken back. */
export interface Booted {
  readonly guest: Guest;
  readonly arrival: Arrival;
  readonly disposals: Disposals;
  /** Clock reading just before the power-on call; the guest cannot be up for longer. */
  readonly startedAtMs: number;
}

export interface BootOrder {
  readonly purpose: 'image' | 'control';
  readonly image: PlannedImage;
  readonly login: Login;
  readonly readBack: boolean;
  readonly disposals: Disposals;
}

/** Clean-up has its own budget and no interrupt: it must also run after one. */
export function cleanUpBudget(world: Pick<World, 'budgetScale'>, budgets: Budgets): Deadline {
  // A scale below one hurries the guest, never the clean-up.
  const seconds = budgets.disposeS * Math.max(1, world.budgetScale);
  return Deadline.after(seconds * 1000, new AbortController().signal);
}

export async function dispose(world: World, disposals: Disposals, budgets: Budgets): Promise<readonly string[]> {
  return disposals.run(cleanUpBudget(world, budgets));
}

/** @throws Fault where the lab could not make or start the guest. Silence is returned, not thrown. */
export async function boot(world: World, theCase: Case, order: BootOrder): Promise<Booted> {
  const { budgets } = theCase.scenario;
  const which = order.purpose === 'image' ? '' : ' control';
  world.tell.stage(`provision${which}`);
  // Outside the budget: how long this machine decompresses says nothing about the lab.
  if (world.lab.wantsBytes(order.image)) await unpackFirst(order.image, world.scratch, world.signal);
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
      world.tell.note(line);
    },
    deadline: budget(world, budgets.provisionS),
    disposals: order.disposals,
    onUpload: (done, total) => world.tell.upload(done, total),
    onWarning: (line) => {
      world.log.warn({ placement: line }, 'placement');
      world.evidence.record('placement', `${order.purpose} warning`, { line });
      world.tell.note(`warning: ${line}`);
    },
  });
  world.evidence.record('image', order.purpose, {
    sha256: order.image.sha256,
    ...guest.imported,
    onlyDisk: guest.onlyDisk,
  });
  world.log.info({ vm: guest.uuid, macs: guest.macs, purpose: order.purpose }, 'provisioned');
  world.evidence.record('placement', `${order.purpose} ordered`, guest.placed);
  const deadline = budget(world, budgets.bootS);
  const startedAtMs = performance.now();
  world.tell.stage(`boot${which}`);
  await guest.start(deadline);
  world.evidence.record('placement', order.purpose, guest.placed);
  const arrival = await awaitArrival(guest, order.login, deadline, world.tell.waiting);
  world.evidence.record('connection', order.purpose, describe(arrival, guest.uuid));
  return { guest, arrival, disposals: order.disposals, startedAtMs };
}

function describe(arrival: Arrival, vm: string): Readonly<Record<string, unknown>> {
  if (arrival.state === 'silent') return { vm, ...arrival };
  const { address, session, firstBannerMs } = arrival;
  return { vm, state: arrival.state, address, banner: session.banner, hostKey: session.hostKey, firstBannerMs };
}
