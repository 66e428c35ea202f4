/** The lab's link to Xen Orchestra: one live session, and a new one when the old was lost. */
import { type Deadline, retry } from '../deadline.ts';
import { openSession, type Session } from './session.ts';
import type { XoLabSettings } from './settings.ts';

const RETRIES = 4;
const RETRY_AFTER_MS = 500;

export class Connection {
  readonly #settings: XoLabSettings;
  #session: Session;
  #opening: Promise<Session> | null = null;

  private constructor(settings: XoLabSettings, session: Session) {
    this.#settings = settings;
    this.#session = session;
  }

  /** Opens the first session, once: an unreachable XO at the start is told at once. */
  static async open(settings: XoLabSettings, deadline: Deadline): Promise<Connection> {
    return new Connection(settings, await openXo(settings, deadline));
  }

  /** The session as it is, lost or not: for those who only look. */
  get latest(): Session {
    return this.#session;
  }

  /**
   * A session that is not known to be lost; opens a new one, with retries, if this one is.
   * @throws Fault as `openSession`
   */
  async session(deadline: Deadline): Promise<Session> {
    if (this.#session.lost === null) return this.#session;
    this.#opening ??= this.#reopen(deadline).finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }

  async #reopen(deadline: Deadline): Promise<Session> {
    const options = { retries: RETRIES, minTimeoutMs: RETRY_AFTER_MS, onRetry: () => undefined };
    await this.#session.close();
    this.#session = await retry(deadline, options, () => openXo(this.#settings, deadline));
    return this.#session;
  }

  async close(): Promise<void> {
    await this.#session.close();
  }
}

function openXo({ url, credential, tls }: XoLabSettings, deadline: Deadline): Promise<Session> {
  // Whoever uses the session sees the loss in `lost` and in its calls; nobody needs to be told besides.
  return openSession({ url, credential, tls, deadline, onLost: () => undefined });
}
