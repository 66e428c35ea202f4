/** How to get into a guest, apart from where it is: who, with what proof, on which way. */
import type { Duplex } from 'node:stream';

/** A private key that was read and understood. */
export interface SshKey {
  readonly text: Buffer;
  /** Null: it is not encrypted. */
  readonly passphrase: string | null;
}

/** What is shown to sshd, the key first. At least one of them is there. */
export interface SshProof {
  readonly key: SshKey | null;
  /** Path of an agent's socket. */
  readonly agent: string | null;
}

export const BECOME = ['su', 'doas', 'sudo'] as const;
/** How a user gets root without a question. */
export type Become = (typeof BECOME)[number];

/** A way to a guest's sshd: straight, or through another host. */
export interface Route {
  /**
   * Opens a stream to it. An `Error` with a `code` (ECONNREFUSED …) where the guest is not reached; whoever asks
   * tries again.
   * @throws Fault JUMP_UNREACHABLE (retriable), JUMP_KEY_REFUSED, JUMP_HOST_KEY, JUMP_FORBIDS_FORWARD
   */
  connect(host: string, port: number, signal: AbortSignal): Promise<Duplex>;
}

export interface Login {
  readonly user: string;
  readonly proof: SshProof;
  readonly become: Become | null;
  readonly keepaliveMs: number;
  readonly route: Route;
}
