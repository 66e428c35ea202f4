/**
 * Makes a guest where there is room for it: VM, disk from the image or cloned from what is kept of it, disk attached,
 * boot order set, and looks at what XO then shows of it. Whatever is asked for is registered for clean-up first, with
 * the claim that finds it.
 */
import type { Guest, GuestOrder } from '../lab.ts';
import { attachDisk } from './attach-disk.ts';
import { type ClonedGuest, cloneGuest } from './cache/clone-guest.ts';
import { isKept } from './cache/keeper.ts';
import { placementOf } from './cache/place.ts';
import { XoGuest } from './guest.ts';
import { somePoolShown } from './listing.ts';
import { intendDisk, makeDisk } from './make-disk.ts';
import { holdSlot, makeVm } from './make-vm.ts';
import { guestClaim, type Making, type ProvisionContext } from './making.ts';
import { plannedPlace } from './placement.ts';
import { preflight } from './preflight.ts';

/** @throws Fault as the steps do; what was made until then is in `order.disposals` */
export async function provision(context: ProvisionContext, order: GuestOrder): Promise<Guest> {
  const { session, settings } = context;
  await somePoolShown(session, order.deadline); // after a reconnect names cannot be resolved without
  const placement = placementOf(session.objects, settings);
  const name = `bootwitness ${order.purpose === 'control' ? 'control ' : ''}${order.caseId}`;
  const making: Making = { ...context, order, placement, name, newClaim: () => guestClaim(context, order) };
  for (const line of lookedAt(making)) order.onWarning(line);
  const { vm, vdiUuid, imported } = await made(making);
  const { uuid, slot } = vm;
  await session.call('vm.setBootOrder', { vm: uuid, order: 'c' }, order.deadline);
  const { macs, onlyDisk } = await shown(making, uuid, vdiUuid);
  const poolId = placement.pool.id;
  const { clock } = order.deadline;
  return new XoGuest({
    ...{ session, settings, poolId, uuid, name, macs, slot, imported, onlyDisk, clock },
    place: plannedPlace(placement, settings),
    hostId: placement.host?.id ?? null,
  });
}

/** A clone of what is kept needs next to no room of its own. @throws Fault as `preflight` */
function lookedAt(making: Making): readonly string[] {
  const { session, settings, placement, figuresMayLag, order } = making;
  const { cache } = settings;
  const kept = cache !== null && isKept({ making, cache });
  const image = kept ? { sizeBytes: order.image.sizeBytes, blocks: [] } : order.image;
  return preflight(session.objects, placement, { shape: settings.shape, image, figuresMayLag });
}

/** Cloned from what is kept in the pool where that is wanted and possible; else sent. */
async function made(making: Making): Promise<ClonedGuest> {
  const { cache } = making.settings;
  if (cache === null) return sent(making);
  const cloned = await cloneGuest({ making, cache });
  if (cloned !== null) return cloned;
  const { imported, ...rest } = await sent(making);
  return { ...rest, imported: { ...imported, cache: 'miss' } };
}

async function sent(making: Making): Promise<ClonedGuest> {
  const intended = intendDisk(making);
  // The VM first: while the upload goes on it becomes known to all that its slot is taken.
  const created = await makeVm(making);
  const { vdiUuid, imported } = await makeDisk(making, intended);
  const vm = await holdSlot(making, created);
  await attachDisk(making, vm.uuid, vdiUuid);
  return { vm, vdiUuid, imported };
}

interface Shown {
  readonly macs: readonly string[];
  readonly onlyDisk: boolean;
}

/** Waits until XO shows the VM as it was made, and reads from that what the guest is. */
async function shown({ session, order }: Making, vmUuid: string, vdiUuid: string): Promise<Shown> {
  const { objects } = session;
  const what = `VM ${vmUuid} to be listed with its disk and its VIF`;
  return objects.waitFor(order.deadline, what, 'XO_OBJECT_LATE', () => {
    const vm = objects.get('VM', vmUuid);
    if (vm === undefined) return { seen: 'the VM is not listed' };
    const vbds = vm.vbds.flatMap((id) => objects.get('VBD', id) ?? []);
    const vifs = vm.vifs.flatMap((id) => objects.get('VIF', id) ?? []);
    const complete = vbds.length === vm.vbds.length && vifs.length === vm.vifs.length && vifs.length > 0;
    const disks = vbds.filter(({ isCd }) => !isCd).map(({ vdi }) => vdi);
    if (!complete || !disks.includes(vdiUuid)) return { seen: `${vbds.length} VBDs and ${vifs.length} VIFs` };
    return { done: { macs: vifs.map(({ mac }) => mac), onlyDisk: disks.length === 1 } };
  });
}
