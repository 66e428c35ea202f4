/**
 * Makes a guest where there is room for it: VM, disk from the image, disk attached, boot order set, and looks at what
 * XO then shows of it. Whatever is asked for is registered for clean-up first, with the claim that finds it.
 */
import { Fault } from '../faults.ts';
import type { Guest, GuestOrder } from '../lab.ts';
import { XoGuest } from './guest.ts';
import { somePoolShown } from './listing.ts';
import { intendDisk, makeDisk } from './make-disk.ts';
import { holdSlot, makeVm } from './make-vm.ts';
import { answerLost, type Making, type ProvisionContext, shownAfterAll } from './making.ts';
import { plannedPlace, resolvePlacement } from './placement.ts';
import { preflight } from './preflight.ts';

/** @throws Fault as the steps do; what was made until then is in `order.disposals` */
export async function provision(context: ProvisionContext, order: GuestOrder): Promise<Guest> {
  const { session, settings } = context;
  await somePoolShown(session, order.deadline); // after a reconnect names cannot be resolved without
  const placement = resolvePlacement(session.objects, settings);
  const { image } = order;
  const { figuresMayLag } = context;
  const warnings = preflight(session.objects, placement, { shape: settings.shape, image, figuresMayLag });
  for (const line of warnings) order.onWarning(line);
  const name = `bootwitness ${order.purpose === 'control' ? 'control ' : ''}${order.caseId}`;
  const making: Making = { ...context, order, placement, name };
  const intended = intendDisk(making);
  // The VM first: while the upload goes on it becomes known to all that its slot is taken.
  const created = await makeVm(making);
  const disk = await makeDisk(making, intended);
  const { uuid, slot } = await holdSlot(making, created);
  await attachDisk(making, uuid, disk.vdiUuid);
  await session.call('vm.setBootOrder', { vm: uuid, order: 'c' }, order.deadline);
  const { macs, onlyDisk } = await shown(making, uuid, disk.vdiUuid);
  const poolId = placement.pool.id;
  const { clock } = order.deadline;
  return new XoGuest({
    ...{ session, settings, poolId, uuid, name, macs, slot, imported: disk.imported, onlyDisk, clock },
    place: plannedPlace(placement, settings),
    hostId: placement.host?.id ?? null,
  });
}

async function attachDisk({ session, order }: Making, vmUuid: string, vdiUuid: string): Promise<void> {
  const { deadline } = order;
  const attached = (): true | undefined =>
    session.objects.all('VBD').some(({ vm, vdi }) => vm === vmUuid && vdi === vdiUuid) || undefined;
  const call = (): Promise<unknown> =>
    session.call('vm.attachDisk', { vm: vmUuid, vdi: vdiUuid, position: '0', bootable: true }, deadline);
  try {
    await call();
  } catch (error) {
    if (!answerLost(session, error)) throw error;
    const what = 'the disk whose attaching was not answered';
    if (await shownAfterAll(session, deadline, what, attached)) return;
    await call().catch((again: unknown) => {
      if (!(again instanceof Fault) || !attached()) throw again; // the first call came through after all
    });
  }
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
