/**
 * The two interfaces that a run knows of the world: a Lab makes Guests, a Guest is a living VM.
 * `xcpng/` implements them; `run.ts` never sees Xen Orchestra.
 */
import type { Deadline } from './deadline.ts';
import type { Disposals } from './disposals.ts';
import type { Scratch } from './image/scratch.ts';
import type { Firmware, NicType, Placed, PlannedImage } from './model.ts';

/** Progress of something long; called often, cheap to ignore. Bytes. */
export type Progress = (doneBytes: number, totalBytes: number) => void;

/** What a Guest is to be made of. */
export interface GuestOrder {
  readonly runId: string;
  readonly caseId: string;
  /** `image`: what is validated. `control`: known to pass in this lab, asked when the image is silent. */
  readonly purpose: 'image' | 'control';
  readonly image: PlannedImage;
  /** Where the image is decompressed, if it is compressed and its bytes are needed. */
  readonly scratch: Scratch;
  /** Read the disk back and compare before boot. */
  readonly readBack: boolean;
  /** The same for a disk whose source in the lab was compared when it was made. */
  readonly readBackClone: boolean;
  readonly deadline: Deadline;
  /** Undo before do: every create call is preceded by a registration here. */
  readonly disposals: Disposals;
  readonly onUpload: Progress;
  /** Told one sentence of what a person would like to know. */
  readonly onNote: (line: string) => void;
  /** Told what is no reason to stop, but may become one: little room that is left, say. */
  readonly onWarning: (line: string) => void;
}

/** How the image came into the lab; goes into the evidence and the report. */
export interface ImportRecord {
  /** Name of the path taken, e.g. `rest-post-vdis`. */
  readonly path: string;
  readonly bytes: number;
  readonly ms: number;
  /** Bytes of the body over its time, in MiB/s: what the way in carried, not the size of the disk. */
  readonly mibPerS: number;
  /**
   * True only where the whole disk was read back and compared equal: this one, or the one of the cache entry that it
   * was cloned from, when that was made.
   */
  readonly readBack: boolean;
  /** `made`: sent, and kept for the next run. `miss`: sent, and the cache could not be used. */
  readonly cache: 'off' | 'hit' | 'made' | 'miss';
  /** Uuid of the cache entry that the disk was cloned from. */
  readonly entry: string | null;
}

/** Where the guest answers, and who said so. */
export interface Address {
  readonly host: string;
  readonly port: number;
  /** Winner of the chain, e.g. `slot`, `guest-metrics`. */
  readonly source: string;
  /** What the other sources said, `source=value`. */
  readonly others: readonly string[];
  /** False: nobody is sure of it, and somebody else may live there by now. */
  readonly sure: boolean;
}

/** An address as somebody knows it. */
export interface SaidAddress {
  readonly address: string;
  /** False: it may be of yesterday. It is tried where nobody knows better, and contradicts nobody. */
  readonly sure: boolean;
}

/** Something beside the lab itself that may know a guest's address by its MAC. */
export interface AddressSource {
  /** As it stands in `guest_ip_source`, e.g. `neighbour-table`. */
  readonly name: string;
  /**
   * Addresses that it knows now for any of these MACs (lower case); empty: none yet. Asked again while
   * nobody knows one, so it must be cheap or limit itself.
   * @throws Fault ADDRESS_SOURCE_FAILED where asking is impossible; the wait goes on with the others
   */
  find(macs: readonly string[], deadline: Deadline): Promise<readonly SaidAddress[]>;
}

/** A VM that is not running any more though nobody here asked for it. */
export interface GuestDeath {
  /**
   * `halted`: the VM is there and off. `vanished`: the VM is gone while its pool is there.
   * `lab-lost`: XO lost the pool or we lost XO.
   */
  readonly kind: 'halted' | 'vanished' | 'lab-lost';
  /** What XO showed last, one sentence. */
  readonly seen: string;
}

/** Powers the guest off from within, over a connection whose identity was verified. A lost connection is no error. */
export type PowerOff = () => Promise<void>;

/** What stopped a VM that stays. */
export type StoppedBy = 'not-running' | 'clean' | 'ssh' | 'force';

/** Text of the console. Absence is normal: most labs have no serial. */
export interface ConsoleText {
  readonly source: 'serial' | 'screen';
  readonly text: string;
}

/** A picture of a screen. */
export interface ScreenFrame {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Three bytes a pixel, rows from the top. */
  readonly rgb: Buffer;
}

/** The screen of a guest, opened at the first look and again after a reboot. */
export interface Screen {
  /**
   * `latest`: what is known, at once; the same object as before where nothing has changed. `fresh`: as it is now.
   * @throws Fault CONSOLE_CLOSED where it cannot be had now, and the interrupt
   */
  look(which: 'latest' | 'fresh', deadline: Deadline): Promise<ScreenFrame>;
  close(): void;
}

/** A VM made for one case, halted until `start`. */
export interface Guest {
  /** VM uuid in XO, lower case. */
  readonly uuid: string;
  readonly name: string;
  /** MACs of the VM's VIFs, lower case. */
  readonly macs: readonly string[];
  readonly imported: ImportRecord;
  /** True where the uploaded disk is the only disk of the VM, as listed after creation. */
  readonly onlyDisk: boolean;
  /** What was placed where; the host is known once it was started. */
  readonly placed: Placed;
  /** Powers on and waits until XO shows `Running`. */
  start(deadline: Deadline): Promise<void>;
  address(deadline: Deadline): Promise<Address>;
  /**
   * Asks everybody once more, now that the guest has answered at `used`: who knew nothing before may know it now.
   * @throws Fault ADDRESS_CONFLICT where they disagree
   */
  confirmAddress(used: Address, deadline: Deadline): Promise<Address>;
  /** Null while the VM runs, or nobody can tell for the moment; asked inside every wait for the guest. */
  death(): GuestDeath | null;
  /** Why XO cannot tell at the moment whether the VM runs (it lost its pool, we lost it); null: it can. */
  outOfSight(): string | null;
  /** What becomes of the VM after the run: ours is deleted, an operator's is left halted or running. */
  readonly afterwards: 'deleted' | 'halted' | 'running';
  /**
   * Stops a VM that is left halted, with the guest's own help where that is possible.
   * @param powerOff null: nobody was let into the guest
   */
  stop(deadline: Deadline, powerOff: PowerOff | null): Promise<StoppedBy>;
  /** Console as far as it has been written; undefined: this lab shows none. */
  console(): Promise<ConsoleText | undefined>;
  /** Its screen, not opened yet; whoever takes it closes it. */
  screen(): Screen;
}

/** A run that is known to have ended without its clean-up, and what its journal says that it made. */
export interface DeadRun {
  readonly runId: string;
  /** Uuids whose creation was answered. */
  readonly made: ReadonlySet<string>;
  /** Guest tag → the name that its VM and disk were to have. */
  readonly guests: ReadonlyMap<string, string>;
}

/** What a sweep did, one line each: `<type> <uuid> <name>: <why>`. */
export interface SweepLines {
  /** Gone, or (on a dry run) what would go. */
  readonly removed: readonly string[];
  /** Had to go and did not. */
  readonly stayed: readonly string[];
  /** Carries a tag of ours and is left: in use, or not ours beyond doubt. */
  readonly left: readonly string[];
}

/** A place among the guests of a pool. */
export interface Admission {
  /** Gives it back. @throws Fault of the lab; it expires by itself then */
  release(deadline: Deadline): Promise<void>;
}

/** Something that speaks Xen Orchestra's API, signed in. */
export interface Lab {
  readonly name: string;
  readonly xoVersion: string;
  readonly poolName: string;
  /** How often the connection to it was lost and made anew. */
  readonly reconnects: number;
  /** May the control image be booted here? An operator's disk is overwritten only as far as he allows it. */
  readonly takesControl: boolean;
  /** @throws Fault of the caller where this lab cannot take the image; to be asked before anything is provisioned */
  check(image: PlannedImage): void;
  /** Will `provision` read the image? False where the lab has it: then a compressed one is not decompressed first. */
  wantsBytes(image: PlannedImage): boolean;
  /**
   * Waits until there is room for a guest among those of other runs that share the pool.
   * @param waitMs at the longest, where the lab's own patience is not shorter
   * @param onWait told who is waited for
   * @returns null: nobody counts there
   * @throws Fault NO_FREE_TICKET, and the interrupt
   */
  admit(runId: string, waitMs: number, signal: AbortSignal, onWait: (who: string) => void): Promise<Admission | null>;
  /** Keeps what the lab has of an image that failed, for whoever looks. @throws Fault of the lab */
  keepFailed(runId: string, image: PlannedImage, deadline: Deadline): Promise<void>;
  /** Creates the VM with its disk; does not start it. */
  provision(order: GuestOrder): Promise<Guest>;
  /** Time of day by the lab's clock, in ms: what is written there is read by it. */
  timeOfDayMs(): number;
  /**
   * Lists what carries this run's claim and is not kept for a person: proof, after clean-up, that nothing stayed.
   * `<type> <uuid> <name>` each.
   */
  claimed(runId: string, deadline: Deadline): Promise<readonly string[]>;
  /** Removes what these runs left behind. @throws Fault of the lab, and the interrupt */
  sweepDead(dead: readonly DeadRun[], deadline: Deadline): Promise<SweepLines>;
  close(): Promise<void>;
}

/** Firmware and size of a guest; part of the lab's settings. */
export interface GuestShape {
  /** Null: the template's. */
  readonly firmware: Firmware | null;
  readonly memoryMiB: number;
  readonly cpus: number;
  /** Emulated NIC, for guests that have no driver for Xen's own; null: the template's. */
  readonly nic: NicType | null;
}
