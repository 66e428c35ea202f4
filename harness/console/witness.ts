/**
 * The console of one guest as a witness, over all its boots: it ends the wait for a guest that has stopped, keeps what
 * was shown, and says what came after the guest had answered. It never blocks a run and never fails one by itself.
 */
import { join } from 'node:path';
import type { FatalWatch } from '../boot/arrival.ts';
import { Deadline, systemClock } from '../deadline.ts';
import type { Guest, Screen, ScreenFrame } from '../lab.ts';
import type { Recorder } from '../workdir/evidence.ts';
import { writeWhole } from '../workdir/workdir.ts';
import { type Fatal, fatalSignature, notedSignatures } from './console-signatures.ts';
import { type ConsoleTold, shownBy } from './console-told.ts';
import { Gallery } from './gallery.ts';
import { samePicture } from './same-picture.ts';
import { type Reading, ScreenReader } from './screen-reader.ts';
import { ScreenWatch } from './screen-watch.ts';
import { SerialWatch } from './serial-watch.ts';

const READ_MS = 20_000;
const NEVER = new AbortController().signal;

export interface WitnessParts {
  readonly guest: Guest;
  readonly workdir: string;
  readonly evidence: Recorder;
  readonly purpose: 'image' | 'control';
}

/** Which part of the console counts, and who is told of it. */
export interface Watching {
  /** What the first picture is named. */
  readonly milestone: 'power-on' | 'reboot' | 'lost';
  /** Characters of serial text that are of the past. */
  readonly from: number;
  /** Told of the serial text since then, at each look. */
  readonly onText?: (text: string) => void;
}

/** How things stood when the guest answered. */
interface AtAnswer {
  readonly serial: number;
  readonly frame: ScreenFrame | null;
  /** Of the frame; null: it was not wanted yet. */
  reading: Reading | null;
}

export class ConsoleWitness {
  readonly #parts: WitnessParts;
  readonly #screen: Screen;
  readonly #gallery: Gallery;
  readonly #reader = new ScreenReader();
  readonly #serial: SerialWatch;
  readonly #watch: ScreenWatch;
  readonly #prefix: string;
  #ended = new AbortController();
  #watching: Promise<unknown> = Promise.resolve();
  /** One for each boot that answered. */
  readonly #answers: AtAnswer[] = [];
  #answering: Promise<void> = Promise.resolve();
  #ending: Promise<void> | null = null;
  #reading: Promise<Reading> | null = null;
  /** File of the last one that was kept at a milestone. */
  #lastPicture: string | null = null;
  #shown = 'was not looked at to the end';
  #noted: readonly string[] = [];

  constructor(parts: WitnessParts) {
    const { guest, workdir, evidence, purpose } = parts;
    this.#parts = parts;
    this.#prefix = purpose === 'control' ? 'control-' : '';
    this.#screen = guest.screen();
    this.#gallery = new Gallery(workdir, evidence);
    this.#serial = new SerialWatch(guest, systemClock);
    this.#watch = new ScreenWatch({
      ...{ screen: this.#screen, gallery: this.#gallery, reader: this.#reader, evidence, clock: systemClock },
      ...{ prefix: this.#prefix, serialLength: () => this.#serial.text?.length ?? 0 },
    });
  }

  /** Watches from now on, until the guest has answered or all has ended; another watch ends before. */
  watch({ milestone, from, onText }: Watching): FatalWatch {
    const stopped = new AbortController();
    const watch: { fatal: Fatal | null; readonly fatalSignal: AbortSignal } = {
      fatal: null,
      fatalSignal: stopped.signal,
    };
    const onFatal = (fatal: Fatal): void => {
      watch.fatal ??= fatal;
      stopped.abort(new Error(fatal.name));
    };
    const before = Promise.all([this.#answering, this.#stopWatching()]);
    const ended = new AbortController();
    this.#ended = ended;
    const { signal } = ended;
    const wait = { milestone, ofThePast: (fatal: Fatal) => this.#ofThePast(fatal, true, signal) };
    this.#watching = before.then(() =>
      Promise.all([this.#serial.run(signal, onFatal, from, onText), this.#watch.run(signal, onFatal, wait)]),
    );
    // What the disk refused is thrown to whoever waits for the end of the watch.
    this.#watching.catch(() => undefined);
    return watch;
  }

  /** The guest has answered: what stands on the console by now is of the past. Looks beside what comes next. */
  answered(): void {
    this.#answering = this.#atAnswer();
    this.#answering.catch(() => undefined);
  }

  async #atAnswer(): Promise<void> {
    await this.#stopWatching();
    const [frame] = await Promise.all([this.#picture('answered'), this.#serial.look()]);
    this.#answers.push({ serial: this.#serial.text?.length ?? 0, frame, reading: null });
  }

  /**
   * Whether the screen showed it already when the guest answered last.
   * @param unknown what counts where that cannot be read
   */
  async #ofThePast({ name }: Fatal, unknown: boolean, signal = NEVER): Promise<boolean> {
    const answer = this.#answers.at(-1);
    if (answer === undefined) return false;
    if (answer.frame === null) return unknown;
    answer.reading ??= await this.#reader.read(answer.frame, Deadline.after(READ_MS, signal)).catch(() => null);
    const { reading } = answer;
    if (reading === null || 'why' in reading) return unknown;
    return fatalSignature(reading.text, 'screen')?.name === name;
  }

  /** Characters that came over the serial port by now; 0 where the lab shows none. */
  async serialSoFar(): Promise<number> {
    await this.#serial.look();
    return this.#serial.text?.length ?? 0;
  }

  /** A stop in what came over the serial port since then, looked at now. */
  async fatalSince(from: number): Promise<Fatal | null> {
    await this.#serial.look();
    return fatalSignature(this.#serial.text?.slice(from) ?? '');
  }

  /** Characters that had come when the guest answered last; 0: it has not. */
  async serialAtAnswer(): Promise<number> {
    await this.#answering;
    return this.#answers.at(-1)?.serial ?? 0;
  }

  /**
   * The last look, while the guest is still there. The text of the screen is read beside what comes next: `afterwards`
   * and `settled` wait for it.
   */
  end(): Promise<void> {
    this.#ending ??= this.#atEnd();
    return this.#ending;
  }

  async #atEnd(): Promise<void> {
    await this.#stopWatching();
    await this.#answering;
    const [frame] = await Promise.all([this.#picture('end'), this.#serial.look()]);
    this.#screen.close();
    this.#noted = notedSignatures(this.#serial.text ?? '');
    if (this.#noted.length > 0) this.#parts.evidence.record('console', 'noted on serial', { noted: this.#noted });
    const why = frame === null ? `it cannot be had: ${this.#watch.absence}` : this.#whyUnread(frame);
    if (frame === null || why !== null) {
      this.#shown = `was not read: ${why}`;
      this.#parts.evidence.record('console', 'screen not read', { why });
      return this.#reader.close();
    }
    this.#reading ??= this.#read(frame);
  }

  /** What the guest showed after its first answer that it never leaves by itself; null: nothing, as far as is seen. */
  async afterwards(): Promise<(Fatal & { readonly source: 'serial' | 'screen' }) | null> {
    const text = this.#serial.text ?? '';
    for (const [index, { serial }] of this.#answers.entries()) {
      // By boot: one that was asked for is not the next turn of a loop.
      const fatal = fatalSignature(text.slice(serial, this.#answers[index + 1]?.serial));
      if (fatal !== null) return { ...fatal, source: 'serial' };
    }
    const reading = await this.#reading;
    const screen = reading === null || 'why' in reading ? null : fatalSignature(reading.text, 'screen');
    try {
      // A screen that could not be seen when it answered makes no PASS surer.
      return screen === null || (await this.#ofThePast(screen, false)) ? null : { ...screen, source: 'screen' };
    } finally {
      this.#reader.close();
    }
  }

  /** Until nothing of it runs any more. */
  async settled(): Promise<void> {
    await this.#reading;
    this.#reader.close();
  }

  /** For the report, once it has settled. */
  get told(): ConsoleTold {
    return { serial: this.#serial.text !== null, screen: this.#shown, noted: this.#noted };
  }

  async #stopWatching(): Promise<void> {
    this.#ended.abort(new Error('the watch has ended'));
    await this.#watching;
  }

  async #picture(milestone: string): Promise<ScreenFrame | null> {
    // The second look is at a console that ended with a reboot, and is opened again.
    const frame = (await this.#watch.look('fresh', NEVER)) ?? (await this.#watch.look('fresh', NEVER));
    if (frame !== null) this.#lastPicture = this.#gallery.keep(frame, `${this.#prefix}${milestone}`, 'milestone');
    return frame;
  }

  #whyUnread(frame: ScreenFrame): string | null {
    const answer = this.#answers.at(-1);
    if (answer === undefined) return null;
    const { serial, frame: before } = answer;
    if (before !== null && samePicture(before, frame)) return 'it has not changed since the guest answered';
    if ((this.#serial.text?.length ?? 0) > serial) return 'the serial port tells what came since the guest answered';
    return null;
  }

  async #read(frame: ScreenFrame): Promise<Reading> {
    const { evidence, workdir } = this.#parts;
    try {
      const known = this.#watch.readingOf(frame);
      const reading = known ?? (await this.#reader.read(frame, Deadline.after(READ_MS, NEVER)));
      if ('text' in reading) {
        const file = join('console', `${this.#prefix}screen.txt`);
        writeWhole(join(workdir, file), reading.text);
        const noted = notedSignatures(reading.text, 'screen');
        this.#noted = [...this.#noted, ...noted];
        this.#shown = shownBy(reading.text, file);
        evidence.record('console', 'screen read', { file, picture: this.#lastPicture, noted, ...reading });
      } else {
        this.#shown = `was not read: ${reading.why}`;
        evidence.record('console', 'screen not read', reading);
      }
      return reading;
    } catch (error) {
      return { why: error instanceof Error ? error.message : String(error) };
    } finally {
      this.#reader.close();
    }
  }
}
