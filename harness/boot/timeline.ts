/**
 * What the time of a case went to: stages one after another, each with its budget, how much of it was used and what
 * ended it. Stages that nothing told apart are one record with a joined name (`firmware+kernel`), never a guess.
 */

import type { Budgets, StageRecord } from '../budgets.ts';
import { type Clock, systemClock } from '../deadline.ts';
import type { Firmware } from '../model.ts';
import type { Tell } from '../progress/event.ts';
import { briefStage, SLOW_SHARE, slowStage } from './slow-stages.ts';

/** A stage that is begun: what it may take (seconds, scaled); null: it has no budget. */
export interface StageBudget {
  readonly stage: string;
  readonly budgetS: number | null;
}

export type Stages = readonly [StageBudget, ...StageBudget[]];

/** Whose stage it is. */
export interface Whose {
  readonly guest: StageRecord['guest'];
  /** 1 for the first boot of a guest. */
  readonly boot: number;
}

interface Running extends Whose {
  /** Those that are not over, the present one first. */
  readonly stages: readonly StageBudget[];
  /** Can the present one be told from those after it? */
  readonly exact: boolean;
  readonly startedMs: number;
  readonly group: Group;
}

/** Stages that were begun together: what they may take together is their deadline. */
interface Group {
  readonly budgetS: number | null;
}

interface Over {
  readonly record: StageRecord;
  readonly group: Group;
}

/** Waits end a moment before or after their time. */
const TOLERANCE = 0.01;
const LONGEST_SHOWN = 3;
const NOBODY: Whose = { guest: null, boot: 1 };

/** One case's time. */
export class Timeline {
  readonly #clock: Clock;
  readonly #tell: Tell;
  readonly #startedMs: number;
  readonly #startedAtMs: number;
  readonly #over: Over[] = [];
  #running: Running | null = null;
  #watch = new AbortController();
  #seen = '';
  #onBegun: (stage: string, by: string) => void = () => undefined;

  /**
   * @param tell is told of each stage that begins and ends, and of one that has used most of its budget while it runs
   * @param startedAt the present time
   */
  constructor(tell: Tell, startedAt: Date, clock: Clock = systemClock) {
    this.#tell = tell;
    this.#clock = clock;
    this.#startedMs = clock.nowMs();
    this.#startedAtMs = startedAt.getTime();
  }

  /**
   * @param onBegun told of each stage of the image that begins, and of what was seen that shows it
   * @returns ends it
   */
  watch(onBegun: (stage: string, by: string) => void): () => void {
    this.#onBegun = onBegun;
    return () => {
      this.#onBegun = () => undefined;
    };
  }

  /**
   * Begins a stage, or several of which it is yet to be seen where one ends; ends what ran.
   * @param exact as in `reached`
   */
  begin(stages: Stages, whose: Whose = NOBODY, exact = stages.length === 1): void {
    this.end('the next stage began');
    const group = { budgetS: sum(stages.map(({ budgetS }) => budgetS)) };
    this.#run({ ...whose, stages, exact, startedMs: this.#clock.nowMs(), group });
    if (whose.guest === 'image') this.#onBegun(stages[0].stage, 'nothing of it was done yet');
  }

  /**
   * Something was seen that shows the running stages up to `stage` to be over. Ignored where they are known to be.
   * @param exact true: what ends `stage` itself will be seen the same way, so that it is told from the ones after it
   */
  reached(stage: string, seen: string, exact: boolean): void {
    const running = this.#running;
    const at = running?.stages.findIndex((each) => each.stage === stage) ?? -1;
    if (running === null || at <= 0) return;
    this.#close(running, running.stages.slice(0, at), seen);
    this.#run({ ...running, stages: running.stages.slice(at), exact, startedMs: this.#clock.nowMs() });
    if (running.guest === 'image') this.#onBegun(stage, seen);
  }

  /** The last thing seen in the stage that runs. */
  saw(seen: string): void {
    this.#seen = seen;
  }

  /** @param by what ended it */
  end(by: string): void {
    const running = this.#running;
    if (running === null) return;
    this.#close(running, present(running), by);
    this.#running = null;
  }

  /** Those that are over, in their order. */
  get records(): readonly StageRecord[] {
    return this.#over.map(({ record }) => record);
  }

  /** The last thing seen in the stage that runs; empty: nothing. */
  get lastSeen(): string {
    return this.#seen;
  }

  /**
   * Which stage ate the time, where the stages that were begun last have used up what they may take together; null:
   * they have not. One clause for the end of a message.
   */
  explain(): string | null {
    const group = this.#running?.group ?? this.#over.at(-1)?.group;
    const records = this.#until((each) => each === group);
    const given = group?.budgetS ?? null;
    const used = records.reduce((all, { seconds }) => all + seconds, 0);
    if (given === null || used < given * (1 - TOLERANCE)) return null;
    const over = ({ seconds, budgetS }: StageRecord): number => seconds - (budgetS ?? 0);
    const [worst] = [...records].sort((a, b) => over(b) - over(a));
    if (worst === undefined) return null;
    const of = records.length > 1 ? ` (${records.map(briefStage).join(', ')})` : '';
    return `time went to ${briefStage(worst)}${of}`;
  }

  /** Where the time of the whole case went: the longest stages. One clause. */
  longest(): string {
    const records = [...this.#until(() => true)].sort((a, b) => b.seconds - a.seconds);
    const seen = this.#seen === '' ? '' : `; last seen: ${this.#seen}`;
    return `time went to ${records.slice(0, LONGEST_SHOWN).map(briefStage).join(', ')}${seen}`;
  }

  #until(counts: (group: Group) => boolean): readonly StageRecord[] {
    const running = this.#running;
    const now = running !== null && counts(running.group) ? [this.#record(running, present(running), '')] : [];
    return [...this.#over.filter(({ group }) => counts(group)).map(({ record }) => record), ...now];
  }

  #run(running: Running): void {
    this.#running = running;
    this.#seen = '';
    this.#watch.abort();
    const watch = new AbortController();
    this.#watch = watch;
    const { signal } = watch;
    const { stage, guest, boot, budgetS } = this.#record(running, present(running), '');
    this.#tell({ event: 'stage-begins', stage, guest, boot, budgetS });
    if (budgetS === null) return;
    void this.#clock.sleep(budgetS * SLOW_SHARE * 1000, signal).then(() => {
      if (signal.aborted) return;
      const record = this.#record(running, present(running), '');
      const seen = this.#seen === '' ? '' : `; last seen: ${this.#seen}`;
      this.#tell({ event: 'warning', text: `slow: ${slowStage(record)} so far${seen}` });
    });
  }

  #close(running: Running, stages: readonly StageBudget[], by: string): void {
    this.#watch.abort();
    const record = this.#record(running, stages, by);
    this.#over.push({ record, group: running.group });
    const { startedAt: _, endedAt: __, ...told } = record;
    this.#tell({ event: 'stage-ends', ...told });
  }

  #record({ guest, boot, startedMs }: Running, stages: readonly StageBudget[], endedBy: string): StageRecord {
    const endedMs = this.#clock.nowMs();
    const at = (ms: number): string => new Date(this.#startedAtMs + ms - this.#startedMs).toISOString();
    const seconds = (endedMs - startedMs) / 1000;
    const budgetS = sum(stages.map((each) => each.budgetS));
    return {
      ...{ stage: stages.map(({ stage }) => stage).join('+'), guest, boot },
      ...{ startedAt: at(startedMs), endedAt: at(endedMs), seconds: round(seconds), budgetS },
      usedShare: budgetS === null ? null : round(seconds / budgetS),
      endedBy,
    };
  }
}

/** What ssh begins with, its banner, is seen on any lab: a boot without one has not come so far. */
function present({ stages, exact }: Running): readonly StageBudget[] {
  if (exact) return stages.slice(0, 1);
  return stages.filter(({ stage }, index) => stage !== 'ssh' || index === 0);
}

const round = (value: number): number => Math.round(value * 1000) / 1000;

function sum(values: readonly (number | null)[]): number | null {
  let all = 0;
  for (const value of values) {
    if (value === null) return null;
    all += value;
  }
  return round(all);
}

/** Stages of a boot, in their order; from power-on to an authenticated session. Scaled. */
export function bootStages(budgets: Budgets, firmware: Firmware, scale: number): Stages {
  const { firmwareS, kernelS, servicesS, sshS } = budgets.boot[firmware];
  return [
    { stage: 'firmware', budgetS: firmwareS * scale },
    { stage: 'kernel', budgetS: kernelS * scale },
    { stage: 'services', budgetS: servicesS * scale },
    { stage: 'ssh', budgetS: sshS * scale },
  ];
}
