/**
 * Makes a guest of the VM and disk that the operator allots: nothing is created, nothing deleted, nothing else touched.
 * The disk is overwritten and read back; afterwards the VM is left as configured, and its settings are compared.
 */
import { Deadline, retry } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import type { Guest, GuestOrder, ImportRecord } from '../lab.ts';
import type { NamedObject, Placed } from '../model.ts';
import { plainSource } from './disk-source.ts';
import { checkFixedPlace, type FixedPlace } from './fixed-place.ts';
import { XoGuest } from './guest.ts';
import { overwrite } from './import.ts';
import { compareSettings, type Settings, takeSettings } from './kept-settings.ts';
import { readyForRest } from './listing.ts';
import { type Lock, lockVm } from './lock.ts';
import { LOCK_PREFIX } from './lock-tag.ts';
import { noteRetry } from './make-disk.ts';
import { answerLost, type ProvisionContext } from './making.ts';
import type { ObjectStore } from './objects.ts';
import { paddedSource } from './pad.ts';
import { readBack } from './read-back.ts';
import type { FixedSettings } from './settings.ts';
import { stopVm } from './stop.ts';
import { BAD_POWER_STATE, isXoError } from './xo-error.ts';

const RETRIES = 3;
const RETRY_AFTER_MS = 500;
/** Objects lag, and XO takes its marks off a disk a moment after its reply. */
const SAME_AGAIN_MS = 10_000;
/** To take a lock that is free. */
const LOCK_TAKES_MS = 60_000;
/** A pool that comes back shows itself before all of its objects. */
const MISSING_MS = 10_000;

interface Fixing extends ProvisionContext {
  readonly order: GuestOrder;
  readonly fixed: FixedSettings;
}

const isLock = (tag: unknown): boolean => typeof tag === 'string' && tag.startsWith(LOCK_PREFIX);

/**
 * @throws Fault BAD_FIXED_VM (nothing was touched), FIXED_VM_CHANGED (after that), VM_LOCKED, VM_STUCK,
 *   READ_BACK_DIFFERS, and as `overwrite` and `Session.call`
 */
export async function provisionFixed(
  context: ProvisionContext,
  fixed: FixedSettings,
  order: GuestOrder,
): Promise<Guest> {
  const { session, settings } = context;
  const { disposals } = order;
  if (order.purpose === 'control' && !fixed.control) {
    throw new Fault('BAD_FIXED_VM', 'fixed.control: expected true, since the control image would overwrite fixed.vdi');
  }
  await inSight({ ...context, fixed, order });
  checkFixedPlace(session.objects, fixed, order.image);
  const lock = await hold({ ...context, fixed, order });
  // From here on anew: the time for which others had the VM was not ours.
  const deadline = Deadline.after(order.deadline.budgetMs, order.deadline.signal, order.deadline.clock);
  const fixing: Fixing = { ...context, fixed, order: { ...order, deadline } };
  await inSight(fixing);
  // Again, with the lock in hand: somebody may have changed the VM while we waited.
  const place = checkFixedPlace(session.objects, fixed, order.image);
  const before = takeSettings(session.objects, fixed, isLock);
  disposals.register(
    'fixed-vm',
    { uuid: fixed.vm, vdi: fixed.vdi, leave: fixed.leave },
    (undoing) => leave(fixing, place, before, undoing),
    async () => undefined, // as it is; what holds it is the lock
  );
  const stoppedBy = await stopVm({ session, poolId: place.poolId, uuid: fixed.vm, deadline, powerOff: null });
  disposals.note('fixed-vm', { uuid: fixed.vm, stoppedBy });
  const startTime = session.objects.get('VM', fixed.vm)?.startTime ?? null;
  const imported = await write(fixing, place);
  await stillOurs(fixing, lock, startTime);
  const { macs } = place;
  const slot = settings.slots.find(({ mac }) => macs.includes(mac)) ?? null;
  return new XoGuest({
    ...{ session, settings, poolId: place.poolId, uuid: fixed.vm, name: place.vm.name, macs, slot, imported },
    // Looked at before the disk was written, and once more after that.
    onlyDisk: true,
    clock: deadline.clock,
    afterwards: fixed.leave,
    place: placeOf(session.objects, place),
    hostId: null,
  });
}

/** What the operator's VM is, for the report. */
function placeOf(objects: ObjectStore, { vm, vdi, poolId }: FixedPlace): Placed {
  const shown = (object: NamedObject | undefined): NamedObject | null =>
    object === undefined ? null : { uuid: object.uuid, name: object.name };
  const network = vm.vifs.flatMap((id) => objects.get('VIF', id)?.network ?? [])[0];
  return {
    ...{ pool: shown(objects.get('pool', poolId)) ?? { uuid: poolId, name: '' }, host: null, hostOrdered: false },
    ...{ template: null, sr: shown(objects.get('SR', vdi.sr)) },
    ...{ network: network === undefined ? null : shown(objects.get('network', network)), firmware: vm.firmware },
    ...{ memoryMiB: null, cpus: null, nic: null },
  };
}

/** Objects leave and come back when XO loses its pool: waits for VM and disk, or until they are missing for sure. */
async function inSight({ session, fixed, order }: Fixing): Promise<void> {
  const { objects } = session;
  const { clock } = order.deadline;
  let aloneSinceMs: number | null = null;
  await objects.waitFor(order.deadline, `VM ${fixed.vm} and VDI ${fixed.vdi} to be listed`, 'XO_OBJECT_LATE', () => {
    if (objects.has(fixed.vm) && objects.has(fixed.vdi)) return { done: true };
    if (!objects.all('pool').some(({ id }) => objects.poolPresent(id))) {
      aloneSinceMs = null;
      return { seen: 'Xen Orchestra shows no pool' };
    }
    aloneSinceMs ??= clock.nowMs();
    return clock.nowMs() - aloneSinceMs >= MISSING_MS ? { done: true } : { seen: 'the pool, but not both of them' };
  });
}

/** Registered before it is taken, so that it is given back last: after the VM was left as configured. */
async function hold({ session, settings, deadRuns, fixed, order }: Fixing): Promise<Lock> {
  const { disposals, runId } = order;
  const deadline = Deadline.after(fixed.lockWaitMs + LOCK_TAKES_MS, order.deadline.signal, order.deadline.clock);
  let lock: Lock | null = null;
  const release = async (undoing: Deadline): Promise<readonly string[]> => {
    await lock?.release(undoing);
    return [];
  };
  disposals.register('lock', { vm: fixed.vm }, release, async (until, keeping) => lock?.keepUntil(until, keeping));
  lock = await lockVm({
    ...{ session, vmUuid: fixed.vm, runId, deadRuns, deadline },
    ...{ settleMs: settings.settleMs, waitMs: fixed.lockWaitMs },
    onWait: (holder) => disposals.note('lock', { waitsFor: holder }),
  });
  return lock;
}

/** An upload takes minutes: what was looked at before it is looked at again before anything is booted. */
async function stillOurs(fixing: Fixing, lock: Lock, startTime: number | null): Promise<void> {
  const { session, fixed, order } = fixing;
  const changed = (how: string, cause?: unknown): never => {
    throw new Fault('FIXED_VM_CHANGED', `while the disk was written: ${how}`, { cause });
  };
  await inSight(fixing);
  try {
    const { vm } = checkFixedPlace(session.objects, fixed, order.image);
    const started = vm.powerState !== 'Halted' || (vm.startTime !== null && vm.startTime !== startTime);
    if (started) changed(`VM ${vm.uuid} was started by somebody else (power_state ${vm.powerState})`);
  } catch (error) {
    if (!(error instanceof Fault && error.code === 'BAD_FIXED_VM')) throw error;
    changed(error.message, error);
  }
  const lost = lock.lost();
  if (lost !== null) changed(`VM ${fixed.vm} is not this run's any more: ${lost}`);
}

async function write({ session, fixed, order }: Fixing, { vdi, poolId }: FixedPlace): Promise<ImportRecord> {
  const { deadline, image, scratch, disposals, onUpload } = order;
  const source = fixed.pad ? await paddedSource(image, vdi.sizeBytes, scratch) : plainSource(image, scratch);
  disposals.note('fixed-vm', { overwriting: fixed.vdi, sha256: source.sha256 });
  const retries = { retries: RETRIES, minTimeoutMs: RETRY_AFTER_MS, onRetry: noteRetry(order) };
  const record = await retry(deadline, retries, async () => {
    await readyForRest(session, poolId, deadline);
    return overwrite(session, { source, vdiUuid: fixed.vdi, deadline, onUpload });
  });
  // Whether blocks that a VHD leaves out read as zeros over older content is not known of real SRs.
  const compared = await retry(deadline, retries, async () => {
    await readyForRest(session, poolId, deadline);
    return readBack(session, fixed.vdi, source, deadline);
  });
  if (!compared) {
    throw new Fault('UPLOAD_REFUSED', `VDI ${fixed.vdi} cannot be read back: this Xen Orchestra has no GET for it`);
  }
  return { ...record, readBack: true, cache: 'off', entry: null };
}

/** Leaves the VM as configured. @returns what is different from before */
async function leave(
  { session, fixed }: Fixing,
  { poolId }: FixedPlace,
  before: Settings,
  undoing: Deadline,
): Promise<readonly string[]> {
  if (fixed.leave === 'halted') {
    await stopVm({ session, poolId, uuid: fixed.vm, deadline: undoing, powerOff: null });
  } else await keepRunning({ session, fixed }, undoing);
  let differences: readonly string[] = [];
  const same = session.objects.waitFor(
    undoing.within(SAME_AGAIN_MS),
    'the settings of before',
    'XO_OBJECT_LATE',
    () => {
      differences = compareSettings(before, takeSettings(session.objects, fixed, isLock));
      return differences.length === 0 ? { done: true } : { seen: differences.join('; ') };
    },
  );
  await same.catch((error: unknown) => {
    if (!(error instanceof Fault && error.code === 'XO_OBJECT_LATE')) throw error;
  });
  return differences.map((difference) => `${difference} (changed during the run)`);
}

async function keepRunning({ session, fixed }: Pick<Fixing, 'session' | 'fixed'>, undoing: Deadline): Promise<void> {
  const { objects } = session;
  const running = () => objects.get('VM', fixed.vm)?.powerState === 'Running';
  if (running()) return;
  try {
    await session.call('vm.start', { id: fixed.vm }, undoing);
  } catch (error) {
    if (!isXoError(error, BAD_POWER_STATE) && !answerLost(session, error)) throw error;
  }
  await objects.waitFor(undoing, `VM ${fixed.vm} to run, as it is to be left`, 'XO_OBJECT_LATE', () =>
    running() ? { done: true } : { seen: `power_state ${objects.get('VM', fixed.vm)?.powerState ?? 'not listed'}` },
  );
}
