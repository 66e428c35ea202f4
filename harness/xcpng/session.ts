/**
 * A session with Xen Orchestra that lasts: it survives a dropped socket and a restart of Xen Orchestra. Its objects
 * stay known in between, calls wait for the way back, and what cannot be repeated safely says so.
 */
import { randomUUID } from 'node:crypto';
import { byDeadline, type Clock, Deadline } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import { Secret } from '../workdir/secrets.ts';
import { type ReachedEndpoint, reachEndpoint } from './endpoint.ts';
import { isRefusedUnnamed, Link, NOBODY, type Params, refusedNow, type XoUser } from './link.ts';
import { ObjectStore } from './objects.ts';
import type { Credential, TlsSettings } from './settings.ts';
import { isNoSuchObject } from './xo-error.ts';

export interface SessionOptions {
  readonly url: string;
  readonly credential: Credential;
  readonly tls: TlsSettings;
  readonly deadline: Deadline;
  /** Told of each drop and each way back, for the log. */
  readonly onChange?: (what: string) => void;
}

export interface Session {
  readonly endpoint: ReachedEndpoint;
  /** Serves for REST, too. */
  readonly token: Secret;
  readonly xoVersion: string;
  readonly user: XoUser;
  /** Stays the same over reconnects; while there is no connection it shows what was known last. */
  readonly objects: ObjectStore;
  /** Why the session has ended for good; null: it lives, or is on its way back. */
  readonly lost: string | null;
  /** How often the connection was lost and made anew. */
  readonly reconnects: number;
  /**
   * Waits for the connection where there is none. A call whose answer was lost is sent again where that is safe.
   * @throws Fault XO_CALL_TIMEOUT, XO_SESSION_LOST (the call may have been carried out), XO_TOKEN_EXPIRED, or what
   *   `faultOfReply` makes of an error reply
   */
  call(method: string, params: Params, deadline: Deadline): Promise<unknown>;
  close(): Promise<void>;
}

const CONNECT_MS = 30_000;
const CLOSE_MS = 2_000;
const OPEN_TRIES_MAX = 3;
const TOKEN_MS = 24 * 3600 * 1000;
/** How long the way back is tried: an appliance that is updated restarts within a minute or two. */
const RECONNECT_MS = 5 * 60_000;
const RECONNECT_PAUSE_MS = 250;
const RECONNECT_PAUSE_MS_MAX = 5_000;

/** Carried out twice, these do no more than once; where the second finds nothing to do, its caller knows that error. */
const REPEATABLE: ReadonlySet<string> = new Set([
  ...['system.getServerVersion', 'system.getVersion', 'xo.getAllObjects', 'tag.add', 'tag.remove', 'vdi.set'],
  ...['vm.setBootOrder', 'vm.stop', 'vm.delete', 'vdi.delete', 'token.create', 'token.deleteOwn'],
]);

class LastingSession implements Session {
  readonly endpoint: ReachedEndpoint;
  readonly objects = new ObjectStore();
  readonly #credential: Credential;
  readonly #onChange: (what: string) => void;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  #link: Link | null = null;
  #wayBack: Promise<void> = Promise.resolve();
  #end: Fault | null = null;
  #ownToken = false;
  token = new Secret('');
  xoVersion = '';
  user = NOBODY;
  reconnects = 0;

  constructor(endpoint: ReachedEndpoint, { credential, deadline, onChange }: SessionOptions) {
    this.endpoint = endpoint;
    this.#credential = credential;
    this.#clock = deadline.clock;
    this.#onChange = onChange ?? (() => undefined);
  }

  get lost(): string | null {
    return this.#end?.message ?? null;
  }

  async open(deadline: Deadline): Promise<void> {
    await this.#connectFirst(deadline);
    if ('token' in this.#credential) {
      this.token = this.#credential.token;
      return;
    }
    // Asked twice with the same client, XO gives the same token.
    const client = { id: `bootwitness-${randomUUID()}` };
    const made = await this.call('token.create', { description: 'bootwitness', expiresIn: TOKEN_MS, client }, deadline);
    this.token = new Secret(String(made));
    this.#ownToken = true;
  }

  /** An XO that is not there is told at once; one that was there, and whose socket ended, is tried again. */
  async #connectFirst(deadline: Deadline): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#connect(deadline);
      } catch (error) {
        const cut = error instanceof Fault && error.code === 'XO_SESSION_LOST';
        if (!cut || tries === OPEN_TRIES_MAX) throw error;
        this.#onChange(`lost: ${error.message}`);
        await this.#clock.sleep(RECONNECT_PAUSE_MS, deadline.signal);
        deadline.check();
        this.reconnects++;
      }
    }
  }

  /** Listen first, then ask for everything, then merge: no change falls between. */
  async #connect(deadline: Deadline): Promise<void> {
    this.objects.expectListing();
    const link = await Link.open(
      this.endpoint,
      this.#credential,
      {
        onNotification: (params) => this.objects.notify(params),
        onLost: (why) => this.#onLost(why),
      },
      deadline,
    );
    try {
      const [version, all] = await Promise.all([
        link.call('system.getServerVersion', {}, deadline),
        link.call('xo.getAllObjects', {}, deadline),
      ]);
      this.objects.seed(all);
      this.xoVersion = String(version);
      this.user = link.user;
      this.#link = link;
      if (link.lost !== null) throw new Fault('XO_SESSION_LOST', link.lost);
    } catch (error) {
      this.#link = null;
      await link.close();
      throw error;
    }
  }

  #onLost(why: string): void {
    if (this.#link === null || this.#closing.signal.aborted) return; // not connected yet: whoever connects is told
    this.#link = null;
    this.#onChange(`lost: ${why}`);
    this.#wayBack = this.#comeBack(why);
  }

  async #comeBack(why: string): Promise<void> {
    const limit = Deadline.after(RECONNECT_MS, this.#closing.signal, this.#clock);
    let last = why;
    for (let pauseMs = RECONNECT_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, RECONNECT_PAUSE_MS_MAX)) {
      await this.#clock.sleep(pauseMs, limit.signal);
      if (this.#closing.signal.aborted) return;
      try {
        await this.#connect(limit.within(CONNECT_MS));
        this.reconnects++;
        this.#onChange(`connected again (${this.reconnects})`);
        return;
      } catch (error) {
        if (this.#closing.signal.aborted) return;
        const heals = error instanceof Fault && (error.retriable || isRefusedUnnamed(error));
        if (!heals) return this.#give(refusedNow(error, this.#credential));
        last = error.message;
      }
      if (limit.expired()) {
        return this.#give(new Fault('XO_SESSION_LOST', `${why}; no way back in ${RECONNECT_MS / 1000} s: ${last}`));
      }
    }
  }

  #give(fault: Fault): void {
    this.#end = fault;
    this.#onChange(`given up: ${fault.message}`);
    this.objects.close(fault);
  }

  /** The connection, once there is one. */
  async #live(method: string, deadline: Deadline): Promise<Link> {
    for (;;) {
      if (this.#closing.signal.aborted) throw new Fault('XO_SESSION_LOST', `${method}: the session was closed`);
      if (this.#end !== null) throw new Fault(this.#end.code, `${method}: ${this.#end.message}`, { cause: this.#end });
      if (this.#link !== null && this.#link.lost === null) return this.#link;
      await byDeadline(deadline, 'XO_SESSION_LOST', `${method}: the way back to Xen Orchestra`, this.#wayBack);
      // The loss of a connection may be known here a moment before it is told.
      if (this.#link === null && this.#end === null) await this.#clock.sleep(1, deadline.signal);
    }
  }

  async call(method: string, params: Params, deadline: Deadline): Promise<unknown> {
    for (;;) {
      const link = await this.#live(method, deadline);
      try {
        return await link.call(method, params, deadline);
      } catch (error) {
        if (isNoSuchObject(error)) {
          if (!(await this.objects.poolCameBack(deadline))) throw error;
        } else if (link.lost === null || !(error instanceof Fault && error.code === 'XO_SESSION_LOST')) {
          throw error;
        } else if (!REPEATABLE.has(method)) {
          const message = `${error.message}; it may have been carried out or not`;
          throw new Fault('XO_SESSION_LOST', message, { cause: error });
        }
      }
    }
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    if (this.#ownToken && this.#link !== null) {
      const limit = Deadline.after(CLOSE_MS, new AbortController().signal);
      // It expires by itself in a day: a failure here leaves nothing that matters.
      await this.call('token.deleteOwn', { tokens: [this.token.reveal()] }, limit).catch(() => undefined);
    }
    this.#closing.abort();
    this.objects.close(new Fault('XO_SESSION_LOST', 'the session was closed'));
    await this.#link?.close();
    await this.#wayBack;
  }
}

/**
 * Connects, signs in, and follows the pool's objects. An XO that cannot be reached at the start is told at once.
 * @throws Fault BAD_URL, XO_UNREACHABLE, XO_CERTIFICATE_UNTRUSTED, XO_CERTIFICATE_CHANGED, XO_SIGN_IN_REFUSED,
 *   XO_CALL_TIMEOUT, XO_SESSION_LOST, XO_OBJECT_MALFORMED
 */
export async function openSession(options: SessionOptions): Promise<Session> {
  const deadline = options.deadline.within(CONNECT_MS);
  const endpoint = await reachEndpoint(options.url, options.tls, deadline);
  const session = new LastingSession(endpoint, options);
  try {
    await session.open(deadline);
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}
