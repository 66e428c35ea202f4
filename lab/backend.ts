/**
 * The contract between the lab's server and what really runs its VMs: QEMU (`qemu.ts`) or simulated
 * guests (`simulated/backend.ts`). The server keeps the books; a backend knows nothing of Xen Orchestra.
 */

export interface BackendDisk {
  /** Raw file, sparse; written in place unless `readOnly`. */
  readonly path: string;
  /** XO's position: a decimal number as a string; `0` is the first disk. */
  readonly position: string;
  readonly readOnly: boolean;
}

export interface BackendNic {
  /** Lower case. */
  readonly mac: string;
  /** 127.x.y.z of the slot table, whose port 2222 is to reach the guest's port 22; null: no slot, so no forward. */
  readonly address: string | null;
  /** The NIC is there and its cable is not: nothing the guest sends arrives anywhere, no byte reaches it. */
  readonly dead: boolean;
}

/** A VM as it is to be started. */
export interface BackendVm {
  /** Also the SMBIOS UUID that the guest sees. */
  readonly uuid: string;
  readonly name: string;
  readonly memoryBytes: number;
  readonly cpus: number;
  readonly firmware: 'bios' | 'uefi';
  /** XO's letters: `c` disk, `d` CD, `n` network; in order. */
  readonly bootOrder: string;
  readonly disks: readonly BackendDisk[];
  readonly nics: readonly BackendNic[];
  /** What a guest without PV drivers sees as its NICs; null: virtio, for want of Xen's own. */
  readonly nicType: 'e1000' | 'rtl8139' | null;
  /** Exists and belongs to this start alone; for sockets, serial and logs. Removed by the server afterwards. */
  readonly dir: string;
}

/** A VM that has been powered on. */
export interface RunningVm {
  /** Settles when the VM is off, for whatever reason: guest power-off, `stop`, death of the process. Never rejects. */
  readonly exited: Promise<{ readonly seen: string }>;
  /** Hard power-off; resolves when nothing of the VM runs any more. Harmless when it is off already. */
  stop(): Promise<void>;
  /** Hard reboot. */
  reset(): Promise<void>;
  /** Unix socket that speaks RFB with security None; null: this backend shows no screen. */
  readonly vncSocketPath: string | null;
  /** What the guest has written to its first serial port since it was started. */
  serialText(): Promise<string>;
}

export interface Backend {
  readonly kind: 'qemu' | 'simulated';
  /** `kvm`, `tcg` or `none`. */
  readonly accelerator: string;
  /** Resolves when the VM is powered on (not when its guest is up); rejects where it cannot be. */
  start(vm: BackendVm): Promise<RunningVm>;
}

/** What both backends are made with. */
export interface BackendOptions {
  /** Takes one line for people; goes to stderr. */
  readonly log: (line: string) => void;
  /** Port on a NIC's address that reaches the guest's SSH. */
  readonly sshPort: number;
}

/** An image whose guests are known: they boot in this mode and show this closure. */
export interface KnownImage {
  /** Raw file; recognised on a VM's disk by the GUID of its GPT. */
  readonly path: string;
  readonly bootMode: 'freebsd-init+rc.d-shepherd' | 'shepherd-pid1';
  readonly closure: string;
}

export interface SimulatedBackendOptions extends BackendOptions {
  /** Public key (OpenSSH, one line) that simulated guests accept. */
  readonly authorizedKey: string;
  /** File of `--guest-answers`; null: the backend's own healthy answers. */
  readonly answersPath: string | null;
  /** Guests of any other disk boot in `freebsd-init+rc.d-shepherd`, unless the answers say otherwise. */
  readonly images: readonly KnownImage[];
}
