/**
 * A host through which guests are reached, since whoever runs this is often not on their network. One connection for
 * the whole run, made anew when it is lost; each guest gets a channel of it.
 */
import type { Duplex } from 'node:stream';
import type { Deadline } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import type { CommandRecord } from '../model.ts';
import { type Attempt, attemptSsh } from './attempt.ts';
import type { Route, SshProof } from './login.ts';
import { DIRECT } from './route.ts';
import type { SshSession } from './session.ts';

export interface JumpTarget {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly proof: SshProof;
  /** `SHA256:…`; null: any is taken, and recorded. */
  readonly hostKey: string | null;
  readonly keepaliveMs: number;
}

const CONNECT_MS = 15_000;
/** RFC 4254, 5.1. */
const ADMINISTRATIVELY_PROHIBITED = 1;

export class JumpHost implements Route {
  readonly #target: JumpTarget;
  readonly #ended = new AbortController();
  #session: Promise<SshSession> | null = null;
  /** `SHA256:…`; null: not connected yet. */
  hostKey: string | null = null;

  constructor(target: JumpTarget) {
    this.#target = target;
  }

  get name(): string {
    return `${this.#target.host}:${this.#target.port}`;
  }

  /** @throws Fault JUMP_UNREACHABLE (retriable), JUMP_KEY_REFUSED, JUMP_HOST_KEY */
  async open(): Promise<void> {
    await this.#connected();
  }

  async #connected(): Promise<SshSession> {
    const before = await this.#session?.catch(() => null);
    if (before && before.lost() === null) return before;
    this.#session = this.#connect();
    return this.#session;
  }

  async #connect(): Promise<SshSession> {
    const attempt = await attemptSsh({
      ...this.#target,
      ...{ become: null, route: DIRECT, signal: this.#ended.signal },
      expectHostKey: this.#target.hostKey,
      ...{ bannerWaitMs: CONNECT_MS, handshakeWaitMs: CONNECT_MS },
    });
    const session = this.#accepted(attempt);
    this.hostKey = session.hostKey;
    return session;
  }

  #accepted(attempt: Attempt): SshSession {
    const what = `jump host ${this.name}`;
    switch (attempt.state) {
      case 'ready':
        return attempt.session;
      case 'refused-key':
        throw new Fault('JUMP_KEY_REFUSED', `${what}: ${attempt.seen}`);
      case 'wrong-host-key':
        throw new Fault('JUMP_HOST_KEY', `${what}: ${attempt.seen}`);
      case 'no-agreement':
      case 'not-yet':
        throw new Fault('JUMP_UNREACHABLE', `${what}: ${attempt.seen}`);
    }
  }

  async connect(host: string, port: number, signal: AbortSignal): Promise<Duplex> {
    const session = await this.#connected();
    try {
      return await session.forward(host, port, signal);
    } catch (error) {
      if (session.lost() !== null) {
        throw new Fault('JUMP_UNREACHABLE', `jump host ${this.name}: ${session.lost()}`, { cause: error });
      }
      if (error instanceof Error && 'reason' in error && error.reason === ADMINISTRATIVELY_PROHIBITED) {
        const why = `jump host ${this.name} does not forward to ${host}:${port}: ${error.message}`;
        throw new Fault('JUMP_FORBIDS_FORWARD', why, { cause: error });
      }
      throw error;
    }
  }

  /** Runs a script there. @throws Fault as `open` */
  async run(name: string, script: string, deadline: Deadline): Promise<CommandRecord> {
    const session = await this.#connected();
    return session.run(name, script, deadline.remainingMs(), deadline.signal);
  }

  async close(): Promise<void> {
    this.#ended.abort();
    const session = await this.#session?.catch(() => null);
    session?.close();
  }
}
