/** A part of a disk that the lint may read, in bounds: no image can make it read for ever, or behind the end. */
import type { Disk } from '../disk.ts';

/** Bytes that one lint reads at most, whatever the image claims. The reference guest takes a tenth of a MiB. */
export const READ_BYTES_MAX = 8 * 1024 * 1024;

/** Thrown inside the lint only: what was being looked at becomes `unknown`. */
export class TooMuchToRead extends Error {
  constructor() {
    super(`it leads to more than the ${READ_BYTES_MAX / 1024 / 1024} MiB that are read at most`);
    this.name = 'TooMuchToRead';
  }
}

/** Counts what all windows of one disk read together. */
class Meter {
  spentBytes = 0;
}

/** Bytes `[start, start + sizeBytes)` of a disk, counted from 0. */
export class Window {
  readonly #disk: Disk;
  readonly #start: number;
  readonly #meter: Meter;
  readonly sizeBytes: number;

  private constructor(disk: Disk, start: number, sizeBytes: number, meter: Meter) {
    this.#disk = disk;
    this.#start = start;
    this.sizeBytes = sizeBytes;
    this.#meter = meter;
  }

  static over(disk: Disk): Window {
    return new Window(disk, 0, disk.sizeBytes, new Meter());
  }

  /** A part of this one, cut at its end. */
  part(at: number, sizeBytes: number): Window {
    const start = Math.min(Math.max(0, at), this.sizeBytes);
    const size = Math.min(Math.max(0, sizeBytes), this.sizeBytes - start);
    return new Window(this.#disk, this.#start + start, size, this.#meter);
  }

  /** Bytes read so far, through all windows of the disk. */
  get spentBytes(): number {
    return this.#meter.spentBytes;
  }

  /**
   * @returns exactly `bytes` bytes; those outside of the window are zeros
   * @throws TooMuchToRead; Fault BAD_IMAGE where what holds the disk is cut or corrupt
   */
  async read(at: number, bytes: number): Promise<Buffer> {
    const buffer = Buffer.alloc(bytes);
    if (!Number.isSafeInteger(at) || at < 0 || at >= this.sizeBytes) return buffer;
    const wanted = Math.min(bytes, this.sizeBytes - at);
    this.#meter.spentBytes += wanted;
    if (this.#meter.spentBytes > READ_BYTES_MAX) throw new TooMuchToRead();
    await this.#disk.read(buffer.subarray(0, wanted), this.#start + at);
    return buffer;
  }
}
