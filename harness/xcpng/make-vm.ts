/**
 * Creates the VM of a guest, without its disk, in a slot that nobody else holds. Creating is not idempotent: a VM whose
 * creation was not answered is looked for by its claim before another one is made.
 */
import { byDeadline, Deadline } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import { type Claim, claimDescription, selfTag } from './claims.ts';
import { answerLost, type Making, madeNothing, register, shownAfterAll } from './making.ts';
import type { Slot } from './settings.ts';
import { type Made, takeBack } from './take-back.ts';
import type { Vif } from './wire.ts';

/** A VM of ours, halted, without disks. Its slot is not certain yet: see `holdSlot`. */
export interface MadeVm {
  readonly uuid: string;
  readonly slot: Slot | null;
  readonly made: Made;
  /** The disk that came with it; null: it has none. */
  readonly disk: Made | null;
  /** When XO listed it, on the deadline's clock. */
  readonly listedAtMs: number;
}

const LATE_REPLY_MS = 60_000;
const CREATE_TRIES_MAX = 3;
const SLOT_TRIES_MAX = 5;

/** @throws Fault NO_FREE_SLOT, XO_OBJECT_LATE, and as `Session.call` */
export async function makeVm(making: Making): Promise<MadeVm> {
  const { session, order } = making;
  const held = takeSlot(making);
  for (let tries = 1; ; tries++) {
    // Before its VM: what is registered last is taken back first.
    const disk = making.source === undefined ? null : register(making, 'VDI', making.newClaim());
    const made = register(making, 'VM', making.newClaim());
    try {
      const slot = held?.slot ?? null;
      const uuid = await createVm(making, made, disk, parameters(making, slot, made.claim, disk));
      await listed(making, uuid);
      made.state = 'made';
      return { uuid, slot, made, disk, listedAtMs: order.deadline.clock.nowMs() };
    } catch (error) {
      if (made.state === 'none') held?.release();
      if (!answerLost(session, error) || tries === CREATE_TRIES_MAX) throw error;
      // Nothing of it is to be seen; should it still come, clean-up finds it by its claim, which is not used again.
      order.disposals.note('VM', { again: tries, why: error instanceof Fault ? error.message : '' });
    }
  }
}

function takeSlot({ slots, session, order }: Making): { readonly slot: Slot; release(): void } | null {
  const slot = slots.take(session.objects);
  if (slot === null) return null;
  let held = true;
  const release = (): void => {
    if (held) slots.release(slot);
    held = false;
  };
  order.disposals.register('slot', { mac: slot.mac }, async () => {
    release();
    return [];
  });
  return { slot, release };
}

function parameters(making: Making, slot: Slot | null, claim: Claim, disk: Made | null) {
  const { order, placement, name, settings, source } = making;
  const { memoryMiB, cpus, nic } = settings.shape;
  const { firmware, host } = placement;
  // So that the disk of a clone carries our claim as soon as XO touches it.
  const existingDisks = disk && { 0: { name_label: name, name_description: claimDescription(disk.claim) } };
  return {
    name_label: name,
    name_description: `${order.purpose} of ${order.caseId}; by Bootwitness, gone by ${claim.expires} or its tag "kept"`,
    template: source?.templateId ?? placement.templateId,
    VDIs: [],
    ...(existingDisks && { clone: true, existingDisks }),
    VIFs: [{ network: placement.networkId, ...(slot === null ? {} : { mac: slot.mac }) }],
    CPUs: cpus,
    cpusMax: cpus,
    memory: memoryMiB * 1024 * 1024,
    hvmBootFirmware: firmware,
    ...(nic === null ? {} : { nicType: nic }),
    ...(host === null ? {} : { affinityHost: host.id }),
    tags: claim.tags,
  };
}

/**
 * @param disk the one that comes with the VM; null: none does
 * @returns its uuid
 * @throws Fault XO_SESSION_LOST where the answer was lost and nothing of it appears, and as `Session.call`
 */
export async function createVm(
  making: Making,
  made: Made,
  disk: Made | null,
  params: Readonly<Record<string, unknown>>,
): Promise<string> {
  const { session, order } = making;
  const { deadline } = order;
  const creating = session.call('vm.create', params, lateDeadline(deadline));
  for (const each of [made, ...(disk ? [disk] : [])]) {
    each.state = 'unknown';
    each.creating = creating;
  }
  try {
    const reply = await byDeadline(deadline, 'XO_CALL_TIMEOUT', 'vm.create', creating);
    return known(making, made, String(reply));
  } catch (error) {
    if (madeNothing(error)) {
      made.state = 'none';
      if (disk) disk.state = 'none';
    }
    if (!answerLost(session, error)) throw error;
    const what = 'the VM whose creation was not answered';
    const tag = made.claim.guestTag;
    const found = await shownAfterAll(session, deadline, what, () => session.objects.tagged(tag)[0]);
    if (found === undefined) throw error;
    return known(making, made, found.uuid);
  }
}

function known({ order }: Making, made: Made, uuid: string): string {
  made.uuid = uuid;
  made.state = 'answered';
  order.disposals.note('VM', { uuid });
  return uuid;
}

/** Beyond the order's end and its interrupt: a reply that comes too late still tells clean-up the uuid. */
function lateDeadline(deadline: Deadline): Deadline {
  return Deadline.after(deadline.remainingMs() + LATE_REPLY_MS, new AbortController().signal, deadline.clock);
}

/** A call on a VM that XO does not list yet is refused: "no such VM". */
async function listed({ session, order }: Making, vmUuid: string): Promise<void> {
  const { objects } = session;
  await objects.waitFor(order.deadline, `VM ${vmUuid} to be listed`, 'XO_OBJECT_LATE', () =>
    // With its VIFs: they tell whether the slot is ours alone.
    (objects.get('VM', vmUuid)?.vifs ?? []).some((id) => objects.get('VIF', id) !== undefined)
      ? { done: true }
      : { seen: 'not listed, or without its VIF' },
  );
}

/**
 * Makes sure that the slot is ours alone. Two runs may choose the same free slot at the same moment. Each waits until
 * what the other did must be visible, then looks: a rival that has its `self` tag has won already; of two that have
 * none the lower uuid wins. Waiting for at least twice the lag of XO's objects makes this certain: who looks so late
 * that the winner has looked before, sees the winner's tag. The loser is taken back and made again elsewhere.
 * @throws Fault NO_FREE_SLOT
 */
export async function holdSlot(making: Making, first: MadeVm): Promise<MadeVm> {
  const { session, order, settings } = making;
  const { deadline } = order;
  let vm = first;
  for (let tries = 1; ; tries++) {
    if (vm.slot !== null) await settled(vm, settings.settleMs, deadline);
    const rival = rivalOf(making, vm);
    if (rival === null) {
      await session.call('tag.add', { id: vm.uuid, tag: selfTag(vm.uuid) }, deadline);
      return vm;
    }
    if (tries === SLOT_TRIES_MAX) throw rival;
    order.disposals.note('slot', { lost: vm.slot?.mac ?? '', why: rival.message });
    const left = [...(await takeBack(session, vm.made, deadline))];
    if (vm.disk) left.push(...(await takeBack(session, vm.disk, deadline)));
    if (left.length > 0) throw new Fault('NO_FREE_SLOT', `${rival.message}; then ${left.join('; ')}`, { cause: rival });
    vm.made.state = 'none';
    if (vm.disk) vm.disk.state = 'none';
    vm = await makeVm(making);
  }
}

async function settled({ listedAtMs }: MadeVm, settleMs: number, deadline: Deadline): Promise<void> {
  await deadline.clock.sleep(Math.max(0, listedAtMs + settleMs - deadline.clock.nowMs()), deadline.signal);
  deadline.check();
}

/** Does another VM hold this MAC with a better right? Null: no. */
function rivalOf({ session }: Making, { slot, uuid }: MadeVm): Fault | null {
  if (slot === null) return null;
  const { objects } = session;
  const better = ({ mac, vm }: Vif): boolean => {
    if (mac !== slot.mac || vm === uuid) return false;
    const tags = objects.get('VM', vm)?.tags;
    // A VM that is not ours, or that we cannot see whole, has the better right whatever its uuid.
    return tags === undefined || tags.includes(selfTag(vm)) || !tags.includes('bootwitness') || vm < uuid;
  };
  const rival = objects.all('VIF').find(better);
  return rival ? new Fault('NO_FREE_SLOT', `VM ${rival.vm} took the slot ${slot.mac} at the same moment`) : null;
}
