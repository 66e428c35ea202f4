/** What `--quiet` leaves of the progress: what ended badly, and what stays in the lab. */
import type { Event } from '../progress/event.ts';
import type { Reporter } from '../progress/progress.ts';
import { badEndings } from './event-lines.ts';
import type { Sink } from './plain.ts';

export class Quiet implements Reporter {
  readonly #sink: Sink;
  readonly tick = null;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  on(event: Event): void {
    for (const line of badEndings(event)) this.#sink.write(`${line}\n`);
  }

  async end(): Promise<void> {
    // Every line is written as it comes.
  }

  leave(): void {
    // Nothing stays on the screen that must not.
  }
}
