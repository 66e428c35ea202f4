/** Writes a stream of bytes into a file with holes where it is zeros, one piece of memory at a time. */
import type { FileHandle } from 'node:fs/promises';

const GATHERED_BYTES = 1024 * 1024;
/** A hole is at least this; file systems allocate in 4 KiB or more. */
const GRAIN_BYTES = 64 * 1024;
const ZEROS = Buffer.alloc(GRAIN_BYTES);

export class SparseFile {
  readonly #file: FileHandle;
  readonly #gathered = Buffer.allocUnsafe(GATHERED_BYTES);
  #filled = 0;
  #startAt = 0;

  /** @param file empty, open for writing; left open */
  constructor(file: FileHandle) {
    this.#file = file;
  }

  get sizeBytes(): number {
    return this.#startAt + this.#filled;
  }

  async append(piece: Buffer): Promise<void> {
    for (let taken = 0; taken < piece.length; ) {
      const copied = piece.copy(this.#gathered, this.#filled, taken);
      taken += copied;
      this.#filled += copied;
      if (this.#filled === GATHERED_BYTES) await this.#flush();
    }
  }

  /** The file has its length then, also where it ends in a hole. */
  async end(): Promise<void> {
    await this.#flush();
    await this.#file.truncate(this.#startAt);
  }

  async #flush(): Promise<void> {
    let from = 0;
    for (let at = 0; at < this.#filled; at += GRAIN_BYTES) {
      const grain = this.#gathered.subarray(at, Math.min(at + GRAIN_BYTES, this.#filled));
      if (!grain.equals(ZEROS.subarray(0, grain.length))) continue;
      await this.#write(from, at);
      from = at + grain.length;
    }
    await this.#write(from, this.#filled);
    this.#startAt += this.#filled;
    this.#filled = 0;
  }

  async #write(from: number, to: number): Promise<void> {
    for (let at = from; at < to; ) {
      at += (await this.#file.write(this.#gathered, at, to - at, this.#startAt + at)).bytesWritten;
    }
  }
}
