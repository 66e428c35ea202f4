/**
 * Writes events to a stream, one JSON object a line. A reader that leaves, or reads too slowly, costs the run nothing:
 * what it does not take in time is left out and counted, except how things end.
 */
import type { Writable } from 'node:stream';
import { type Clock, systemClock } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import { readerLeft } from '../reporters/stream.ts';
import { ENDINGS, type Event } from './event.ts';
import type { Reporter } from './progress.ts';

/** What may wait for its reader. */
const BACKLOG_BYTES_MAX = 1_048_576;

export interface EventStreamOptions {
  /** How long its last events may take; infinite: as long as its reader takes. */
  readonly endMs: number;
  /** True where half of it must not look like the whole. */
  readonly mustBeWhole: boolean;
  readonly clock?: Clock;
}

export class EventStream implements Reporter {
  readonly #stream: Writable;
  readonly #options: EventStreamOptions;
  #leftOut = 0;
  #gone = false;
  #failure: Error | null = null;
  readonly tick = null;

  constructor(stream: Writable, options: EventStreamOptions) {
    this.#stream = stream;
    this.#options = options;
    stream.on('error', (error) => this.#failed(error));
  }

  on(event: Event): void {
    if (this.#gone) return;
    if (this.#stream.writableLength > BACKLOG_BYTES_MAX && !ENDINGS.has(event.event)) {
      this.#leftOut++;
      return;
    }
    if (this.#leftOut > 0) {
      const { schema, time, elapsedS } = event;
      this.#write({ schema, event: 'lost', time, elapsedS, case: null, attempt: null, count: this.#leftOut });
      this.#leftOut = 0;
    }
    this.#write(event);
  }

  async end(): Promise<void> {
    const stop = new AbortController();
    const written = new Promise<void>((resolve) => {
      if (this.#gone) return resolve();
      this.#stream.once('error', () => resolve());
      this.#stream.write('', () => resolve());
    });
    const { endMs, clock = systemClock } = this.#options;
    const late = Number.isFinite(endMs) ? [clock.sleep(endMs, stop.signal)] : [];
    await Promise.race([written, ...late]);
    stop.abort();
    this.#gone = true;
    if (this.#failure === null || !this.#options.mustBeWhole) return;
    const cause = this.#failure;
    throw new Fault('OUTPUT_UNWRITABLE', `the events cannot be written: ${cause.message}`, { cause });
  }

  leave(): void {
    // It is no terminal's.
  }

  #write(event: Event): void {
    this.#stream.write(`${JSON.stringify(event)}\n`, (error) => {
      if (error) this.#failed(error);
    });
  }

  #failed(error: Error): void {
    this.#gone = true;
    if (!readerLeft(error)) this.#failure ??= error;
  }
}
