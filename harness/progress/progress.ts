/**
 * The one place that all progress goes through: stamps what happens, bounds how often, takes secrets out, and hands it
 * to every reporter.
 */
import { type Clock, type Repeat, systemClock, systemRepeat } from '../deadline.ts';
import type { FaultRecord } from '../model.ts';
import { scrub } from '../workdir/secrets.ts';
import { EVENTS_SCHEMA, type Event, type Happening, type Of, type Tell } from './event.ts';

/** Shows or writes events. */
export interface Reporter {
  on(event: Event): void;
  /** Called now and then while nothing may happen; seconds as in `Stamp.elapsedS`. Null: it needs none. */
  readonly tick: { readonly everyMs: number; run(nowS: number): void } | null;
  /** Nothing is told any more. @throws Fault OUTPUT_UNWRITABLE where what it wrote is not whole */
  end(): Promise<void>;
  /** Something else is about to be printed, or the process about to be gone: what must not stay on a terminal goes. */
  leave(): void;
}

/** A transfer is told so often at most, besides its first and its last piece. */
const TRANSFER_EVERY_MS = 250;
const WAITING_EVERY_MS = 1_000;
export const NOBODY: Of = { case: null, attempt: null };

/** What a test makes by hand. */
export interface Times {
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Of day, ISO 8601. */
  readonly time: () => string;
  readonly repeat: Repeat;
}

const REAL: Times = { clock: systemClock, time: () => new Date().toISOString(), repeat: systemRepeat };

interface Passed {
  readonly doneBytes: number;
  readonly atMs: number;
}

export class Progress {
  readonly #reporters: readonly Reporter[];
  readonly #clock: Times['clock'];
  readonly #time: () => string;
  readonly #startedMs: number;
  readonly #stops: readonly (() => void)[];
  readonly #transfers = new Map<string, Passed>();
  #thrown: { readonly error: unknown } | null = null;
  #waitedMs = Number.NEGATIVE_INFINITY;

  constructor(reporters: readonly Reporter[], { clock, time, repeat }: Times = REAL) {
    this.#reporters = reporters;
    this.#clock = clock;
    this.#time = time;
    this.#startedMs = clock.nowMs();
    this.#stops = reporters.flatMap(({ tick }) =>
      tick === null ? [] : [repeat(tick.everyMs, () => this.#guard(() => tick.run(this.#nowS())))],
    );
  }

  readonly tell: Tell = (happening, of = NOBODY) => {
    if (of.case !== null || this.#isWorthIt(happening)) this.#hand(happening, of, this.#time());
  };

  readonly note = (text: string): void => this.tell({ event: 'note', text });

  readonly step = (step: string): void => this.tell({ event: 'step-begins', step });

  /** @param hints lines that help the caller */
  readonly refused = (cause: FaultRecord, exitCode: number, hints: readonly string[] = []): void => {
    const { code, party, message, remedy } = cause;
    this.tell({ event: 'refused', cause: { code, party, message, remedy }, exitCode, hints });
  };

  /** What a process of ours told of its case, as it came. @param event as it was stamped there */
  relay({ schema: _, time, elapsedS: __, case: ___, attempt: ____, ...happening }: Event, of: Of): void {
    this.#hand(happening, of, time);
  }

  /** Ends all reporters, whatever becomes of one. @throws Fault OUTPUT_UNWRITABLE; the first bug of a reporter */
  async end(): Promise<void> {
    for (const stop of this.#stops) stop();
    const ended = await Promise.allSettled(this.#reporters.map(async (reporter) => reporter.end()));
    if (this.#thrown !== null) throw this.#thrown.error;
    for (const each of ended) if (each.status === 'rejected') throw each.reason;
  }

  /** To be called before anybody else prints, and before the process ends in disorder. */
  readonly leave = (): void => {
    for (const reporter of this.#reporters) this.#guard(() => reporter.leave());
  };

  #hand(happening: Happening, of: Of, time: string): void {
    const stamp = { schema: EVENTS_SCHEMA, event: happening.event, time, elapsedS: this.#nowS() } as const;
    const event: Event = { ...stamp, ...of, ...withoutSecrets(happening) };
    for (const reporter of this.#reporters) this.#guard(() => reporter.on(event));
  }

  /** Whoever tells is in the middle of work that must go on, and the other reporters have to be told as well. */
  #guard(show: () => void): void {
    try {
      show();
    } catch (error) {
      this.#thrown ??= { error };
    }
  }

  #nowS(): number {
    return Math.round(this.#clock.nowMs() - this.#startedMs) / 1000;
  }

  #isWorthIt(happening: Happening): boolean {
    const nowMs = this.#clock.nowMs();
    if (happening.event === 'waiting') {
      if (nowMs - this.#waitedMs < WAITING_EVERY_MS) return false;
      this.#waitedMs = nowMs;
    }
    if (happening.event !== 'transfer') return true;
    const { what, doneBytes, totalBytes } = happening;
    const last = this.#transfers.get(what);
    const middle = last !== undefined && doneBytes >= last.doneBytes && doneBytes < totalBytes;
    if (middle && nowMs - last.atMs < TRANSFER_EVERY_MS) return false;
    this.#transfers.set(what, { doneBytes, atMs: nowMs });
    return last === undefined || doneBytes !== last.doneBytes;
  }
}

/** In the texts alone: a secret that looks like a word of ours must not change what an event is. */
function withoutSecrets(happening: Happening): Happening {
  const clean = (value: unknown): unknown => {
    if (typeof value === 'string') return scrub(value);
    if (Array.isArray(value)) return value.map(clean);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, clean(each)]));
  };
  return { ...(clean(happening) as Happening), event: happening.event } as Happening;
}
