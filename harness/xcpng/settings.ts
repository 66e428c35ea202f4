/** What the harness must know of a lab to use it: the lab file's content, resolved. */
import type { GuestShape } from '../lab.ts';
import type { Secret } from '../secrets.ts';

export type Credential = { readonly token: Secret } | { readonly email: string; readonly password: Secret };

/** How much of TLS is believed; `false` and null: Node's own rules. */
export interface TlsSettings {
  /** True: any certificate is taken. For labs with a self-signed one where no CA can be had. */
  readonly insecure: boolean;
  /** CA certificates in PEM, instead of the system's. */
  readonly caPem: string | null;
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
  /** Name, uuid or id; null: the template "Other install media". */
  readonly template: string | null;
  /** Name or uuid; null: the pool's default SR. */
  readonly sr: string | null;
  /** Name or uuid; null: the pool's only network, else its management network. */
  readonly network: string | null;
  readonly shape: GuestShape;
  /** Empty: the pool makes the MAC, and the address must come from the guest's own report. */
  readonly slots: readonly Slot[];
  readonly sshPort: number;
  /** Path that gives the serial text of a VM, `{id}` standing for its uuid; null: the lab has none. */
  readonly serialPath: string | null;
  /** How long after its creation a claimed object may be swept, in ms. */
  readonly claimTtlMs: number;
}
