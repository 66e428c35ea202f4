/** Runs of this machine that were killed: what they left in a lab is swept before a new run makes anything there. */
import { Deadline } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import type { DeadRun, Lab } from '../lab.ts';
import { readJournal } from '../workdir/journal-reading.ts';
import { codeIn } from '../workdir/make-folder.ts';
import type { RegisteredRun, RunRegistry } from './run-registry.ts';

const SWEEP_MS = 5 * 60_000;
/** Xen Orchestra goes on with a call whose caller has died: what was asked for last may come for so long. */
const MAY_COME_MS = 10 * 60_000;

export const deadRun = ({ runId, workdir }: RegisteredRun): DeadRun => ({ runId, ...readJournal(workdir) });

/**
 * Is it too early to forget a run that was killed in the middle of asking for something?
 * @param nowMs time of day
 */
export function mayLeaveMore({ workdir }: Pick<RegisteredRun, 'workdir'>, nowMs: number = Date.now()): boolean {
  const { pending, lastMs } = readJournal(workdir);
  return pending && lastMs !== null && nowMs - lastMs < MAY_COME_MS;
}

/** Before anything is made. A machine that has no place for it is told what that costs. */
function rememberRun(
  registry: RunRegistry,
  run: Parameters<RunRegistry['add']>[0],
  tell: (line: string) => void,
): void {
  try {
    registry.add(run);
  } catch (error) {
    const cost = 'what it leaves when it is killed is swept only when it has expired';
    tell(`this run cannot be remembered on this machine${codeIn(error)}: ${cost}; name a BOOTWITNESS_CACHE_DIR`);
  }
}

/**
 * Never throws for what the lab does: that is told, and the claims expire. @throws the interrupt
 * @returns true: more may come of what they asked for last, so that it is worth while to sweep again later
 */
async function sweepPredecessors(
  lab: Lab,
  url: string,
  registry: RunRegistry,
  signal: AbortSignal,
  { tell, step }: Pick<RunAmongOthers, 'tell' | 'step'>,
): Promise<boolean> {
  registry.forgetOld(Date.now());
  const dead = registry.runs(url).filter(({ state }) => state === 'dead');
  if (dead.length === 0) return false;
  step('sweep');
  try {
    const swept = await lab.sweepDead(dead.map(deadRun), Deadline.after(SWEEP_MS, signal));
    for (const line of swept.removed) tell(`swept: ${line}`);
    for (const line of swept.stayed) tell(`STILL LEFT IN THE LAB by a run that died: ${line}`, true);
    for (const line of swept.left) tell(`left alone: ${line}`);
    const nowMs = Date.now();
    const waiting = dead.filter((each) => mayLeaveMore(each, nowMs));
    if (swept.stayed.length > 0) return waiting.length > 0;
    for (const each of dead) if (!waiting.includes(each)) registry.forget(each.runId);
    return waiting.length > 0;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof Fault)) throw error;
    tell(`what runs that died left behind could not be swept: ${error.message}`);
    return false;
  }
}

interface RunAmongOthers {
  readonly registry: RunRegistry;
  readonly lab: Lab;
  readonly run: Parameters<RunRegistry['add']>[0];
  readonly signal: AbortSignal;
  /** One line for each thing; true: something stays in the lab. */
  readonly tell: (line: string, stays?: true) => void;
  /** Told where there is something to sweep, which may take minutes. */
  readonly step: (step: string) => void;
}

/** One run among those of its machine: it sweeps what others left, and is swept by others should it be killed. */
export class AmongOthers {
  readonly #options: RunAmongOthers;
  #again = false;

  constructor(options: RunAmongOthers) {
    this.#options = options;
  }

  /** To be called before anything is made: from here on this run may leave something. @throws the interrupt */
  async begin(): Promise<void> {
    const { registry, run, tell } = this.#options;
    rememberRun(registry, run, tell);
    await this.#sweep();
  }

  /** What a killed run asked for last may have come meanwhile. @throws the interrupt */
  async afterwards(): Promise<void> {
    if (this.#again) await this.#sweep();
  }

  async #sweep(): Promise<void> {
    const { registry, lab, run, signal } = this.#options;
    this.#again = await sweepPredecessors(lab, run.url, registry, signal, this.#options);
  }

  /**
   * Its guest is to be kept for so long.
   * @throws Error of the operating system: then it must not be kept, since the next run would take it for a dead one's
   */
  keep(forMs: number): void {
    const { registry, run } = this.#options;
    registry.keep(run.runId, forMs);
  }

  /** Never throws. @param stayed something did, and the next run shall look for it */
  ended(stayed: boolean): void {
    const { registry, run, tell } = this.#options;
    try {
      registry.ended(run.runId, stayed);
    } catch (error) {
      // It is registered as running still: when this process is gone it counts as dead, and is swept as well.
      tell(`that this run has ended cannot be remembered on this machine${codeIn(error)}`);
    }
  }
}
