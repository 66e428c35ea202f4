/**
 * Ends nights that go on although nobody waits for them any more: a CI that cancels a job stops the process that it
 * started, and often no other. First in good order; whoever takes too long is told a second time, and leaves at once.
 * Only a process that is surely of such a night is ever signalled.
 */
import { type Clock, Deadline } from '../deadline.ts';
import { isSurely, type ProcessPlace, processState } from '../process/process-place.ts';
import type { PastAttempt, PastNight } from './past-nights.ts';

/** Clean-up of a run: a VM that is stopped hard and deleted, its disks, and a look whether they went. */
const ORDERLY_MS = 90_000;
const AT_ONCE_MS = 15_000;
const LOOK_MS = 250;

/** Processes as they are; injected, so that no test signals anybody. */
export interface Processes {
  state(was: ProcessPlace): 'alive' | 'dead' | 'unknown';
  /** SIGTERM, where it is surely that one. */
  end(was: ProcessPlace): void;
}

export const systemProcesses: Processes = {
  state: processState,
  end: (was) => {
    if (!isSurely(was)) return;
    try {
      process.kill(was.pid, 'SIGTERM');
    } catch {
      return; // it has ended meanwhile, or is not ours to end: the next look tells
    }
  },
};

export interface EndOptions {
  readonly processes: Processes;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  /** One line for each thing. */
  readonly tell: (line: string) => void;
}

/** Something that goes on. */
interface Living {
  readonly name: string;
  readonly process: ProcessPlace;
}

/** @throws the interrupt. Who is left is told by `PastNight.attempts` and `Processes.state`. */
export async function endNights(nights: readonly PastNight[], options: EndOptions): Promise<void> {
  if (living(nights, options.processes).length === 0) return;
  await tellAll(nights, 'it is asked to end', ORDERLY_MS, options);
  await tellAll(nights, 'it is told to leave at once', AT_ONCE_MS, options);
}

/** Who is to be told: a night, which tells its cases; cases, where it is gone. */
function living(nights: readonly PastNight[], processes: Processes): readonly (Living & { readonly told: boolean })[] {
  return nights.flatMap(({ dir, process, attempts }) => {
    const alive = process !== null && processes.state(process) === 'alive';
    const cases = attempts().flatMap(({ name, process: of }) =>
      of !== null && processes.state(of) === 'alive' ? [{ name, process: of, told: !alive }] : [],
    );
    return alive ? [{ name: dir, process, told: true }, ...cases] : cases;
  });
}

async function tellAll(
  nights: readonly PastNight[],
  what: string,
  budgetMs: number,
  { processes, signal, clock, tell }: EndOptions,
): Promise<void> {
  const deadline = Deadline.after(budgetMs, signal, clock);
  const told = new Set<string>();
  for (let left = living(nights, processes); left.length > 0; left = living(nights, processes)) {
    for (const { name, process, told: isToTell } of left) {
      if (!isToTell || told.has(name)) continue;
      told.add(name);
      tell(`${name} still runs as process ${process.pid}: ${what}`);
      processes.end(process);
    }
    if (deadline.expired()) return;
    await deadline.clock.sleep(LOOK_MS, signal);
    deadline.check();
  }
}

/** Why nothing may be taken from a run yet; null: it has ended. */
export function whyNot({ process, ended, workdir }: PastAttempt, processes: Processes): string | null {
  if (process === null) {
    // Who has no workdir was not started, or is not so far that anything could be taken from it.
    return ended || workdir === null ? null : 'may still run: nobody wrote down as which process';
  }
  const now = processes.state(process);
  if (now === 'dead') return null;
  return now === 'alive'
    ? `still runs as process ${process.pid}`
    : `may still run on ${process.host}, as process ${process.pid} of another container or machine`;
}
