/**
 * The operator's VM and disk, looked at before anything is written: is it what the lab file says, and may it be
 * overwritten? Each no is one sentence to the operator.
 */
import { Fault } from '../faults/faults.ts';
import type { PlannedImage } from '../model.ts';
import type { ObjectStore } from './objects.ts';
import type { FixedSettings } from './settings.ts';
import type { Vdi, Vm } from './wire.ts';

export interface FixedPlace {
  readonly vm: Vm;
  readonly vdi: Vdi;
  readonly poolId: string;
  readonly macs: readonly string[];
}

/** XCP-ng's SRs round disks up to whole blocks of a VHD. */
const ROUNDING_BYTES = 2 * 1024 * 1024;
/** What we do with the VM; none of it may be blocked. */
const NEEDED_OPERATIONS = ['start', 'hard_shutdown', 'clean_shutdown'];

function refuse(why: string): never {
  throw new Fault('BAD_FIXED_VM', why);
}

function checkVm(vm: Vm): void {
  const what = `fixed.vm ${vm.uuid} ("${vm.name}")`;
  if (vm.type !== 'VM') refuse(`${what}: expected a VM, given a template`);
  if (vm.virtualizationMode !== 'hvm') refuse(`${what}: expected an HVM guest, given ${vm.virtualizationMode}`);
  if (vm.snapshots.length > 0) {
    refuse(
      `${what}: expected a VM without snapshots, given ${vm.snapshots.length}: reverting one would undo the image`,
    );
  }
  const blocked = NEEDED_OPERATIONS.filter((operation) => vm.blockedOperations.includes(operation));
  if (blocked.length > 0) refuse(`${what}: expected no blocked operation, given ${blocked.join(', ')}`);
  if (!vm.bootOrder.startsWith('c')) refuse(`${what}: expected boot order c (disk) first, given "${vm.bootOrder}"`);
}

function checkDisks(objects: ObjectStore, vm: Vm, vdi: Vdi): void {
  const what = `fixed.vdi ${vdi.uuid} ("${vdi.name}")`;
  const mine = objects.all('VBD').filter((vbd) => vbd.vdi === vdi.id);
  const strangers = mine.filter((vbd) => vbd.vm !== vm.id);
  if (strangers.length > 0)
    refuse(`${what}: expected a disk of that VM only, it is attached to ${strangers[0]?.vm} too`);
  const [own] = mine;
  if (own === undefined) refuse(`${what}: expected it to be attached to VM ${vm.uuid}, it is attached to none`);
  else if (own.readOnly) refuse(`${what}: expected it to be attached for writing, it is read-only`);
  if (vdi.snapshots.length > 0) refuse(`${what}: expected a disk without snapshots, given ${vdi.snapshots.length}`);
  const others = objects.all('VBD').filter((vbd) => vbd.vm === vm.id && vbd.vdi !== null && vbd.vdi !== vdi.id);
  const other = others[0];
  if (other !== undefined) {
    const kind = other.isCd ? 'CD' : 'disk';
    refuse(
      `fixed.vm ${vm.uuid}: expected that disk only, ${kind} ${other.vdi} at position ${other.position} may boot, too`,
    );
  }
}

function checkImage(vm: Vm, vdi: Vdi, image: PlannedImage, { pad }: FixedSettings): void {
  const what = `image ${image.path} (${image.sizeBytes} bytes)`;
  const rounded = Math.ceil(image.sizeBytes / ROUNDING_BYTES) * ROUNDING_BYTES;
  if (vdi.sizeBytes < image.sizeBytes)
    refuse(`${what}: expected it to fit on fixed.vdi, which has ${vdi.sizeBytes} bytes`);
  if (vdi.sizeBytes > rounded && !pad) {
    refuse(
      `${what}: expected an image of the size of fixed.vdi, which has ${vdi.sizeBytes} bytes; --pad makes it so large`,
    );
  }
  if (pad && image.identity === null) refuse(`${what}: expected an image with a GPT, since --pad moves its backup`);
  if (vm.firmware === 'uefi' && image.identity === null) {
    refuse(`${what}: expected a GPT, since fixed.vm ${vm.uuid} boots by UEFI`);
  }
  if (!image.startsBy.includes(vm.firmware)) {
    const needs = vm.firmware === 'uefi' ? 'an EFI system partition' : 'boot code in its first sector';
    refuse(`${what}: expected ${needs}, since fixed.vm ${vm.uuid} boots by ${vm.firmware.toUpperCase()}`);
  }
}

/**
 * @param image null: not known yet; everything else is checked
 * @throws Fault BAD_FIXED_VM; XO_OBJECT_LATE where something is missing because XO shows no pool at all
 */
export function checkFixedPlace(objects: ObjectStore, fixed: FixedSettings, image: PlannedImage | null): FixedPlace {
  const vm = objects.get('VM', fixed.vm);
  const vdi = objects.get('VDI', fixed.vdi);
  if ((vm === undefined || vdi === undefined) && objects.all('pool').length === 0) {
    throw new Fault('XO_OBJECT_LATE', 'Xen Orchestra shows no pool: it has none, or lost it');
  }
  if (vm === undefined) return refuse(`fixed.vm: expected the uuid of a VM, the pool has none ${fixed.vm}`);
  if (vdi === undefined) return refuse(`fixed.vdi: expected the uuid of a disk, the pool has none ${fixed.vdi}`);
  if (vdi.pool !== vm.pool) return refuse(`fixed.vdi ${vdi.uuid}: expected it in the pool of fixed.vm`);
  checkVm(vm);
  checkDisks(objects, vm, vdi);
  if (image !== null) checkImage(vm, vdi, image, fixed);
  const macs = vm.vifs.flatMap((id) => objects.get('VIF', id)?.mac ?? []);
  if (macs.length === 0) return refuse(`fixed.vm ${vm.uuid}: expected a VIF, it has none`);
  return { vm, vdi, poolId: vm.pool, macs };
}
