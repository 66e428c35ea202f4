/**
 * Makes a guest: disk from the image, VM, disk attached, boot order set, and looks at what XO then
 * shows of it. Whatever is asked for is registered for clean-up first, with the claim that finds it.
 */
import { byDeadline, Deadline, retry } from '../deadline.ts';
import { Fault } from '../faults.ts';
import type { Guest, GuestOrder, ImportRecord } from '../lab.ts';
import { type Claim, claimDescription, makeClaim, selfTag } from './claims.ts';
import type { Connection } from './connection.ts';
import { XoGuest } from './guest.ts';
import { readBack, upload } from './import.ts';
import { type Placement, resolvePlacement } from './placement.ts';
import type { Session } from './session.ts';
import type { Slot, XoLabSettings } from './settings.ts';
import type { Slots } from './slots.ts';
import { type Made, takeBack } from './take-back.ts';
import { XoError } from './xo-error.ts';

export interface ProvisionContext {
  readonly connection: Connection;
  readonly settings: XoLabSettings;
  readonly slots: Slots;
}

const UPLOAD_RETRIES = 2;
const RETRY_AFTER_MS = 500;
const READ_RETRIES = 2;
const LATE_REPLY_MS = 60_000;
const SLOT_TRIES_MAX = 5;

interface Making extends ProvisionContext {
  readonly session: Session;
  readonly order: GuestOrder;
  readonly placement: Placement;
  readonly claim: Claim;
  readonly name: string;
}

/** @throws Fault as the steps do; what was made until then is in `order.disposals` */
export async function provision(context: ProvisionContext, order: GuestOrder): Promise<Guest> {
  const { connection, settings } = context;
  const session = await connection.session(order.deadline);
  const placement = resolvePlacement(session.objects, settings);
  const xoNowMs = Date.now() + session.endpoint.clockOffsetMs;
  const claim = makeClaim({ runId: order.runId, caseId: order.caseId, xoNowMs, ttlMs: settings.claimTtlMs });
  const name = `bootwitness ${order.purpose === 'control' ? 'control ' : ''}${order.caseId}`;
  const making: Making = { ...context, session, order, placement, claim, name };
  const disk = await makeDisk(making);
  const { vmUuid, slot } = await makeVmInSlot(making);
  await session.call('vm.attachDisk', { vm: vmUuid, vdi: disk.vdiUuid, position: '0', bootable: true }, order.deadline);
  await session.call('vm.setBootOrder', { vm: vmUuid, order: 'c' }, order.deadline);
  await session.call('tag.add', { id: vmUuid, tag: selfTag(vmUuid) }, order.deadline);
  const { macs, onlyDisk } = await shown(making, vmUuid, disk.vdiUuid, slot);
  const poolId = placement.pool.id;
  return new XoGuest({ session, settings, poolId, uuid: vmUuid, name, macs, slot, imported: disk.imported, onlyDisk });
}

/** Registers the undo, before the thing is asked for. */
function register({ connection, order, claim, placement, name }: Making, kind: Made['kind']): Made {
  const made: Made = { claim, poolId: placement.pool.id, kind, uuid: null, state: 'none', creating: null };
  const details = { name, guest: claim.guestTag, expires: claim.expires };
  order.disposals.register(kind, details, (deadline) => takeBack(connection, made, deadline));
  return made;
}

/** After a create call failed: XO's own refusal made nothing, silence may have made something. */
function madeNothing(error: unknown): boolean {
  return error instanceof Fault && (error.cause instanceof XoError || error.code === 'UPLOAD_REFUSED');
}

async function makeDisk(making: Making): Promise<{ readonly vdiUuid: string; readonly imported: ImportRecord }> {
  const { session, order, placement, claim, name, connection } = making;
  const { deadline, image } = order;
  const made = register(making, 'VDI');
  const options = {
    ...{ image, srId: placement.srId, name, description: claimDescription(claim) },
    ...{ deadline, onUpload: order.onUpload },
  };
  const retries = { minTimeoutMs: RETRY_AFTER_MS, onRetry: noteRetry(order) };
  const { vdiUuid, record } = await retry(deadline, { ...retries, retries: UPLOAD_RETRIES }, async () => {
    // A try before this one may have left a disk behind, or be about to.
    const left = await takeBack(connection, made, deadline);
    if (left.length > 0) throw new Fault('UPLOAD_REFUSED', `a broken upload left something behind: ${left.join('; ')}`);
    made.state = 'unknown';
    try {
      return await upload(session, options);
    } catch (error) {
      if (madeNothing(error)) made.state = 'none';
      throw error;
    }
  });
  made.uuid = vdiUuid;
  made.state = 'made';
  order.disposals.note('VDI', { uuid: vdiUuid });
  await listedDisk(session, vdiUuid, image.sizeBytes, deadline);
  await session.call('vdi.set', { id: vdiUuid, name_description: claimDescription(claim, vdiUuid) }, deadline);
  if (order.readBack) {
    const compare = (): Promise<void> => readBack(session, vdiUuid, image, deadline);
    await retry(deadline, { ...retries, retries: READ_RETRIES }, compare);
  }
  return { vdiUuid, imported: { ...record, readBack: order.readBack } };
}

const noteRetry =
  ({ disposals }: GuestOrder) =>
  (attempt: number, fault: Fault): void =>
    disposals.note('retry', { attempt, code: fault.code, message: fault.message });

/** SRs round a disk up; a smaller one cannot hold the image. */
async function listedDisk(session: Session, vdiUuid: string, sizeBytes: number, deadline: Deadline): Promise<void> {
  const vdi = await session.objects.waitFor(deadline, `disk ${vdiUuid} to be listed`, 'XO_OBJECT_LATE', () => {
    const found = session.objects.get('VDI', vdiUuid);
    return found === undefined ? { seen: 'not listed' } : { done: found };
  });
  if (vdi.sizeBytes >= sizeBytes) return;
  throw new Fault('UPLOAD_REFUSED', `disk ${vdiUuid}: expected at least ${sizeBytes} bytes, given ${vdi.sizeBytes}`);
}

/**
 * Two runs may choose the same free slot at the same moment: the VM with the lower uuid keeps it, the
 * other is taken back, still without its disk, and made again in another slot.
 */
async function makeVmInSlot(making: Making): Promise<{ readonly vmUuid: string; readonly slot: Slot | null }> {
  const { connection, session, order } = making;
  for (let tries = 1; ; tries++) {
    const slot = takeSlot(making);
    const made = register(making, 'VM');
    const vmUuid = await makeVm(making, made, slot);
    await listedVm(session, vmUuid, order.deadline);
    const rival = rivalOf(session, slot, vmUuid);
    if (rival === null) return { vmUuid, slot };
    if (tries === SLOT_TRIES_MAX) throw rival;
    order.disposals.note('slot', { lost: slot?.mac ?? '', why: rival.message });
    const left = await takeBack(connection, made, order.deadline);
    if (left.length > 0) throw new Fault('NO_FREE_SLOT', `${rival.message}; then ${left.join('; ')}`, { cause: rival });
    made.state = 'none';
  }
}

function takeSlot({ slots, session, order }: Making): Slot | null {
  const slot = slots.take(session.objects);
  if (slot === null) return null;
  order.disposals.register('slot', { mac: slot.mac }, async () => {
    slots.release(slot);
    return [];
  });
  return slot;
}

async function makeVm(making: Making, made: Made, slot: Slot | null): Promise<string> {
  const { session, order, placement, claim, name, settings } = making;
  const { firmware, memoryMiB, cpus } = settings.shape;
  const creating = session.call(
    'vm.create',
    {
      name_label: name,
      name_description: `${order.purpose} of ${order.caseId}; made by Bootwitness, gone by ${claim.expires}`,
      template: placement.templateId,
      VDIs: [],
      VIFs: [{ network: placement.networkId, ...(slot === null ? {} : { mac: slot.mac }) }],
      CPUs: cpus,
      cpusMax: cpus,
      memory: memoryMiB * 1024 * 1024,
      hvmBootFirmware: firmware,
      tags: claim.tags,
    },
    lateDeadline(order.deadline),
  );
  made.state = 'unknown';
  made.creating = creating;
  try {
    const uuid = String(await byDeadline(order.deadline, 'XO_CALL_TIMEOUT', 'vm.create', creating));
    made.uuid = uuid;
    made.state = 'made';
    order.disposals.note('VM', { uuid });
    return uuid;
  } catch (error) {
    if (madeNothing(error)) made.state = 'none';
    throw error;
  }
}

/** Beyond the order's end and its interrupt: a reply that comes too late still tells clean-up the uuid. */
function lateDeadline(deadline: Deadline): Deadline {
  return Deadline.after(deadline.remainingMs() + LATE_REPLY_MS, new AbortController().signal, deadline.clock);
}

/** A call on a VM that XO does not list yet is refused: "no such VM". */
async function listedVm({ objects }: Session, vmUuid: string, deadline: Deadline): Promise<void> {
  await objects.waitFor(deadline, `VM ${vmUuid} to be listed`, 'XO_OBJECT_LATE', () =>
    // With its VIFs: they tell whether the slot is ours alone.
    (objects.get('VM', vmUuid)?.vifs ?? []).some((id) => objects.get('VIF', id) !== undefined)
      ? { done: true }
      : { seen: 'not listed, or without its VIF' },
  );
}

interface Shown {
  readonly macs: readonly string[];
  readonly onlyDisk: boolean;
}

/** Waits until XO shows the VM as it was made, and reads from that what the guest is. */
async function shown(making: Making, vmUuid: string, vdiUuid: string, slot: Slot | null): Promise<Shown> {
  const { objects } = making.session;
  const what = `VM ${vmUuid} to be listed with its disk and its VIF`;
  const seen = await objects.waitFor(making.order.deadline, what, 'XO_OBJECT_LATE', () => {
    const vm = objects.get('VM', vmUuid);
    if (vm === undefined) return { seen: 'the VM is not listed' };
    const vbds = vm.vbds.flatMap((id) => objects.get('VBD', id) ?? []);
    const vifs = vm.vifs.flatMap((id) => objects.get('VIF', id) ?? []);
    const complete = vbds.length === vm.vbds.length && vifs.length === vm.vifs.length && vifs.length > 0;
    const disks = vbds.filter(({ isCd }) => !isCd).map(({ vdi }) => vdi);
    if (!complete || !disks.includes(vdiUuid)) return { seen: `${vbds.length} VBDs and ${vifs.length} VIFs` };
    return { done: { disks, vifs } };
  });
  const rival = rivalOf(making.session, slot, vmUuid);
  if (rival !== null) throw rival;
  return { macs: seen.vifs.map(({ mac }) => mac), onlyDisk: seen.disks.length === 1 };
}

/** Does another VM hold this MAC with a better right? Null: no. */
function rivalOf({ objects }: Session, slot: Slot | null, vmUuid: string): Fault | null {
  const rival = slot && objects.all('VIF').find(({ mac, vm }) => mac === slot.mac && vm < vmUuid);
  if (!slot || !rival) return null;
  return new Fault('NO_FREE_SLOT', `VM ${rival.vm} took the slot ${slot.mac} at the same moment`);
}
