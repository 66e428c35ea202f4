/**
 * Watches the screen: keeps pictures of what changes, and reads the text of one that stands still, since a guest that
 * is stuck changes nothing. A screen that cannot be had is said and stops nothing.
 */

import { type Clock, Deadline } from '../deadline.ts';
import type { Screen, ScreenFrame } from '../lab.ts';
import type { Recorder } from '../workdir/evidence.ts';
import { type Fatal, fatalSignature, startOnScreen } from './console-signatures.ts';
import type { Gallery } from './gallery.ts';
import { type Returning, ReturningPictures } from './returning-pictures.ts';
import { samePicture } from './same-picture.ts';
import type { Reading, ScreenReader } from './screen-reader.ts';

const EVERY_MS = 400;
/** One that was never there is asked for ever more seldom; one that was there ends with a reboot, and comes back. */
const ABSENT_EVERY_MS_MAX = 8_000;
const LOOK_MS = 5_000;
/** Standing still for so long, a picture is worth the start of the reader, and then its reading. */
const WARM_AFTER_MS = 500;
const READ_AFTER_MS = 1_200;
/** Text counts when its picture still stands so long after it first did: then it is a state, not a moment. */
const STANDS_MS = 2_500;
const READ_MS = 20_000;
/** A guest that redraws its screen for ever does not keep a core busy with it. */
const READINGS_MAX = 30;
const KEEP_EVERY_MS = 5_000;
/** A picture of a start that comes so often is a boot loop, as on serial. */
const STARTS = 4;

export interface ScreenWatchParts {
  readonly screen: Screen;
  readonly gallery: Gallery;
  readonly reader: ScreenReader;
  readonly evidence: Recorder;
  readonly clock: Clock;
  /** Characters that came over the serial port so far; 0: none. */
  readonly serialLength: () => number;
  /** Head of the names of its pictures, e.g. `control-`. */
  readonly prefix: string;
}

/** A picture, since when it stands, and what was read of it. */
interface Standing {
  readonly frame: ScreenFrame;
  readonly sinceMs: number;
  /** Serial text before it came: more by now means that the serial port tells what the screen shows. */
  readonly serialBefore: number;
  reading: 'none' | 'under way' | Reading;
  /** Of what was read: a stop that is not of the past. */
  fatal: Fatal | null;
}

/** One wait, and what counts in it. */
export interface ScreenWait {
  /** What its first picture is named. */
  readonly milestone: string;
  /** Whether this stood there already when the guest answered. */
  readonly ofThePast: (fatal: Fatal) => Promise<boolean>;
}

export class ScreenWatch {
  readonly #parts: ScreenWatchParts;
  #standing: Standing | null = null;
  #serialLately = 0;
  #keptAtMs = Number.NEGATIVE_INFINITY;
  #readings = 0;
  #busy = false;
  #absence: string | null = null;
  #wasThere = false;
  #returning = new ReturningPictures();
  #loop: Fatal | null = null;
  #thrown: { readonly error: unknown } | null = null;

  constructor(parts: ScreenWatchParts) {
    this.#parts = parts;
  }

  /** Looks until the signal, or until something fatal stands, which it tells once. */
  async run(ended: AbortSignal, onFatal: (fatal: Fatal) => void, wait: ScreenWait): Promise<void> {
    let pauseMs = EVERY_MS;
    this.#standing = null;
    this.#readings = 0;
    this.#returning = new ReturningPictures();
    this.#loop = null;
    while (!ended.aborted) {
      const frame = await this.look('latest', ended);
      if (this.#thrown !== null) throw this.#thrown.error;
      if (ended.aborted) return;
      if (frame !== null) {
        this.#seen(frame, ended, wait);
        const fatal = this.#loop ?? this.#fatal();
        if (fatal !== null) return onFatal(fatal);
      }
      pauseMs = this.#wasThere ? EVERY_MS : Math.min(pauseMs * 2, ABSENT_EVERY_MS_MAX);
      await this.#parts.clock.sleep(pauseMs, ended);
    }
  }

  /** A picture, or null where it cannot be had, which is said once for each reason. */
  async look(which: 'latest' | 'fresh', signal: AbortSignal): Promise<ScreenFrame | null> {
    const { screen, clock, evidence } = this.#parts;
    try {
      const frame = await screen.look(which, Deadline.after(LOOK_MS, signal, clock));
      this.#absence = null;
      this.#wasThere = true;
      return frame;
    } catch (error) {
      if (signal.aborted) return null;
      const why = error instanceof Error ? error.message : String(error);
      if (why !== this.#absence) evidence.record('console', 'no screen', { why });
      this.#absence = why;
      return null;
    }
  }

  /** Why the last picture could not be had; null: it could. */
  get absence(): string | null {
    return this.#absence;
  }

  /** What was read of this picture, if it was. */
  readingOf(frame: ScreenFrame): Reading | null {
    const standing = this.#standing;
    if (standing === null || typeof standing.reading === 'string') return null;
    return 'text' in standing.reading && samePicture(standing.frame, frame) ? standing.reading : null;
  }

  #seen(frame: ScreenFrame, ended: AbortSignal, wait: ScreenWait): void {
    const { clock, serialLength, reader } = this.#parts;
    const nowMs = clock.nowMs();
    const before = this.#standing;
    const length = serialLength();
    if (before === null || !samePicture(before.frame, frame)) {
      const serialBefore = before === null ? length : this.#serialLately;
      this.#standing = { frame, sinceMs: nowMs, serialBefore, reading: 'none', fatal: null };
      this.#keep(frame, before === null ? wait.milestone : null, nowMs);
      const came = this.#returning.came(frame);
      const worth = came !== null && came.times >= STARTS && !came.judged && this.#mayRead();
      if (worth) this.#beside(this.#readStart(frame, came, ended));
      return;
    }
    const stoodMs = nowMs - before.sinceMs;
    const worth = length <= before.serialBefore && this.#mayRead();
    if (before.reading === 'none' && worth) {
      if (stoodMs >= WARM_AFTER_MS) reader.warm();
      if (stoodMs >= READ_AFTER_MS) this.#beside(this.#read(before, ended, wait));
    }
    this.#serialLately = length;
  }

  #keep(frame: ScreenFrame, milestone: string | null, nowMs: number): void {
    const { gallery, prefix } = this.#parts;
    if (milestone === null && nowMs - this.#keptAtMs < KEEP_EVERY_MS) return;
    this.#keptAtMs = nowMs;
    gallery.keep(frame, `${prefix}${milestone ?? 'change'}`, milestone === null ? 'change' : 'milestone');
  }

  #mayRead(): boolean {
    return this.#readings < READINGS_MAX && !this.#busy;
  }

  /** What it throws (a full disk), the watch throws. */
  #beside(work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.#thrown ??= { error };
    });
  }

  async #read(standing: Standing, ended: AbortSignal, { ofThePast }: ScreenWait): Promise<void> {
    standing.reading = 'under way';
    const reading = await this.#reading(standing.frame, ended);
    if (reading === null) return; // the watch has ended meanwhile
    standing.reading = reading;
    const fatal = 'why' in reading ? null : fatalSignature(reading.text, 'screen');
    if (fatal !== null && !(await ofThePast(fatal))) standing.fatal = fatal;
  }

  /** Decides whether a picture that came back is that of a start. */
  async #readStart(frame: ScreenFrame, came: Returning, ended: AbortSignal): Promise<void> {
    const reading = await this.#reading(frame, ended);
    came.judged = reading !== null;
    const start = reading === null || 'why' in reading ? null : startOnScreen(reading.text);
    if (start !== null) this.#loop = { name: 'boot-loop', proves: 'stuck', line: `${start.line}, ${came.times} times` };
  }

  /** Null: the watch ended meanwhile. */
  async #reading(frame: ScreenFrame, ended: AbortSignal): Promise<Reading | null> {
    const { reader, clock, evidence, gallery, prefix } = this.#parts;
    this.#readings++;
    this.#busy = true;
    // What a text is read off may decide a verdict: somebody will want to see it.
    const picture = gallery.keep(frame, `${prefix}read`, 'change');
    const reading = await reader.read(frame, Deadline.after(READ_MS, ended, clock)).catch(() => null);
    this.#busy = false;
    if (ended.aborted) return null;
    if (reading !== null) evidence.record('console', 'screen read', { waiting: true, picture, ...reading });
    return reading;
  }

  #fatal(): Fatal | null {
    const standing = this.#standing;
    if (standing === null || this.#parts.clock.nowMs() - standing.sinceMs < STANDS_MS) return null;
    return standing.fatal;
  }
}
