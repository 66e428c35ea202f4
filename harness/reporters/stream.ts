/** Prints a whole text to a stream, or says that it could not. */
import type { Writable } from 'node:stream';
import { Fault } from '../faults.ts';

/**
 * A reader who has left wants no more, and that is nobody's fault. A full disk has half a report, and
 * half a report must not end as a PASS.
 * @throws Fault OUTPUT_UNWRITABLE
 */
export function printWhole(stream: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => {
      if (!error || (error as NodeJS.ErrnoException).code === 'EPIPE') return resolve();
      reject(new Fault('OUTPUT_UNWRITABLE', `stdout cannot be written: ${error.message}`, { cause: error }));
    });
  });
}

/**
 * Stdout of a whole program: lines are written without waiting, and whether all of them went out is told at the end.
 * Without it `process.exit` drops what a slow reader has not taken yet.
 */
export class WholeOutput {
  readonly #stream: Writable;
  #error: NodeJS.ErrnoException | null = null;

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on('error', (error) => {
      this.#error ??= error;
    });
  }

  print(text: string): void {
    this.#stream.write(text);
  }

  /** Waits for the reader; one who has left wants no more. @throws Fault OUTPUT_UNWRITABLE */
  async end(): Promise<void> {
    if (this.#error === null) await printWhole(this.#stream, '').catch((fault: unknown) => this.#fail(fault));
    if (this.#error !== null && this.#error.code !== 'EPIPE') {
      throw new Fault('OUTPUT_UNWRITABLE', `stdout cannot be written: ${this.#error.message}`, { cause: this.#error });
    }
  }

  /** The stream tells its own error first: that of a write after it says less. */
  #fail(fault: unknown): void {
    if (this.#error === null) throw fault;
  }
}
