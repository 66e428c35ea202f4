/**
 * The backend that runs no machine at all: each VM is an SSH server in this process which answers as
 * a booted guest would. Fast and many; what it proves is about the harness only.
 */
import type { Backend, BackendVm, KnownImage, SimulatedBackendOptions } from '../backend.ts';
import { diskGuid, readDiskHead } from './disk-head.ts';
import { type BootMode, type GuestAnswers, type GuestBehaviour, HEALTHY, readGuestAnswers } from './guest-answers.ts';
import { SimulatedVm } from './simulated-vm.ts';

const NOTHING: GuestAnswers = { guests: [], disks: {}, counts: 'VMs' };
const DEFAULT_MODE: BootMode = 'freebsd-init+rc.d-shepherd';
const DEFAULT_CLOSURE = `/frx/store/${'0'.repeat(64)}-fruix-system-simulated`;

/** @throws Error where the file of answers is not as expected: before any VM is started. */
export function simulatedBackend(options: SimulatedBackendOptions): Backend {
  const { answersPath, authorizedKey, sshPort } = options;
  const roles = new Roles(answersPath === null ? NOTHING : readGuestAnswers(answersPath));
  const images = knownByGuid(options.images);
  options.log('Guests are simulated: no machine boots, and what is shown is about the harness only.');
  images.catch(() => undefined); // Whoever starts a VM is told.
  return {
    kind: 'simulated',
    accelerator: 'none',
    start: async (vm) => {
      const diskHead = await headOfFirstDisk(vm);
      const guid = diskHead === null ? null : diskGuid(diskHead);
      const behaviour = roles.of(vm.uuid, guid);
      const image = guid === null ? undefined : (await images).get(guid);
      const running = new SimulatedVm({
        vm,
        behaviour,
        diskHead,
        mode: behaviour.bootMode ?? image?.bootMode ?? DEFAULT_MODE,
        closure: behaviour.closure ?? image?.closure ?? DEFAULT_CLOSURE,
        authorizedKey,
        sshPort,
      });
      await running.powerOn();
      return running;
    },
  };
}

/** Which behaviour a VM has: decided when it is first started, and kept unless starts are counted. */
class Roles {
  readonly #answers: GuestAnswers;
  readonly #byVm = new Map<string, GuestBehaviour>();
  readonly #ofDisk = new Map<string, number>();
  #others = 0;
  constructor(answers: GuestAnswers) {
    this.#answers = answers;
  }
  of(uuid: string, guid: string | null): GuestBehaviour {
    const known = this.#byVm.get(uuid);
    if (known !== undefined && this.#answers.counts === 'VMs') return known;
    const role = this.#next(guid) ?? HEALTHY;
    this.#byVm.set(uuid, role);
    return role;
  }
  #next(guid: string | null): GuestBehaviour | undefined {
    const { disks, guests } = this.#answers;
    const own = guid !== null && Object.hasOwn(disks, guid) ? disks[guid] : undefined;
    if (guid === null || own === undefined) return guests[this.#others++] ?? guests.at(-1);
    const turn = this.#ofDisk.get(guid) ?? 0;
    this.#ofDisk.set(guid, turn + 1);
    return own[turn] ?? own.at(-1);
  }
}

async function headOfFirstDisk(vm: BackendVm): Promise<Buffer | null> {
  const [first] = [...vm.disks].sort((a, b) => Number(a.position) - Number(b.position));
  return first === undefined ? null : readDiskHead(first.path);
}

async function knownByGuid(images: readonly KnownImage[]): Promise<ReadonlyMap<string, KnownImage>> {
  const known = new Map<string, KnownImage>();
  for (const image of images) {
    const guid = diskGuid(await readDiskHead(image.path));
    if (guid === null) throw new Error(`simulated guests: expected a disk image with a GPT, given ${image.path}`);
    known.set(guid, image);
  }
  return known;
}
