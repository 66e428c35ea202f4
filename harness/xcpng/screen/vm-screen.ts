/** The screen of a VM as Xen Orchestra shows it. The connection ends with every reboot: each look opens it anew. */
import type { Deadline } from '../../deadline.ts';
import type { Screen, ScreenFrame } from '../../lab.ts';
import { ConsoleSocket } from '../console-socket.ts';
import type { Session } from '../session.ts';
import { RfbClient } from './rfb-client.ts';

export class VmScreen implements Screen {
  readonly #session: Session;
  readonly #vmUuid: string;
  #client: RfbClient | null = null;
  #closed = false;

  constructor(session: Session, vmUuid: string) {
    this.#session = session;
    this.#vmUuid = vmUuid;
  }

  /** @throws Fault CONSOLE_CLOSED, XO_CERTIFICATE_UNTRUSTED, XO_CERTIFICATE_CHANGED, and the interrupt */
  async look(which: 'latest' | 'fresh', deadline: Deadline): Promise<ScreenFrame> {
    const client = this.#client ?? (await this.#open(deadline));
    try {
      return await (which === 'latest' ? client.look(deadline) : client.fresh(deadline));
    } catch (error) {
      client.close();
      if (this.#client === client) this.#client = null;
      throw error;
    }
  }

  close(): void {
    this.#closed = true;
    this.#client?.close();
    this.#client = null;
  }

  async #open(deadline: Deadline): Promise<RfbClient> {
    const socket = await ConsoleSocket.open(this.#session, this.#vmUuid, deadline);
    const client = await RfbClient.open(socket, deadline);
    // Two looks at once, or one that outlived the screen: one connection is enough.
    if (this.#closed || this.#client !== null) {
      client.close();
      return this.#client ?? client;
    }
    this.#client = client;
    return client;
  }
}
