/** One signed-in connection to Xen Orchestra. The only importer of xo-lib. */
import xoLib, { type Notification, type Xo } from 'xo-lib';
import { byDeadline, Deadline } from '../deadline.ts';
import { Fault } from '../faults.ts';
import { Secret } from '../secrets.ts';
import { type ReachedEndpoint, reachEndpoint } from './endpoint.ts';
import { ObjectStore } from './objects.ts';
import type { Credential, TlsSettings } from './settings.ts';
import { faultOfReply, isXoError } from './xo-error.ts';

export interface SessionOptions {
  readonly url: string;
  readonly credential: Credential;
  readonly tls: TlsSettings;
  readonly deadline: Deadline;
  /** Told once, when the connection ends without our wish. */
  readonly onLost: (why: string) => void;
}

export interface Session {
  readonly endpoint: ReachedEndpoint;
  /** Serves for REST, too. */
  readonly token: Secret;
  readonly xoVersion: string;
  readonly objects: ObjectStore;
  /** Why the connection is gone; null: it is there. */
  readonly lost: string | null;
  /**
   * @throws Fault XO_CALL_TIMEOUT, XO_SESSION_LOST, or what `faultOfReply` makes of an error reply
   */
  call(method: string, params: Readonly<Record<string, unknown>>, deadline: Deadline): Promise<unknown>;
  close(): Promise<void>;
}

const CONNECT_MS = 30_000;
const CLOSE_MS = 2_000;
/** Neither side pings: without this a quiet pool looks like a dead one to a proxy, and a dead one like a quiet one. */
const KEEPALIVE_EVERY_MS = 60_000;
const KEEPALIVE_ANSWER_MS = 30_000;
/** After a refused sign-in XO refuses everything for that user for 2 s, with -32000. */
const SIGN_IN_PAUSE_MS = 2_500;
const UNNAMED = -32000;
const TOKEN_MS = 24 * 3600 * 1000;

/** A new Xo for each connection: one that was opened twice signs in again behind our back and hides its failure. */
function makeXo(endpoint: ReachedEndpoint): Xo {
  const { base, tls } = endpoint;
  // No credentials here: the constructor would sign in by itself and swallow a refusal.
  const xo = new xoLib.default({ url: base });
  // The only way to TLS options: xo-lib takes none, and hands this object to ws at open().
  if (base.startsWith('https:')) {
    const own = { ...(tls.insecure ? { rejectUnauthorized: false } : {}), ...(tls.caPem ? { ca: tls.caPem } : {}) };
    xo._opts = { ...xo._opts, ...own };
  }
  return xo;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

class XoSession implements Session {
  readonly endpoint: ReachedEndpoint;
  readonly objects = new ObjectStore();
  readonly #xo: Xo;
  readonly #onLost: (why: string) => void;
  #keepalive: NodeJS.Timeout | undefined;
  #closing = false;
  #lastError = '';
  #ownToken = false;
  lost: string | null = null;
  token = new Secret('');
  xoVersion = '';

  constructor(endpoint: ReachedEndpoint, onLost: (why: string) => void) {
    this.endpoint = endpoint;
    this.#onLost = onLost;
    this.#xo = makeXo(endpoint);
    // Without these listeners an error after the opening ends the process; `closed` follows it anyway.
    const remember = (error: unknown): void => {
      this.#lastError = messageOf(error);
    };
    this.#xo.on('error', remember);
    this.#xo._peer.on('error', remember);
    this.#xo.on('closed', () => this.#lose('the connection to Xen Orchestra closed'));
  }

  async open(credential: Credential, deadline: Deadline): Promise<void> {
    const { base } = this.endpoint;
    try {
      await byDeadline(deadline, 'XO_UNREACHABLE', `open ${base}/api/`, this.#xo.open());
    } catch (error) {
      if (error instanceof Fault) throw error;
      throw new Fault('XO_UNREACHABLE', `${base}/api/: ${messageOf(error)}`, { cause: error });
    }
    await this.#signIn(credential, deadline);
    await Promise.all([this.#learn(deadline), this.#takeToken(credential, deadline)]);
    this.#keepalive = setInterval(() => void this.#ping(), KEEPALIVE_EVERY_MS);
    this.#keepalive.unref();
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
        throw new Fault('XO_SIGN_IN_REFUSED', `sign in at ${this.endpoint.base}: ${messageOf(again)}`, {
          cause: again,
        });
      });
    }
  }

  /** Listen first, then ask for everything, then merge: no change falls between. */
  async #learn(deadline: Deadline): Promise<void> {
    this.#xo.on('notification', ({ method, params }: Notification) => {
      if (method === 'all') this.objects.notify(params);
    });
    const [version, all] = await Promise.all([
      this.call('system.getServerVersion', {}, deadline),
      this.call('xo.getAllObjects', {}, deadline),
    ]);
    this.xoVersion = String(version);
    this.objects.seed(all);
  }

  async #takeToken(credential: Credential, deadline: Deadline): Promise<void> {
    if ('token' in credential) {
      this.token = credential.token;
      return;
    }
    const made = await this.call('token.create', { description: 'bootwitness', expiresIn: TOKEN_MS }, deadline);
    this.token = new Secret(String(made));
    this.#ownToken = true;
  }

  async call(method: string, params: Readonly<Record<string, unknown>>, deadline: Deadline): Promise<unknown> {
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

  async #ping(): Promise<void> {
    try {
      const signal = new AbortController().signal;
      await this.call('system.getVersion', {}, Deadline.after(KEEPALIVE_ANSWER_MS, signal));
    } catch (error) {
      this.#lose(`Xen Orchestra does not answer any more: ${messageOf(error)}`);
      this.#xo._socket?.terminate();
    }
  }

  #lose(why: string): void {
    clearInterval(this.#keepalive);
    if (this.#closing || this.lost !== null) return;
    this.lost = this.#lastError === '' ? why : `${why} (${this.#lastError})`;
    this.objects.close(this.lost);
    this.#onLost(this.lost);
  }

  async close(): Promise<void> {
    if (this.#closing) return;
    const limit = Deadline.after(CLOSE_MS, new AbortController().signal);
    if (this.#ownToken && this.lost === null) {
      // It expires by itself in a day: a failure here leaves nothing that matters.
      await this.call('token.deleteOwn', { tokens: [this.token.reveal()] }, limit).catch(() => undefined);
    }
    this.#closing = true;
    this.#lose('');
    this.objects.close('the session was closed');
    const terminate = (): void => this.#xo._socket?.terminate();
    await byDeadline(limit, 'XO_CALL_TIMEOUT', 'close', this.#xo.close()).catch(terminate);
  }
}

/**
 * Connects, signs in, and follows the pool's objects.
 * @throws Fault BAD_URL, XO_UNREACHABLE, XO_SIGN_IN_REFUSED, XO_CALL_TIMEOUT, XO_SESSION_LOST, XO_OBJECT_MALFORMED
 */
export async function openSession(options: SessionOptions): Promise<Session> {
  const deadline = options.deadline.within(CONNECT_MS);
  const endpoint = await reachEndpoint(options.url, options.tls, deadline);
  const session = new XoSession(endpoint, options.onLost);
  try {
    await session.open(options.credential, deadline);
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}
