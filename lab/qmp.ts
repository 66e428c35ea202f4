/**
 * The part of QEMU's machine protocol that the lab uses: connect, run one command at a time or
 * several, hear events. One JSON object per line over a Unix socket.
 */
import { createConnection, type Socket } from 'node:net';

/** An event that QEMU sent of its own accord, e.g. `SHUTDOWN`. */
export interface QmpEvent {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

interface Pending {
  readonly command: string;
  settle(reply: { readonly value: unknown } | { readonly error: Error }): void;
}

/** One QMP connection, past its greeting. */
export class Qmp {
  readonly #socket: Socket;
  readonly #pending = new Map<number, Pending>();
  readonly #onEvent: (event: QmpEvent) => void;
  #buffer = '';
  #nextId = 1;
  #greeted: (() => void) | null = null;

  private constructor(socket: Socket, onEvent: (event: QmpEvent) => void) {
    this.#socket = socket;
    this.#onEvent = onEvent;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => this.#read(text));
    socket.on('error', () => this.#end()); // `close` follows and says the same.
    socket.on('close', () => this.#end());
  }

  /**
   * Connects, waits for the greeting, negotiates. Rejects with the socket's own error (`ENOENT`,
   * `ECONNREFUSED`: QEMU does not listen yet), or after `deadlineMs`.
   */
  static async connect(path: string, deadlineMs: number, onEvent: (event: QmpEvent) => void): Promise<Qmp> {
    const socket = createConnection(path);
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve);
        socket.once('error', reject);
      });
      const qmp = new Qmp(socket, onEvent);
      await qmp.#greeting(deadlineMs);
      await qmp.command('qmp_capabilities', {}, deadlineMs);
      return qmp;
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  /** Runs one command and returns its `return` value. Rejects with QEMU's own words, or after `deadlineMs`. */
  command(name: string, args: Readonly<Record<string, unknown>>, deadlineMs: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) return reject(new Error(`QMP ${name}: the connection to QEMU is closed`));
      const id = this.#nextId++;
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new Error(`QMP ${name}: QEMU gave no answer within ${deadlineMs} ms`));
      }, deadlineMs);
      const settle: Pending['settle'] = (reply) => {
        clearTimeout(timer);
        this.#pending.delete(id);
        if ('error' in reply) reject(reply.error);
        else resolve(reply.value);
      };
      this.#pending.set(id, { command: name, settle });
      this.#socket.write(`${JSON.stringify({ execute: name, arguments: args, id })}\n`);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #greeting(deadlineMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = new Error(`QMP: QEMU accepted the connection and sent no greeting within ${deadlineMs} ms`);
      const timer = setTimeout(() => reject(late), deadlineMs);
      this.#socket.once('close', () => {
        clearTimeout(timer);
        reject(new Error('QMP: QEMU closed the connection before its greeting'));
      });
      this.#greeted = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #read(text: string): void {
    this.#buffer += text;
    for (let end = this.#buffer.indexOf('\n'); end >= 0; end = this.#buffer.indexOf('\n')) {
      const line = this.#buffer.slice(0, end).trim();
      this.#buffer = this.#buffer.slice(end + 1);
      if (line !== '') this.#message(line);
    }
  }

  #message(line: string): void {
    const message = parseObject(line);
    if (message === null) {
      this.#socket.destroy(); // Not QMP: every pending command is told.
    } else if ('QMP' in message) {
      this.#greeted?.();
    } else if (typeof message.event === 'string') {
      this.#onEvent({ event: message.event, data: asObject(message.data) ?? {} });
    } else {
      this.#reply(message);
    }
  }

  #reply(message: Record<string, unknown>): void {
    const pending = typeof message.id === 'number' ? this.#pending.get(message.id) : undefined;
    if (pending === undefined) return; // Its deadline has passed.
    const error = asObject(message.error);
    if (error === null) pending.settle({ value: message.return });
    else pending.settle({ error: new Error(`QMP ${pending.command}: ${String(error.desc ?? error.class)}`) });
  }

  #end(): void {
    for (const { command, settle } of [...this.#pending.values()]) {
      settle({ error: new Error(`QMP ${command}: QEMU closed the connection before it answered`) });
    }
  }
}

function parseObject(line: string): Record<string, unknown> | null {
  try {
    return asObject(JSON.parse(line));
  } catch {
    return null;
  }
}

function asObject(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
}
