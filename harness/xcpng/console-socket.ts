/**
 * The console of a VM as a stream of bytes: binary messages of a WebSocket. Xen Orchestra refuses by closing the socket
 * without an answer, and ends it when the VM's domain ends.
 */
import { WebSocket } from 'ws';
import { byDeadline, type Deadline } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import type { Session } from './session.ts';
import { connectionMaker } from './tls.ts';

/** More than a whole screen of 1920 × 1200 at 4 bytes a pixel that nobody has read yet. */
const UNREAD_BYTES_MAX = 16 * 1024 * 1024;

export class ConsoleSocket {
  readonly #socket: WebSocket;
  readonly #what: string;
  #unread: Buffer[] = [];
  #unreadBytes = 0;
  #ended: string | null = null;
  #wake: () => void = () => undefined;

  private constructor(socket: WebSocket, what: string) {
    this.#socket = socket;
    this.#what = what;
    socket.on('message', (data: Buffer) => this.#take(data));
    socket.on('error', (error) => this.#end(error.message));
    socket.on('close', () => this.#end('it was closed'));
  }

  /**
   * The cookie is `token`; that of REST does not do (xo-contract §7).
   * @throws Fault CONSOLE_CLOSED (no such VM, halted, no right, no graphical console: Xen Orchestra tells none of them
   *   apart), XO_CERTIFICATE_UNTRUSTED, XO_CERTIFICATE_CHANGED, and the interrupt
   */
  static async open({ endpoint, token }: Session, vmUuid: string, deadline: Deadline): Promise<ConsoleSocket> {
    const { base, tls } = endpoint;
    const url = `${base.replace(/^http/, 'ws')}/api/consoles/${vmUuid}`;
    const what = `console of VM ${vmUuid}`;
    const socket = new WebSocket(url, 'binary', {
      headers: { cookie: `token=${token.reveal()}` },
      createConnection: connectionMaker(base.startsWith('https:'), tls) as never,
      perMessageDeflate: false,
      maxPayload: UNREAD_BYTES_MAX,
    });
    // It listens from the start: what comes with the answer to the upgrade is told before an `await` goes on.
    const console = new ConsoleSocket(socket, what);
    const opened = new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    try {
      await byDeadline(deadline, 'CONSOLE_CLOSED', what, opened);
    } catch (error) {
      socket.terminate();
      if (error instanceof Fault) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new Fault('CONSOLE_CLOSED', `${what}: Xen Orchestra closed it (${why})`, { cause: error });
    }
    return console;
  }

  #take(data: Buffer): void {
    this.#unread.push(data);
    this.#unreadBytes += data.length;
    if (this.#unreadBytes > UNREAD_BYTES_MAX) this.#socket.terminate();
    this.#wake();
  }

  #end(why: string): void {
    this.#ended ??= why;
    this.#wake();
  }

  /** Exactly so many bytes. @throws Fault CONSOLE_CLOSED when it ends before, or not in time, and the interrupt */
  async read(bytes: number, deadline: Deadline): Promise<Buffer> {
    while (this.#unreadBytes < bytes) {
      if (this.#ended !== null) throw new Fault('CONSOLE_CLOSED', `${this.#what}: ${this.#ended}`);
      const news = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await byDeadline(deadline, 'CONSOLE_CLOSED', `${bytes} bytes of the ${this.#what}`, news);
    }
    // Joined only where one message is not enough: a picture is read in many small pieces.
    const [first = Buffer.alloc(0)] = this.#unread;
    if (first.length < bytes) this.#unread = [Buffer.concat(this.#unread)];
    const all = this.#unread[0] ?? first;
    this.#unread[0] = all.subarray(bytes);
    if (all.length === bytes) this.#unread.shift();
    this.#unreadBytes -= bytes;
    return all.subarray(0, bytes);
  }

  write(bytes: Buffer): void {
    if (this.#ended === null) this.#socket.send(bytes, { binary: true });
  }

  close(): void {
    this.#socket.terminate();
  }
}
