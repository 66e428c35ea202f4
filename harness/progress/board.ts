/** What runs at the moment, and how many have ended: all that a view of the present needs, folded from the events. */
import type { Standing } from '../report/summary.ts';
import type { Event, Transfer } from './event.ts';

/** A transfer that goes on. */
export interface Moving {
  readonly what: Transfer['what'];
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** Where, and when (seconds as in `Stamp.elapsedS`), it was first seen. */
  readonly fromBytes: number;
  readonly sinceS: number;
}

/** A case that runs. */
export interface Activity {
  readonly name: string;
  readonly lab: string;
  /** Null: of a phase. */
  readonly attempt: number | null;
  readonly step: string;
  /** Empty: none has begun in this step. */
  readonly stage: string;
  readonly budgetS: number | null;
  /** When stage or step began, and when the attempt did. */
  readonly stageSinceS: number;
  readonly sinceS: number;
  readonly moving: Moving | null;
  /** What was seen last where it is waited for; empty: nothing. */
  readonly seen: string;
}

export interface Totals {
  readonly cases: number;
  readonly done: number;
  readonly waiting: number;
  readonly counts: Readonly<Partial<Record<Standing, number>>>;
}

export class Board {
  readonly #running = new Map<string, Activity>();
  readonly #counts = new Map<Standing, number>();
  #cases: number | null = null;
  #done = 0;

  on(event: Event): void {
    const key = event.case ?? '';
    if (event.event === 'night-begins') {
      this.#cases = event.labs.reduce((sum, { cases }) => sum + cases.length, 0);
    } else if (event.event === 'attempt-begins') {
      this.#running.set(key, begun(event, key, event.lab));
    } else if (event.event === 'run-begins' && event.case === null) {
      this.#running.set(key, begun(event, event.scenario, event.lab));
    } else if (event.event === 'case-ends') {
      this.#done++;
      this.#counts.set(event.standing, (this.#counts.get(event.standing) ?? 0) + 1);
      this.#running.delete(key);
    } else if (event.event === 'run-ends' || event.event === 'refused' || event.event === 'attempt-repeated') {
      this.#running.delete(key);
    } else {
      const before = this.#running.get(key);
      if (before !== undefined) this.#running.set(key, { ...before, ...changeOf(before, event) });
    }
  }

  /** In the order in which they began. */
  get running(): readonly Activity[] {
    return [...this.#running.values()];
  }

  /** Null: no night. */
  get totals(): Totals | null {
    if (this.#cases === null) return null;
    const waiting = Math.max(0, this.#cases - this.#done - this.#running.size);
    return { cases: this.#cases, done: this.#done, waiting, counts: Object.fromEntries(this.#counts) };
  }
}

const begun = ({ elapsedS, attempt }: Event, name: string, lab: string): Activity => ({
  ...{ name, lab, attempt, step: 'begins', stage: '', budgetS: null, moving: null, seen: '' },
  ...{ stageSinceS: elapsedS, sinceS: elapsedS },
});

function changeOf(before: Activity, event: Event): Partial<Activity> {
  switch (event.event) {
    case 'step-begins':
      // A stage that began before goes on: what is timed is finer here, and coarser there.
      return before.stage === '' ? { step: event.step, stageSinceS: event.elapsedS } : { step: event.step };
    case 'stage-begins':
      return { stage: event.stage, budgetS: event.budgetS, stageSinceS: event.elapsedS, moving: null, seen: '' };
    case 'stage-ends':
      return { stage: '', budgetS: null, stageSinceS: event.elapsedS, moving: null, seen: '' };
    case 'waiting':
      return { seen: event.seen };
    case 'transfer':
      return { moving: movedOf(before.moving, event) };
    default:
      return {};
  }
}

function movedOf(before: Moving | null, event: Event & Transfer): Moving | null {
  const { what, doneBytes, totalBytes, elapsedS } = event;
  if (doneBytes >= totalBytes) return null;
  const same = before !== null && before.what === what && doneBytes >= before.doneBytes;
  const { fromBytes, sinceS } = same ? before : { fromBytes: doneBytes, sinceS: elapsedS };
  return { what, doneBytes, totalBytes, fromBytes, sinceS };
}
