/**
 * A viewer of one RFB connection (RFC 6143): keeps the picture that the server last sent. It never sends a key or a
 * pointer. All sizes that a server names are bounded: what it says is not trusted.
 */
import { byDeadline, Deadline } from '../../deadline.ts';
import { Fault } from '../../faults/faults.ts';
import type { ScreenFrame } from '../../lab.ts';
import { handshake, PIXEL_BYTES, pictureSize, type RfbLine, refused } from './rfb-handshake.ts';

/** Encodings, signed: pixels as they are, and the pseudo-encoding by which a server says that the size changed. */
const RAW = 0;
const DESKTOP_SIZE = -223;
/** 32 bits a pixel, depth 24, little-endian, true colour, 8 bits each, blue first. */
const PIXEL_FORMAT = Buffer.from([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]);
const CUT_TEXT_BYTES_MAX = 1024 * 1024;
/** Read and dropped piece by piece. */
const PIECE_BYTES = 64 * 1024;
/** Longer than any run: the end of the line or of the viewer ends the reading. */
const FOR_EVER_MS = 24 * 3600 * 1000;

export class RfbClient {
  readonly #line: RfbLine;
  readonly #closed = new AbortController();
  readonly #forever: Deadline;
  #width: number;
  #height: number;
  #pixels: Buffer;
  #shown: ScreenFrame | null = null;
  /** A request that was not answered yet; an incremental one may stay so for ever. */
  #asked: 'nothing' | 'changes' | 'all' = 'nothing';
  #updates = 0;
  #ended: Fault | null = null;
  /** Of looks that wait for news. */
  readonly #waiting = new Set<() => void>();

  private constructor(line: RfbLine, width: number, height: number) {
    this.#line = line;
    this.#forever = Deadline.after(FOR_EVER_MS, this.#closed.signal);
    this.#width = width;
    this.#height = height;
    this.#pixels = Buffer.alloc(width * height * PIXEL_BYTES);
    line.write(Buffer.concat([Buffer.from([0, 0, 0, 0]), PIXEL_FORMAT]));
    const encodings = Buffer.alloc(12);
    encodings.writeUInt8(2, 0);
    encodings.writeUInt16BE(2, 2);
    encodings.writeInt32BE(RAW, 4);
    encodings.writeInt32BE(DESKTOP_SIZE, 8);
    line.write(encodings);
    void this.#pump();
  }

  /** Shakes hands over a fresh connection. @throws Fault CONSOLE_CLOSED, and the interrupt; the line is closed then */
  static async open(line: RfbLine, deadline: Deadline): Promise<RfbClient> {
    try {
      const { width, height } = await handshake(line, deadline);
      return new RfbClient(line, width, height);
    } catch (error) {
      line.close();
      throw error;
    }
  }

  /**
   * The picture as far as the server has told; asks for what has changed since, which the next look shows. The same
   * object as before where nothing came.
   * @throws Fault CONSOLE_CLOSED once the connection has ended, or no first picture came in time
   */
  async look(deadline: Deadline): Promise<ScreenFrame> {
    if (this.#updates === 0) return this.fresh(deadline);
    if (this.#ended !== null) throw this.#ended;
    if (this.#asked === 'nothing') this.#ask('changes');
    return this.#snapshot();
  }

  /** The picture as it is now, asked for as a whole. @throws Fault CONSOLE_CLOSED, and the interrupt */
  async fresh(deadline: Deadline): Promise<ScreenFrame> {
    const before = this.#updates;
    this.#ask('all');
    while (this.#updates === before) {
      if (this.#ended !== null) throw this.#ended;
      const news = new Promise<void>((resolve) => this.#waiting.add(resolve));
      await byDeadline(deadline, 'CONSOLE_CLOSED', 'a picture of the console', news);
    }
    return this.#snapshot();
  }

  close(): void {
    this.#end(refused('it was closed here'));
    this.#closed.abort(refused('it was closed here'));
    this.#line.close();
  }

  #end(why: Fault): void {
    this.#ended ??= why;
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  #ask(what: 'changes' | 'all'): void {
    const request = Buffer.from([3, what === 'changes' ? 1 : 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    request.writeUInt16BE(this.#width, 6);
    request.writeUInt16BE(this.#height, 8);
    this.#asked = what;
    this.#line.write(request);
  }

  #snapshot(): ScreenFrame {
    if (this.#shown !== null) return this.#shown;
    const rgb = Buffer.alloc(this.#width * this.#height * 3);
    for (let from = 0, to = 0; from < this.#pixels.length; from += PIXEL_BYTES, to += 3) {
      rgb[to] = this.#pixels[from + 2] ?? 0;
      rgb[to + 1] = this.#pixels[from + 1] ?? 0;
      rgb[to + 2] = this.#pixels[from] ?? 0;
    }
    this.#shown = { width: this.#width, height: this.#height, rgb };
    return this.#shown;
  }

  async #pump(): Promise<void> {
    try {
      while (true) await this.#message();
    } catch (error) {
      this.#end(error instanceof Fault ? error : refused('it cannot be read', error));
      this.#line.close();
    }
  }

  async #message(): Promise<void> {
    const [type] = await this.#read(1);
    switch (type) {
      case 0: {
        const rectangles = (await this.#read(3)).readUInt16BE(1);
        for (let index = 0; index < rectangles; index++) await this.#rectangle();
        this.#asked = 'nothing';
        this.#shown = null;
        this.#updates++;
        return this.#wake();
      }
      case 1: // SetColourMapEntries: nothing to us, our pixels are true colour
        return this.#drop((await this.#read(5)).readUInt16BE(3) * 6);
      case 2: // Bell
        return;
      case 3: {
        const bytes = (await this.#read(7)).readUInt32BE(3);
        if (bytes > CUT_TEXT_BYTES_MAX) throw refused(`it sends ${bytes} bytes of text`);
        return this.#drop(bytes);
      }
      default:
        throw refused(`expected a message of RFB, given one of type ${type}`);
    }
  }

  async #rectangle(): Promise<void> {
    const head = await this.#read(12);
    const [x, y] = [head.readUInt16BE(0), head.readUInt16BE(2)];
    const [width, height] = [head.readUInt16BE(4), head.readUInt16BE(6)];
    const encoding = head.readInt32BE(8);
    if (encoding === DESKTOP_SIZE) {
      pictureSize(width, height);
      [this.#width, this.#height] = [width, height];
      this.#pixels = Buffer.alloc(width * height * PIXEL_BYTES);
      return;
    }
    if (encoding !== RAW) throw refused(`expected raw pixels, given encoding ${encoding}`);
    if (x + width > this.#width || y + height > this.#height) {
      throw refused(`a rectangle of ${width}x${height} at ${x},${y} lies outside ${this.#width}x${this.#height}`);
    }
    for (let row = 0; row < height; row++) {
      const bytes = await this.#read(width * PIXEL_BYTES);
      bytes.copy(this.#pixels, ((y + row) * this.#width + x) * PIXEL_BYTES);
    }
  }

  #read(bytes: number): Promise<Buffer> {
    return this.#line.read(bytes, this.#forever);
  }

  async #drop(bytes: number): Promise<void> {
    for (let left = bytes; left > 0; left -= PIECE_BYTES) await this.#read(Math.min(left, PIECE_BYTES));
  }
}
