/** What a lab file says, as types: the tables of the file, named as they are there. */
import type { BootMode, Firmware, GuestPaths, NicType } from '../model.ts';

/** What is said of guests, wherever they run. */
export interface GuestTables {
  readonly path: string;
  readonly name: string;
  readonly budgetScale: number;
  readonly ssh: SshTable;
  readonly paths: Partial<GuestPaths>;
}

/** A lab as its file and the caller describe it. Files are absolute paths. */
export interface LabFile extends GuestTables {
  /** `embedded` promises that the images of `reference` say nothing about anybody's image. */
  readonly kind: 'embedded' | 'xo';
  /** How long an object of ours may live before it counts as left over, in hours. Default 4. */
  readonly claimHours: number;
  /** How often a guest is booted; null: as the scenario says. */
  readonly boots: number | null;
  /** Guests of ours in the pool at a time, whoever runs them; null: nobody counts. */
  readonly maxGuests: number | null;
  /** Seconds that a run waits until it is its turn. Default four hours. */
  readonly ticketWaitS: number;
  /** How long a guest is kept where that is asked for, in hours. Default 2. */
  readonly keepHours: number;
  readonly xo: XoTable;
  readonly placement: PlacementTable;
  /** Null: guests are ephemeral, made and deleted by us. */
  readonly fixed: FixedTable | null;
  /** Null: every run sends its image. */
  readonly cache: CacheTable | null;
  readonly addresses: AddressesTable;
  readonly serialPath: string | null;
  readonly slots: readonly { readonly mac: string; readonly address: string }[];
  readonly control: Readonly<Partial<Record<BootMode, string>>>;
  readonly reference: Readonly<Partial<Record<BootMode, string>>>;
}

export interface XoTable {
  /** Unchecked; `config.checkUrl` does that. */
  readonly url: string;
  /** For messages: where the URL came from. */
  readonly urlFrom: string;
  readonly tokenFile: string | null;
  /** For sign-in by password; the password comes from `passwordFile` or BOOTWITNESS_XO_PASSWORD. */
  readonly email: string | null;
  readonly passwordFile: string | null;
  readonly insecure: boolean;
  readonly caFile: string | null;
  /** SHA-256 of XO's certificate, 64 hex digits in lower case, no colons. */
  readonly fingerprint: string | null;
}

export interface PlacementTable {
  readonly template: string | null;
  readonly sr: string | null;
  readonly network: string | null;
  readonly memoryMiB: number;
  readonly cpus: number;
  /** Null: the template's. */
  readonly firmware: Firmware | null;
  /** Null: the template's. */
  readonly nic: NicType | null;
  /** Null: any. */
  readonly host: string | null;
}

/** One VM and one VDI that the operator allots; nothing else of the pool is touched. */
export interface FixedTable {
  /** Lower-case uuids. */
  readonly vm: string;
  readonly vdi: string;
  /** How the VM is left. Default `halted`. */
  readonly leave: 'halted' | 'running';
  /** May the control image be written to the VDI? Default false. */
  readonly control: boolean;
  /** Seconds to wait for a run that holds the VM; 0 (default): say who holds it at once. */
  readonly lockWaitS: number;
  /** Make the image as large as the VDI, its backup GPT at the new end. Default false. */
  readonly pad: boolean;
}

/** Images kept in the lab as templates, so that the next run of the same one sends nothing. */
export interface CacheTable {
  /** SR on which entries are, and so the disks of guests. */
  readonly sr: string;
  /** What entries may take of it, in GiB. */
  readonly gib: number;
  /** Disks in a copy-on-write chain at most; an entry whose next clone would exceed it is made anew. */
  readonly chainMax: number;
  /** Days for which an image that failed is not removed to make room. Default 3; 0: it goes as any other. */
  readonly keepFailedDays: number;
}

export interface SshTable {
  readonly user: string;
  readonly port: number;
  readonly key: string | null;
  readonly passphraseFile: string | null;
  /** Path of an agent's socket, or `env` for the one that SSH_AUTH_SOCK names; null: no agent. */
  readonly agent: string | null;
  /** How a user other than root gets root without a question; null: it needs not. */
  readonly become: 'su' | 'doas' | 'sudo' | null;
  /** Seconds between keep-alives. Default 5. */
  readonly keepaliveS: number;
  readonly jump: JumpTable | null;
}

/** A host through which guests are reached. */
export interface JumpTable {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Null: the guest's key, or the agent. */
  readonly key: string | null;
  /** `SHA256:…` of its host key; null: any (and recorded). */
  readonly hostKey: string | null;
}

/** How addresses are found beside guest metrics and slots. */
export interface AddressesTable {
  /** Whose neighbour table is read; null: nobody's. */
  readonly neighbours: 'here' | 'jump' | null;
  /** IPv4 network in CIDR that is pinged to fill the table; null (default): never. At most a /20. */
  readonly stimulate: string | null;
  /** Pings per second. Default 50. */
  readonly stimulatePerS: number;
  /** Program and arguments; the MAC is appended. Prints the address, or nothing. */
  readonly command: readonly string[] | null;
}
