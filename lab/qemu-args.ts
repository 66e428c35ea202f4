/**
 * From a VM record to QEMU's arguments. Pure: nothing is read, so every flag can be seen in a test.
 * Each flag that is not obvious has its reason beside it.
 */
import type { BackendDisk, BackendNic, BackendVm } from './backend.ts';

/** Paths that QEMU writes or listens on; all belong to one start of one VM. */
export interface QemuPaths {
  readonly qmpSocket: string;
  readonly vncSocket: string;
  readonly serialFile: string;
}

/** UEFI firmware: code shared and read-only, variables a copy of this VM's own. */
export interface UefiFirmware {
  readonly codeFile: string;
  readonly variablesFile: string;
}

export interface QemuSettings {
  readonly accelerator: 'kvm' | 'tcg';
  readonly paths: QemuPaths;
  /** Needed where `vm.firmware` is `uefi`. */
  readonly uefi: UefiFirmware | null;
}

/** Port on the NIC's address that reaches the guest's port 22. */
export const FORWARDED_SSH_PORT = 2222;

/** Arguments of `qemu-system-x86_64`. Throws where the VM asks for UEFI and no firmware is given. */
export function qemuArgs(vm: BackendVm, settings: QemuSettings): string[] {
  const memoryMiB = Math.ceil(vm.memoryBytes / 1_048_576);
  return [
    // Only what stands here: no default NIC, floppy or screen, nothing from files in /etc/qemu.
    ...['-nodefaults', '-no-user-config'],
    ...['-name', `guest=${escapeValue(vm.name)}`],
    ...['-uuid', vm.uuid],
    ...machineArgs(vm, settings),
    ...processorArgs(vm, settings.accelerator),
    ...['-m', `${memoryMiB}M`],
    // Nothing is tried but what has a boot index; without it the firmware goes on to devices that the order leaves out.
    ...['-boot', 'strict=on'],
    // A reboot and a power-off end QEMU, which says why; what a guest does after a panic is its own affair.
    ...['-action', 'reboot=shutdown,shutdown=poweroff,panic=none'],
    ...disksInOrder(vm.disks).flatMap((disk, index) => diskArgs(disk, index, index === 0 ? bootIndex(vm, 'c') : null)),
    ...vm.nics.flatMap((nic, index) => nicArgs(vm, nic, index)),
    ...['-vga', 'std', '-vnc', `unix:${escapeValue(settings.paths.vncSocket)}`],
    ...[
      '-chardev',
      `file,id=serial0,append=on,path=${escapeValue(settings.paths.serialFile)}`,
      '-serial',
      'chardev:serial0',
    ],
    ...['-chardev', `socket,id=qmp0,path=${escapeValue(settings.paths.qmpSocket)},server=on,wait=off`],
    ...['-mon', 'chardev=qmp0,mode=control'],
    // A first boot makes host keys; without a source of randomness it may wait for one.
    ...['-device', 'virtio-rng-pci'],
  ];
}

function machineArgs(vm: BackendVm, settings: QemuSettings): string[] {
  const accelerator = `accel=${settings.accelerator}`;
  // i440fx is also what a Xen HVM guest sees; UEFI was measured on q35.
  if (vm.firmware === 'bios') return ['-machine', `pc,${accelerator}`];
  if (settings.uefi === null) {
    throw new Error(`VM ${vm.uuid}: firmware uefi needs the path of an OVMF image, none was given`);
  }
  return [
    ...['-machine', `q35,${accelerator}`],
    ...['-drive', `if=pflash,format=raw,unit=0,readonly=on,file=${escapeValue(settings.uefi.codeFile)}`],
    ...['-drive', `if=pflash,format=raw,unit=1,file=${escapeValue(settings.uefi.variablesFile)}`],
  ];
}

function processorArgs(vm: BackendVm, accelerator: 'kvm' | 'tcg'): string[] {
  if (accelerator === 'kvm') return ['-cpu', 'host', '-smp', String(vm.cpus)];
  // QEMU 7.2 under TCG corrupts EFLAGS where CX16 is exposed: guest kernels panic at random, one boot in 4 to 10.
  // With -cx16 and one processor: about 100 boots without a panic; with two processors 2 panics in 31. The image
  // would be blamed for either, so the VM's own number of processors is ignored here.
  return ['-cpu', 'max,-cx16', '-smp', '1'];
}

function disksInOrder(disks: readonly BackendDisk[]): BackendDisk[] {
  return [...disks].sort((a, b) => Number(a.position) - Number(b.position));
}

/** Boot index of a kind of device: its place in XO's order; null where the order leaves it out. */
function bootIndex(vm: BackendVm, letter: 'c' | 'n'): number | null {
  const place = vm.bootOrder.indexOf(letter);
  return place < 0 ? null : place + 1;
}

function diskArgs(disk: BackendDisk, index: number, boot: number | null): string[] {
  const node = {
    driver: 'raw',
    'node-name': `disk${index}`,
    'read-only': disk.readOnly,
    // Blocks that the guest frees go back to the host: the file stays sparse.
    discard: 'unmap',
    // The disk is thrown away after the run, so no flush of the guest is worth a flush of the host ("cache=unsafe").
    cache: { direct: false, 'no-flush': true },
    // Default locking stays: it is what refuses two VMs on one writable file.
    file: { driver: 'file', filename: disk.path, cache: { direct: false, 'no-flush': true } },
  };
  // JSON, since a path may hold commas.
  const device = `virtio-blk-pci,drive=disk${index}${boot === null ? '' : `,bootindex=${boot}`}`;
  return ['-blockdev', JSON.stringify(node), '-device', device];
}

function nicArgs(vm: BackendVm, nic: BackendNic, index: number): string[] {
  const boot = index === 0 ? bootIndex(vm, 'n') : null;
  // Its own subnet for each, else a guest with two NICs has one route twice.
  const subnet = `10.0.${2 + index}`;
  // restrict: a guest under test reaches neither this machine nor the net; forwards into it and DHCP still work.
  const user = [`user,id=net${index}`, 'ipv6=off', 'restrict=on', `net=${subnet}.0/24`, `dhcpstart=${subnet}.15`];
  if (nic.address !== null) user.push(`hostfwd=tcp:${nic.address}:${FORWARDED_SSH_PORT}-:22`);
  // Without a ROM no firmware waits for a network boot that nobody asked for.
  const rom = boot === null ? ',romfile=' : `,bootindex=${boot}`;
  const device = `${vm.nicType ?? 'virtio-net-pci'},mac=${nic.mac}${rom}`;
  // Dead: the NIC has its cable and nobody at the other end (on a hub alone its sends would hang and its driver
  // complain of it). The forward is there without a NIC, so a connection to the address is accepted and no byte
  // ever comes, as it is with a guest that got no address. QEMU warns of both, on its stderr.
  return ['-netdev', user.join(','), '-device', nic.dead ? device : `${device},netdev=net${index}`];
}

/** A value inside a QEMU option list: a comma is written twice. */
function escapeValue(value: string): string {
  return value.replaceAll(',', ',,');
}
