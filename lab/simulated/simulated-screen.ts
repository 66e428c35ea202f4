/**
 * The screen of a simulated guest: text of 80 by 25 letters as a picture, served over RFB 3.8 without authentication to
 * as many viewers as come. They are sent away when the guest boots anew, as a real pool does.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { LETTER, vgaFont } from './vga-font.ts';

const COLUMNS = 80;
const ROWS = 25;
/** A VGA adds an empty column to each letter. */
const CELL_WIDTH = LETTER.width + 1;
const WIDTH = COLUMNS * CELL_WIDTH;
const HEIGHT = ROWS * LETTER.height;
const GREY = 0xaa;
const NAME = 'simulated screen';
/** Bytes of the messages that a viewer may send, by type, where they are fixed. */
const CLIENT_BYTES: Readonly<Record<number, number>> = { 0: 20, 3: 10, 4: 8, 5: 6 };

interface Viewer {
  readonly socket: Socket;
  unread: Buffer;
  stage: 'version' | 'security' | 'shared' | 'shows';
  /** Asked for changes and has got none yet. */
  waits: boolean;
  shown: number;
}

export class SimulatedScreen {
  readonly socketPath: string;
  readonly #server: Server;
  readonly #viewers = new Set<Viewer>();
  #picture = draw('');
  #changes = 0;

  /** @param dir folder of the VM's start */
  constructor(dir: string) {
    this.socketPath = join(dir, 'vnc');
    this.#server = createServer((socket) => this.#welcome(socket));
  }

  /** @throws Error where the socket cannot be made, or this machine has no letters to draw with */
  async open(): Promise<void> {
    vgaFont();
    await this.#listen();
  }

  #listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.socketPath, () => resolve());
    });
  }

  show(text: string): void {
    this.#picture = draw(text);
    this.#changes++;
    for (const viewer of this.#viewers) if (viewer.waits) this.#send(viewer);
  }

  /** As a text console shows what was printed: the last lines. */
  showEnd(text: string): void {
    this.show(text.split('\n').slice(-ROWS).join('\n'));
  }

  /** As a reboot: dark, and nobody looks any more. */
  reset(): void {
    for (const { socket } of this.#viewers) socket.destroy();
    this.#viewers.clear();
    this.#picture = draw('');
    this.#changes++;
  }

  close(): Promise<void> {
    this.reset();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #welcome(socket: Socket): void {
    const viewer: Viewer = { socket, unread: Buffer.alloc(0), stage: 'version', waits: false, shown: -1 };
    this.#viewers.add(viewer);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#viewers.delete(viewer));
    socket.on('data', (bytes) => {
      viewer.unread = Buffer.concat([viewer.unread, bytes]);
      while (this.#take(viewer));
    });
    socket.write('RFB 003.008\n');
  }

  /** One message of the viewer's. @returns false: not whole yet */
  #take(viewer: Viewer): boolean {
    switch (viewer.stage) {
      case 'version':
        return this.#step(viewer, 12, 'security', Buffer.from([1, 1]));
      case 'security':
        return this.#step(viewer, 1, 'shared', Buffer.from([0, 0, 0, 0]));
      case 'shared':
        return this.#step(viewer, 1, 'shows', serverInit());
      case 'shows':
        return this.#request(viewer);
    }
  }

  #step(viewer: Viewer, bytes: number, next: Viewer['stage'], answer: Buffer): boolean {
    if (viewer.unread.length < bytes) return false;
    viewer.unread = viewer.unread.subarray(bytes);
    viewer.stage = next;
    viewer.socket.write(answer);
    return true;
  }

  #request(viewer: Viewer): boolean {
    const { unread } = viewer;
    const type = unread[0];
    if (type === undefined || (type === 2 && unread.length < 4)) return false;
    const bytes = type === 2 ? 4 + 4 * unread.readUInt16BE(2) : CLIENT_BYTES[type];
    if (bytes === undefined) {
      viewer.socket.destroy();
      return false;
    }
    if (unread.length < bytes) return false;
    viewer.unread = unread.subarray(bytes);
    if (type !== 3) return true;
    if (unread[1] === 1 && viewer.shown === this.#changes) viewer.waits = true;
    else this.#send(viewer);
    return true;
  }

  #send(viewer: Viewer): void {
    viewer.waits = false;
    viewer.shown = this.#changes;
    const head = Buffer.from([0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    head.writeUInt16BE(WIDTH, 8);
    head.writeUInt16BE(HEIGHT, 10);
    viewer.socket.write(Buffer.concat([head, this.#picture]));
  }
}

/** 32 bits a pixel, blue first, which is what our viewers ask for. */
function serverInit(): Buffer {
  const head = Buffer.alloc(24);
  head.writeUInt16BE(WIDTH, 0);
  head.writeUInt16BE(HEIGHT, 2);
  head.set([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0], 4);
  head.writeUInt32BE(NAME.length, 20);
  return Buffer.concat([head, Buffer.from(NAME)]);
}

function draw(text: string): Buffer {
  const pixels = Buffer.alloc(WIDTH * HEIGHT * 4);
  if (text === '') return pixels;
  const font = vgaFont();
  for (const [row, line] of text.split('\n').slice(0, ROWS).entries()) {
    for (const [column, letter] of [...line].slice(0, COLUMNS).entries()) {
      const from = (letter.charCodeAt(0) & 0xff) * LETTER.height;
      for (let y = 0; y < LETTER.height; y++) {
        const bits = font[from + y] ?? 0;
        for (let x = 0; x < LETTER.width; x++) {
          if ((bits & (0x80 >> x)) === 0) continue;
          const at = ((row * LETTER.height + y) * WIDTH + column * CELL_WIDTH + x) * 4;
          pixels.fill(GREY, at, at + 3);
        }
      }
    }
  }
  return pixels;
}
