/** What the harness must know of a lab to use it: the lab file's content, resolved. */
import type { AddressSource, GuestShape } from '../lab.ts';
import type { Secret } from '../workdir/secrets.ts';

export type Credential = { readonly token: Secret } | { readonly email: string; readonly password: Secret };

/** Is it the same user, with the same proof? */
export const sameCredential = (a: Credential, b: Credential): boolean =>
  'token' in a
    ? 'token' in b && a.token.equals(b.token)
    : 'email' in b && a.email === b.email && a.password.equals(b.password);

/** How much of TLS is believed; `false` and null: Node's own rules. */
export interface TlsSettings {
  /** True: any certificate is taken. For labs with a self-signed one where no CA can be had. */
  readonly insecure: boolean;
  /** CA certificates in PEM, instead of the system's. */
  readonly caPem: string | null;
  /** SHA-256 of the one certificate that is believed (64 hex digits, lower case), checked before any credential. */
  readonly fingerprint: string | null;
}

/** One VM and one VDI that the operator allots; nothing else of the pool is touched. */
export interface FixedSettings {
  /** Lower-case uuids. */
  readonly vm: string;
  readonly vdi: string;
  readonly leave: 'halted' | 'running';
  /** May the control image be written to the VDI? */
  readonly control: boolean;
  /** How long to wait for a run that holds the VM; 0: not at all. */
  readonly lockWaitMs: number;
  /** Make the image as large as the VDI, its backup GPT at the new end. */
  readonly pad: boolean;
}

/** Images kept in the pool as templates, see `cache/`. */
export interface CacheSettings {
  /** Name or uuid of the SR that entries are on, and so the disks that are cloned from them. */
  readonly sr: string;
  /** What all entries together may take of it. */
  readonly bytesMax: number;
  /** Disks in a copy-on-write chain at most. */
  readonly chainMax: number;
  /** How long an image that failed is not removed to make room; 0: not at all. */
  readonly keepFailedMs: number;
}

/** The pool is shared with other runs, see `ticket.ts`. */
export interface TicketSettings {
  /** Guests of ours at a time, whoever runs them. */
  readonly max: number;
  /** How long to wait for one's turn. */
  readonly waitMs: number;
}

/** A place on the network reserved for one guest: the MAC to give, the address it then has. */
export interface Slot {
  /** Lower case, colons. */
  readonly mac: string;
  readonly address: string;
}

export interface XoLabSettings {
  readonly name: string;
  readonly kind: 'embedded' | 'xo';
  /** `http(s)://` or `ws(s)://` host[:port]; a trailing slash is dropped. */
  readonly url: string;
  readonly credential: Credential;
  readonly tls: TlsSettings;
  /** Name, uuid or id; null: the pool's own "Other install media", else another default template. */
  readonly template: string | null;
  /** Name or uuid; null: the pool's default SR. */
  readonly sr: string | null;
  /** Name or uuid; null: the pool's only network, else its management network. */
  readonly network: string | null;
  /** Name or uuid; null: any that can run the guest. */
  readonly host: string | null;
  readonly shape: GuestShape;
  /** Null: guests are ephemeral, made and deleted by us. */
  readonly fixed: FixedSettings | null;
  /** Null: every run sends its image. */
  readonly cache: CacheSettings | null;
  /** Null: nobody counts how many guests are in the pool. */
  readonly tickets: TicketSettings | null;
  /** Empty: the pool makes the MAC, and the address must come from the guest's own report. */
  readonly slots: readonly Slot[];
  /** Asked beside guest metrics and slot. */
  readonly addressSources: readonly AddressSource[];
  readonly sshPort: number;
  /** Path that gives the serial text of a VM, `{id}` standing for its uuid; null: the lab has none. */
  readonly serialPath: string | null;
  /** At least twice the time by which XO's objects lag behind what was done, in ms. */
  readonly settleMs: number;
  /** How long after its creation a claimed object may be swept, in ms. */
  readonly claimTtlMs: number;
}

/** How the certificate is checked, in one word for the report. */
export function certificateCheck({
  url,
  tls,
}: Pick<XoLabSettings, 'url' | 'tls'>): 'plain' | 'ca' | 'fingerprint' | 'insecure' {
  if (!url.startsWith('https:')) return 'plain';
  if (tls.fingerprint !== null) return 'fingerprint';
  return tls.insecure ? 'insecure' : 'ca';
}
