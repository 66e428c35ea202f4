/** One signed-in connection to Xen Orchestra, until it ends. The only importer of xo-lib. */
import xoLib, { type Notification, type Xo } from 'xo-lib';
import { byDeadline, type Clock, Deadline } from '../deadline.ts';
import { exhausted, Fault } from '../faults/faults.ts';
import type { ReachedEndpoint } from './endpoint.ts';
import type { Credential } from './settings.ts';
import { connectionMaker } from './tls.ts';
import { faultOfReply, isXoError } from './xo-error.ts';

export interface LinkEvents {
  /** Params of a notification `all`. */
  readonly onNotification: (params: unknown) => void;
  /** Told once, when the connection ends without our wish. */
  readonly onLost: (why: string) => void;
}

/** A user of Xen Orchestra: `admin` may all, anything else what its ACLs give. */
export interface XoUser {
  readonly email: string;
  readonly permission: string;
}

export const NOBODY: XoUser = { email: 'unknown', permission: 'unknown' };

export type Params = Readonly<Record<string, unknown>>;

const CLOSE_MS = 2_000;
/** Neither side pings: without this a quiet pool looks like a dead one to a proxy, and a dead one like a quiet one. */
const KEEPALIVE_EVERY_MS = 60_000;
const KEEPALIVE_ANSWER_MS = 30_000;
/** After a refused sign-in XO refuses everything for that user for 2 s, with -32000. */
const SIGN_IN_PAUSE_MS = 2_500;
const UNNAMED = -32000;

/** A new Xo for each connection: one that was opened twice signs in again behind our back and hides its failure. */
function makeXo({ base, tls }: ReachedEndpoint): Xo {
  // No credentials here: the constructor would sign in by itself and swallow a refusal.
  const xo = new xoLib.default({ url: base });
  // The only way to options of ws: xo-lib takes none, and hands this object to ws at open().
  xo._opts = { ...xo._opts, createConnection: connectionMaker(base.startsWith('https:'), tls) };
  return xo;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A credential that was good and is no more: the token was revoked, or it expired. */
export function refusedNow(error: unknown, credential: Credential): Fault {
  if (!(error instanceof Fault)) return new Fault('XO_SESSION_LOST', String(error), { cause: error });
  if (error.code !== 'XO_SIGN_IN_REFUSED') return error;
  const what = 'token' in credential ? 'the token' : 'the password';
  const message = `${what} that was good is refused after a reconnect: it expired or was revoked`;
  return new Fault('XO_TOKEN_EXPIRED', `${message} (${error.message})`, { cause: error });
}

/**
 * Was the sign-in refused without a word of why? A token that has ended is `invalid credentials`; this is also what
 * Xen Orchestra says of whatever it has no code for, as when its data base is not up yet after a restart.
 */
export const isRefusedUnnamed = (error: unknown): boolean =>
  error instanceof Fault && error.code === 'XO_SIGN_IN_REFUSED' && isXoError(error.cause, UNNAMED);

export class Link {
  readonly #endpoint: ReachedEndpoint;
  readonly #xo: Xo;
  readonly #events: LinkEvents;
  readonly #ended = new AbortController();
  #closing = false;
  #lastError: unknown = null;
  /** Why the connection is gone; null: it is there. */
  lost: string | null = null;

  private constructor(endpoint: ReachedEndpoint, events: LinkEvents) {
    this.#endpoint = endpoint;
    this.#events = events;
    this.#xo = makeXo(endpoint);
    // Without these listeners an error after the opening ends the process; `closed` follows it anyway.
    const remember = (error: unknown): void => {
      this.#lastError = error;
    };
    this.#xo.on('error', remember);
    this.#xo._peer.on('error', remember);
    this.#xo.on('closed', () => this.#lose('the connection to Xen Orchestra closed'));
    this.#xo.on('notification', ({ method, params }: Notification) => {
      if (method === 'all') events.onNotification(params);
    });
  }

  /**
   * Connects and signs in.
   * @throws Fault XO_UNREACHABLE, XO_CERTIFICATE_UNTRUSTED, XO_CERTIFICATE_CHANGED, XO_SIGN_IN_REFUSED,
   *   XO_CALL_TIMEOUT, XO_SESSION_LOST
   */
  static async open(
    endpoint: ReachedEndpoint,
    credential: Credential,
    events: LinkEvents,
    deadline: Deadline,
  ): Promise<Link> {
    const link = new Link(endpoint, events);
    try {
      await link.#connect(deadline);
      await link.#signIn(credential, deadline);
    } catch (error) {
      await link.close();
      throw error;
    }
    void link.#keepAlive(deadline.clock);
    return link;
  }

  async #connect(deadline: Deadline): Promise<void> {
    const { base } = this.#endpoint;
    try {
      await byDeadline(deadline, 'XO_UNREACHABLE', `open ${base}/api/`, this.#xo.open());
    } catch (error) {
      if (error instanceof Fault) throw error;
      // xo-lib wraps what ws told and keeps only its text; the error itself came as an event.
      if (this.#lastError instanceof Fault) throw this.#lastError;
      const dry = exhausted(this.#lastError, `${base}/api/`);
      if (dry !== null) throw dry;
      throw new Fault('XO_UNREACHABLE', `${base}/api/: ${messageOf(error)}`, { cause: error });
    }
  }

  async #signIn(credential: Credential, deadline: Deadline): Promise<void> {
    const shown =
      'token' in credential
        ? { token: credential.token.reveal() }
        : { email: credential.email, password: credential.password.reveal() };
    const attempt = (): Promise<unknown> => this.#settle('session.signIn', this.#xo.signIn(shown), deadline);
    try {
      await attempt();
    } catch (error) {
      if (!isXoError(error, UNNAMED)) throw error;
      await deadline.clock.sleep(SIGN_IN_PAUSE_MS, deadline.signal);
      await attempt().catch((again: unknown) => {
        if (!isXoError(again, UNNAMED)) throw again;
        throw new Fault('XO_SIGN_IN_REFUSED', `sign in at ${this.#endpoint.base}: ${messageOf(again)}`, {
          cause: again,
        });
      });
    }
  }

  /** Who is signed in. */
  get user(): XoUser {
    const user: unknown = this.#xo.user;
    if (typeof user !== 'object' || user === null) return NOBODY;
    const { email, permission } = user as { readonly email?: unknown; readonly permission?: unknown };
    return { email: String(email ?? 'unknown'), permission: String(permission ?? 'unknown') };
  }

  /** @throws Fault XO_CALL_TIMEOUT, XO_SESSION_LOST, or what `faultOfReply` makes of an error reply */
  async call(method: string, params: Params, deadline: Deadline): Promise<unknown> {
    if (this.lost !== null) throw new Fault('XO_SESSION_LOST', `${method}: ${this.lost}`);
    return this.#settle(method, this.#xo.call(method, params), deadline);
  }

  async #settle(method: string, work: Promise<unknown>, deadline: Deadline): Promise<unknown> {
    try {
      return await byDeadline(deadline, 'XO_CALL_TIMEOUT', method, work);
    } catch (error) {
      if (error instanceof Fault) throw error;
      deadline.check();
      throw faultOfReply(method, error) ?? this.#broken(method, error);
    }
  }

  /** xo-lib's own errors carry no code: the connection is gone, or was never there. */
  #broken(method: string, error: unknown): Fault {
    const why = this.lost ?? messageOf(error);
    return new Fault('XO_SESSION_LOST', `${method}: no answer, ${why}`, { cause: error });
  }

  async #keepAlive(clock: Clock): Promise<void> {
    const { signal } = this.#ended;
    for (;;) {
      await clock.sleep(KEEPALIVE_EVERY_MS, signal);
      if (signal.aborted) return;
      try {
        await this.call('system.getVersion', {}, Deadline.after(KEEPALIVE_ANSWER_MS, signal, clock));
      } catch (error) {
        if (signal.aborted) return;
        this.#lose(`Xen Orchestra does not answer any more: ${messageOf(error)}`);
        this.#xo._socket?.terminate();
      }
    }
  }

  #lose(why: string): void {
    this.#ended.abort();
    if (this.#closing || this.lost !== null) return;
    this.lost = this.#lastError === null ? why : `${why} (${messageOf(this.#lastError)})`;
    this.#events.onLost(this.lost);
  }

  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    this.#lose('');
    const limit = Deadline.after(CLOSE_MS, new AbortController().signal);
    const terminate = (): void => this.#xo._socket?.terminate();
    await byDeadline(limit, 'XO_CALL_TIMEOUT', 'close', this.#xo.close()).catch(terminate);
  }
}
