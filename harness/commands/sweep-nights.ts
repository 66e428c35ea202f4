/**
 * `npm run sweep -- --nights DIR`: takes back what nights left, on every lab that they used. For the last step of a CI
 * job, however the step before it has ended: what still runs is ended first, since nothing is taken from a living run.
 */
import { EXIT } from '../../help/exits.ts';
import { type Request, requestOf } from '../config.ts';
import { Deadline } from '../deadline.ts';
import { type Environment, Given } from '../given.ts';
import { readJournal } from '../journal-reading.ts';
import type { DeadRun, SweepLines } from '../lab.ts';
import { endNights, systemProcesses, whyNot } from '../night/end-nights.ts';
import { nightsIn, type PastAttempt, type PastNight } from '../night/past-nights.ts';
import { OPTIONS } from '../options.ts';
import { mayLeaveMore } from '../predecessors.ts';
import { prepareSettings } from '../prepare.ts';
import { RunRegistry } from '../run-registry.ts';
import type { XoLabSettings } from '../xcpng/settings.ts';
import { sweepXo } from '../xcpng/sweep.ts';
import { type Call, failed } from './command.ts';

const LAB_MS = 10 * 60_000;
/** What was asked for when the run died comes within seconds, as a rule. */
const LATE_MS = 60_000;
const LOOK_MS = 3_000;

/** A run that has ended, with what a sweep wants to know of it. */
interface EndedRun extends DeadRun {
  readonly workdir: string;
}

export interface NightsWish {
  readonly from: string;
  readonly dir: string;
  readonly dryRun: boolean;
  /** Tells what was swept. */
  readonly printSwept: (swept: SweepLines) => void;
}

/** @returns the exit code: the worst of all labs @throws Fault of the caller, the interrupt */
export async function sweepNights({ from, dir, dryRun, printSwept }: NightsWish, call: Call): Promise<number> {
  const { print, told, signal, environment } = call;
  const nights = nightsIn(from, dir);
  if (nights.length === 0) print(`${dir}: no night was begun here, nothing to take back`);
  // Before anything is ended: a call that is refused changes nothing.
  const labs = labsOf(nights, environment);
  if (!dryRun) await endNights(nights, { processes: systemProcesses, signal, tell: told.note });
  const attempts = nights.flatMap((each) => each.attempts());
  const codes: number[] = [];
  for (const each of attempts) {
    const why = whyNot(each, systemProcesses);
    if (why === null) continue;
    print(`NOT SWEPT ${each.name}${each.runId === null ? '' : `, run ${each.runId}`}: it ${why}`);
    codes.push(EXIT.lab);
  }
  const ended = attempts.flatMap((each) => (whyNot(each, systemProcesses) === null ? runOf(each) : []));
  if (attempts.length > 0 && ended.length + codes.length === 0) {
    print(`${nights.length} nights: no run came so far that it made anything`);
  }
  for (const { request, settings } of ended.length === 0 ? [] : labs) {
    print(`${settings.url}: ${ended.length} runs of ${nights.length} nights`);
    try {
      const swept = await sweepLab(settings, ended, { dryRun, signal, tell: told.note });
      printSwept(swept);
      if (swept.stayed.length > 0) codes.push(EXIT.lab);
      else if (!dryRun) forget(new RunRegistry(request.cacheDir), settings.url, ended);
    } catch (thrown) {
      signal.throwIfAborted();
      codes.push(failed(thrown, told));
    }
  }
  return [EXIT.bug, EXIT.misuse, EXIT.lab].find((code) => codes.includes(code)) ?? EXIT.fine;
}

const runOf = ({ runId, workdir }: PastAttempt): readonly EndedRun[] =>
  runId === null || workdir === null ? [] : [{ runId, workdir, ...readJournal(workdir) }];

interface NightsLab {
  readonly request: Request;
  readonly settings: XoLabSettings;
}

/** Each Xen Orchestra once. @throws Fault of the caller */
function labsOf(nights: readonly PastNight[], environment: Environment): readonly NightsLab[] {
  const byUrl = new Map<string, NightsLab>();
  for (const args of nights.flatMap(({ labs }) => labs)) {
    const request = requestOf(new Given(OPTIONS, args, environment), environment);
    const settings = prepareSettings(request);
    if (!byUrl.has(settings.url)) byUrl.set(settings.url, { request, settings });
  }
  return [...byUrl.values()];
}

/** Once more while something may come that a run asked for when it was killed. */
async function sweepLab(
  settings: XoLabSettings,
  runs: readonly EndedRun[],
  { dryRun, signal, tell }: { readonly dryRun: boolean; readonly signal: AbortSignal; tell(line: string): void },
): Promise<SweepLines> {
  const deadline = Deadline.after(LAB_MS, signal);
  const wish = { dead: runs, only: runs.map(({ runId }) => runId), dryRun, takesKept: false };
  const late = deadline.within(LATE_MS);
  const removed: string[] = [];
  for (;;) {
    const swept = await sweepXo(settings, wish, deadline);
    removed.push(...swept.removed);
    const pending = dryRun ? [] : runs.filter((each) => mayLeaveMore(each));
    if (pending.length === 0 || swept.stayed.length > 0) return { ...swept, removed };
    const ids = pending.map(({ runId }) => runId).join(', ');
    if (late.expired()) {
      tell(`${ids}: killed while something was asked for, which has not come; look again in some minutes`);
      return { ...swept, removed };
    }
    await deadline.clock.sleep(LOOK_MS, signal);
    deadline.check();
  }
}

/** What may still come stays on the list of the next run of this machine, and so does what is kept for somebody. */
function forget(registry: RunRegistry, url: string, runs: readonly EndedRun[]): void {
  const settled = new Set(runs.filter((each) => !mayLeaveMore(each)).map(({ runId }) => runId));
  for (const { runId, state } of registry.runs(url)) {
    if (state === 'dead' && settled.has(runId)) registry.forget(runId);
  }
}
