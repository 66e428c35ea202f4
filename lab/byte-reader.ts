/** Reads exact numbers of bytes from a stream of chunks, without ever holding more than is asked for. */

/** The stream ended before what was announced. */
export class StreamEnded extends Error {
  constructor(wanted: number, position: number) {
    super(`stream ended at byte ${position}, expected ${wanted} more`);
    this.name = 'StreamEnded';
  }
}

export class ByteReader {
  readonly #source: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);
  #position = 0;

  /** The iterator is never told to return: that would destroy a request's socket before the reply is out. */
  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Bytes handed out or skipped so far. */
  get position(): number {
    return this.#position;
  }

  /** At most `max` bytes, whatever comes next; null at the end. */
  async some(max: number): Promise<Buffer | null> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#source.next();
      if (done) return null;
      this.#rest = value;
    }
    const taken = this.#rest.subarray(0, max);
    this.#rest = this.#rest.subarray(taken.length);
    this.#position += taken.length;
    return taken;
  }

  /** Exactly `length` bytes. @throws StreamEnded */
  async exactly(length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    let missing = length;
    while (missing > 0) {
      const part = await this.some(missing);
      if (!part) throw new StreamEnded(missing, this.#position);
      parts.push(part);
      missing -= part.length;
    }
    return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts, length);
  }

  /** @throws StreamEnded */
  async skip(length: number): Promise<void> {
    let missing = length;
    while (missing > 0) {
      const part = await this.some(missing);
      if (!part) throw new StreamEnded(missing, this.#position);
      missing -= part.length;
    }
  }

  /** Gives bytes back, to be read again first. */
  unread(bytes: Buffer): void {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([bytes, this.#rest]);
    this.#position -= bytes.length;
  }

  /** Reads to the end and throws it away. */
  async drain(): Promise<void> {
    while ((await this.some(Number.MAX_SAFE_INTEGER)) !== null);
  }
}
