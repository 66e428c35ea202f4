/** Progress as plain lines, for a log of a CI and for whatever is no terminal: no control characters. */
import { Board } from '../progress/board.ts';
import type { Event, Transfer } from '../progress/event.ts';
import type { Reporter } from '../progress/progress.ts';
import { activityPhrase } from './activity-text.ts';
import { linesOf, oneLine, stampOf } from './event-lines.ts';

/** Something to print to; `process.stderr` is one. */
export interface Sink {
  write(text: string): unknown;
}

/** A wait for a guest says what was seen this often. */
const WAITING_EVERY_S = 15;
/** A phase that says nothing else says this often that it goes on. */
const STILL_EVERY_S = 30;
/** What all cases of a night do is told this often. */
const NIGHT_EVERY_S = 60;
const TICK_MS = 5_000;
/** A transfer says something at each of these shares of its bytes. */
const TRANSFER_STEPS = 4;

export class Plain implements Reporter {
  readonly #sink: Sink;
  readonly #board = new Board();
  #saidS = 0;
  #transfer = { what: '', doneBytes: 0, step: 0 };
  readonly tick = { everyMs: TICK_MS, run: (nowS: number): void => this.#still(nowS) };

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  on(event: Event): void {
    this.#board.on(event);
    const lines = linesOf(event);
    if (lines.length > 0) this.#say(event.elapsedS, lines);
    else if (event.case !== null) return;
    else if (event.event === 'waiting' && event.elapsedS - this.#saidS >= WAITING_EVERY_S) {
      const { waitedS, budgetS, seen } = event;
      const text = `waiting for the guest, ${waitedS.toFixed(0)} of ${budgetS.toFixed(0)} s: ${oneLine(seen)}`;
      this.#say(event.elapsedS, [`${stampOf(event.elapsedS)} ${text}`]);
    } else if (event.event === 'transfer') this.#moved(event);
    else if (event.event === 'stage-begins') this.#transfer = { what: '', doneBytes: 0, step: 0 };
  }

  async end(): Promise<void> {
    // Every line is written as it comes.
  }

  leave(): void {
    // Nothing stays on the screen that must not.
  }

  #moved({ what, doneBytes, totalBytes, elapsedS }: Event & Transfer): void {
    const before = this.#transfer;
    const again = what !== before.what || doneBytes < before.doneBytes;
    const step = totalBytes > 0 ? Math.floor((doneBytes / totalBytes) * TRANSFER_STEPS) : 0;
    const said = again ? 0 : before.step;
    this.#transfer = { what, doneBytes, step: Math.max(step, said) };
    if (step <= said) return;
    const mib = (bytes: number): string => (bytes / 1_048_576).toFixed(1);
    this.#say(elapsedS, [`${stampOf(elapsedS)} ${what} ${mib(doneBytes)} of ${mib(totalBytes)} MiB`]);
  }

  #still(nowS: number): void {
    const { running, totals } = this.#board;
    if (running.length === 0 || nowS - this.#saidS < (totals === null ? STILL_EVERY_S : NIGHT_EVERY_S)) return;
    const stamp = stampOf(nowS);
    if (totals === null) {
      this.#say(nowS, [...running.map((each) => `${stamp} still ${activityPhrase(each, nowS)}`)]);
      return;
    }
    const { done, cases, waiting } = totals;
    const head = `${stamp} ${done} of ${cases} done, ${running.length} running, ${waiting} waiting`;
    const each = running.map((one) => `${stamp}   ${one.name}: ${activityPhrase(one, nowS)}`);
    this.#say(nowS, [head, ...each]);
  }

  #say(nowS: number, lines: readonly string[]): void {
    this.#saidS = nowS;
    this.#sink.write(lines.map((line) => `${line}\n`).join(''));
  }
}
