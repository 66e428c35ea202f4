/** Prints a whole text to a stream, or says that it could not. */
import type { Writable } from 'node:stream';
import { Fault } from '../faults/faults.ts';

/** A reader who has left wants no more, and that is nobody's fault. A full disk has half of it. */
export const readerLeft = (error: Error): boolean => (error as NodeJS.ErrnoException).code === 'EPIPE';

const unwritable = (cause: Error): Fault =>
  new Fault('OUTPUT_UNWRITABLE', `stdout cannot be written: ${cause.message}`, { cause });

/**
 * Half a report must not end as a PASS.
 * @throws Fault OUTPUT_UNWRITABLE
 */
export function printWhole(stream: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => (error && !readerLeft(error) ? reject(unwritable(error)) : resolve()));
  });
}

/**
 * Stdout of a whole program: lines are written without waiting, and whether all of them went out is told at the end.
 * Without it `process.exit` drops what a slow reader has not taken yet.
 */
export class WholeOutput {
  readonly #stream: Writable;
  #error: Error | null = null;

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on('error', (error) => {
      this.#error ??= error;
    });
  }

  print(text: string): void {
    this.#stream.write(text);
  }

  /** Waits for the reader. @throws Fault OUTPUT_UNWRITABLE */
  async end(): Promise<void> {
    // A stream that has failed says less of a write after it.
    if (this.#error === null) await printWhole(this.#stream, '');
    if (this.#error !== null && !readerLeft(this.#error)) throw unwritable(this.#error);
  }
}
