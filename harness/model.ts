/**
 * The words of the product as types: everything that flows from a Config to a Report.
 * No behaviour, and no imports but of types. All of it is readonly, and all of it survives JSON.
 */
import type { Budgets } from './budgets.ts';
import type { LintFinding } from './finding.ts';

/** What may be stored in evidence or a report. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** How Fruix can boot. The spelling is the seed's (`init-mode` of a system); the union is closed. */
export const BOOT_MODES = ['freebsd-init+rc.d-shepherd', 'shepherd-pid1'] as const;
export type BootMode = (typeof BOOT_MODES)[number];

/** Firmware the guest is started with. */
export type Firmware = 'bios' | 'uefi';

/** What XO calls `nicType`: what a guest sees that has no driver for Xen's own NICs. */
export const NIC_TYPES = ['rtl8139', 'e1000'] as const;
export type NicType = (typeof NIC_TYPES)[number];

export interface NamedObject {
  readonly uuid: string;
  readonly name: string;
}

/** What was placed where. */
export interface Placed {
  readonly pool: NamedObject;
  /** Where it really ran, by XO's objects after the start; null: it was not seen running. */
  readonly host: NamedObject | null;
  /** True where that host was ordered. */
  readonly hostOrdered: boolean;
  /** Null: an operator's VM. */
  readonly template: NamedObject | null;
  readonly sr: NamedObject | null;
  readonly network: NamedObject | null;
  readonly firmware: Firmware;
  /** Null for an operator's VM, and for the template's NIC. */
  readonly memoryMiB: number | null;
  readonly cpus: number | null;
  readonly nic: NicType | null;
}

/**
 * Where things are in a guest, and what they say. Of a list of paths, what the running Shepherd uses comes first.
 */
export interface GuestPaths {
  /** Prefixes that used to be recreated at boot; one that exists in any form is a shim. */
  readonly shimPrefixes: readonly string[];
  readonly store: string;
  readonly currentSystem: string;
  readonly readyMarker: string;
  /** Exact content of the ready marker, without its final newline. */
  readonly readyMarkerContent: string;
  readonly shepherdSocket: readonly string[];
  readonly shepherdPidFile: readonly string[];
  readonly herd: readonly string[];
  readonly guile: readonly string[];
  /** A file of `NAME=value` or `export NAME=value` lines: the store-backed Guile environment. */
  readonly guileEnvironment: readonly string[];
  /** What `(shepherd config)` must say: `NAME=VALUE` with the names of its own variables. */
  readonly shepherdConfig: readonly string[];
  /** Services that must run, and no others, where init is PID 1; and where Shepherd itself is. */
  readonly servicesUnderInit: readonly string[];
  readonly servicesAsPid1: readonly string[];
}

/** A Scenario says what must hold: a name, a boot mode, probes, budgets, paths. Pure data. */
export interface Scenario {
  /** Printed as `PASS <name>`; also the default label of the workdir. */
  readonly name: string;
  readonly summary: string;
  readonly bootMode: BootMode;
  readonly probes: readonly Probe[];
  readonly budgets: Budgets;
  /** How often the guest is booted, 1 to 9; all checks must hold after each. */
  readonly boots: number;
  /** Shell command that reboots the guest from within, the way its init wants to be asked. */
  readonly reboot: string;
  readonly paths: GuestPaths;
}

/** One command run in the guest, as it was seen. On disk before anybody judges it. */
export interface CommandRecord {
  /** Name of the probe or stage that asked for it. */
  readonly name: string;
  /** The whole text that was sent to `/bin/sh -s`. */
  readonly script: string;
  /** Exit status; null where none was received (killed, cut, timed out). */
  readonly exit: number | null;
  readonly signal: string | null;
  /** Decoded as UTF-8 with U+FFFD for what is not; cut at a named limit, see `truncated`. */
  readonly stdout: string;
  readonly stderr: string;
  readonly truncated: boolean;
  readonly timedOut: boolean;
  /** Why the channel ended without an exit status, else null. */
  readonly transport: string | null;
  readonly startedAtMs: number;
  readonly durationMs: number;
}

/**
 * What a probe saw: facts by key, or that it could not see and why. A fact that came twice, a
 * frame that was cut and a channel that timed out are all `unseen`.
 */
export type Observation =
  | { readonly state: 'seen'; readonly facts: Readonly<Record<string, string>> }
  | { readonly state: 'unseen'; readonly reason: string };

/** `unobserved` shows nothing about the image: it can make neither a PASS nor a FAIL. */
export type Outcome = 'held' | 'failed' | 'unobserved';

/** One judgement: what was expected, what was there. `actual` is filled also when it held. */
export interface Check {
  /** The metadata key where there is one (`compat_prefix_shims`), lower snake case. */
  readonly name: string;
  readonly expected: string;
  readonly actual: string;
  readonly outcome: Outcome;
  /** One sentence; why it did not hold or could not be seen. Empty when it held. */
  readonly reason: string;
}

/** A Check with the pointer to the evidence that it was judged from. */
export interface JudgedCheck extends Check {
  /** `evidence.ndjson#<sequence number>`. */
  readonly evidence: string;
}

/** What `expect` may know of the case besides the observation. */
export interface CaseFacts {
  readonly bootMode: BootMode;
  readonly paths: GuestPaths;
  /** The closure the image names (`--expect-closure` or its sidecar); null: nobody named one. */
  readonly expectedClosure: string | null;
}

/** How a probe reaches the guest. It can run a script, and nothing else. */
export interface ProbeGuest {
  readonly paths: GuestPaths;
  readonly bootMode: BootMode;
  /** Runs a POSIX script framed by `probes/frame.ts`; records it as evidence; never throws for what the guest does. */
  run(script: string): Promise<Observation>;
}

/** One observable fact. `observe` does I/O and has no opinion; `expect` the reverse. */
export interface Probe {
  /** File name of the probe, kebab-case. */
  readonly name: string;
  /**
   * `awaited`: looked at until it holds or the ready budget ends, before all others. `settled`: once,
   * after that. `twice`: first thing after connecting, and again at the end.
   */
  readonly look: 'awaited' | 'settled' | 'twice';
  /** The places of the guest that it looks at: what to correct where it finds nothing there. */
  readonly paths: readonly (keyof GuestPaths)[];
  /** What it makes run beyond the tools of a base system, one phrase each; empty: nothing of the guest's own. */
  readonly runs: readonly string[];
  observe(guest: ProbeGuest): Promise<Observation>;
  expect(observation: Observation, about: CaseFacts): readonly [Check, ...Check[]];
}

/**
 * Whose fault it is. `machine`: the one that runs the harness. `undetermined` is an answer: the evidence does not say.
 */
export type Party = 'image' | 'lab' | 'machine' | 'caller' | 'harness' | 'undetermined' | 'nobody';

/** A fault made serialisable: what `faults.ts` knows of its code, plus what happened here. */
export interface FaultRecord {
  readonly code: string;
  readonly party: Party;
  /** One sentence: what was being done, what was awaited, what was seen last. */
  readonly message: string;
  readonly remedy: string;
  /** The cause's own words, outermost first; empty where there is none. */
  readonly causes: readonly string[];
}

export type Status = 'PASS' | 'FAIL' | 'ERROR' | 'SKIP';

/** What a case means. Only `judge.ts` makes one. An empty PASS does not compile. */
export type Verdict =
  | { readonly status: 'PASS'; readonly checks: readonly [JudgedCheck, ...JudgedCheck[]] }
  | { readonly status: 'FAIL'; readonly checks: readonly JudgedCheck[]; readonly cause: FaultRecord }
  | { readonly status: 'ERROR'; readonly checks: readonly JudgedCheck[]; readonly cause: FaultRecord }
  | { readonly status: 'SKIP'; readonly checks: readonly []; readonly reason: string };

/** How an image file holds its disk. */
export type DiskFormat = 'raw' | 'vhd-fixed' | 'vhd-dynamic' | 'qcow2';
/** How it is compressed as a whole: gzip, xz, zstd. */
export type Compression = 'gz' | 'xz' | 'zst';
/** By content, never by name, e.g. `qcow2+zst`. */
export type ImageFormat = DiskFormat | `${DiskFormat}+${Compression}`;

/** The image of a case, planned: read once, nothing sent yet. */
export interface PlannedImage {
  readonly path: string;
  readonly format: ImageFormat;
  /** Bytes of the virtual disk. */
  readonly sizeBytes: number;
  /** SHA-256 of the virtual disk, whatever holds it; lower-case hex. */
  readonly sha256: string;
  /** Size, modification and change time of the file when it was read: sent only while it is still so. */
  readonly fileState: string;
  /** Indices of the 2 MiB blocks that hold anything but zeros, ascending. */
  readonly blocks: readonly number[];
  /** What the image says of itself, found again on the guest's disk; null: no partition table. */
  readonly identity: ImageIdentity | null;
  /** Firmware that finds something to start on it; empty: none does. */
  readonly startsBy: readonly Firmware[];
  /** From the sidecar `<image>.bootwitness.json`; null where there is none. */
  readonly sidecar: ImageSidecar | null;
}

/** Facts of the image file that nobody writes to while it runs. GUIDs in lower-case text form. */
export interface ImageIdentity {
  readonly diskGuid: string;
  readonly partitionGuids: readonly string[];
}

/** What the builder of an image may declare beside it. Every field is optional in the file. */
export interface ImageSidecar {
  readonly closure: string | null;
  readonly bootMode: BootMode | null;
}

/** Case = scenario × image × lab, with one workdir. */
export interface Case {
  /** Unique in the run; names the VM, its tags, the log lines and the report. */
  readonly id: string;
  readonly runId: string;
  readonly scenario: Scenario;
  readonly image: PlannedImage;
  readonly workdir: string;
  readonly facts: CaseFacts;
  /** What the image looked like before it was sent; changes no verdict. */
  readonly lint: readonly LintFinding[];
}
