/**
 * `npm run sweep -- --nights DIR`: takes back what nights left, on every lab that they used. For the last step of a CI
 * job, however the step before it has ended: what still runs is ended first, since nothing is taken from a living run.
 */
import { isDeepStrictEqual } from 'node:util';
import { EXIT } from '../../help/exits.ts';
import { Deadline } from '../deadline.ts';
import type { DeadRun, SweepLines } from '../lab.ts';
import { endNights, systemProcesses, whyNot } from '../night/end-nights.ts';
import { nightsIn, type PastAttempt, type PastNight, writeDownProcess } from '../night/past-nights.ts';
import { sweepWithLate } from '../night/sweep-late.ts';
import { cacheDir, requestOf } from '../options/config.ts';
import { type Environment, Given } from '../options/given.ts';
import { OPTIONS } from '../options/options.ts';
import { prepareSettings } from '../prepare/prepare.ts';
import { mayLeaveMore } from '../process/predecessors.ts';
import { RunRegistry } from '../process/run-registry.ts';
import { readJournal } from '../workdir/journal-reading.ts';
import { codeIn } from '../workdir/make-folder.ts';
import { sameCredential, type XoLabSettings } from '../xcpng/settings.ts';
import { sweepXo } from '../xcpng/sweep.ts';
import { type Call, failed } from './command.ts';

const LAB_MS = 10 * 60_000;

/** A run that has ended, with what a sweep wants to know of it. */
interface EndedRun extends DeadRun {
  readonly workdir: string;
}

/** A night with runs that have ended. */
interface NightToSweep {
  readonly night: PastNight;
  readonly runs: readonly EndedRun[];
  /** False as soon as one of its labs was not swept well: which run was on which is not written down. */
  fine: boolean;
}

/** One Xen Orchestra as one user sees it. */
interface NightsLab {
  readonly settings: XoLabSettings;
  readonly nights: NightToSweep[];
}

export interface NightsWish {
  readonly from: string;
  readonly dir: string;
  readonly dryRun: boolean;
  /** Tells what was swept. */
  readonly printSwept: (swept: SweepLines) => void;
}

/** Its options are read already. */
type NightsCall = Omit<Call, 'given'>;

/** @returns the exit code: the worst of all labs @throws Fault of the caller, the interrupt */
export async function sweepNights(wish: NightsWish, call: NightsCall): Promise<number> {
  const { from, dir, dryRun } = wish;
  const { print, told, signal, environment } = call;
  const registry = new RunRegistry(cacheDir(environment));
  const nights = nightsIn(from, dir, registry);
  if (nights.length === 0) print(`${dir}: no night was begun here, nothing to take back`);
  if (!dryRun) await endNights(nights, { processes: systemProcesses, signal, tell: told.note });
  const codes: number[] = [];
  const toSweep = nights.flatMap((night) => nightToSweep(night, print, codes));
  if (nights.length > 0 && toSweep.length + codes.length === 0) {
    print(`${nights.length} nights: no run came so far that it made anything`);
  }
  const labs = labsOf(toSweep, environment, (thrown) => void codes.push(failed(thrown, told)));
  for (const lab of labs) codes.push(await sweepLab(lab, wish, call));
  if (!dryRun) for (const lab of labs) forget(registry, lab, told.note);
  return [EXIT.bug, EXIT.misuse, EXIT.lab].find((code) => codes.includes(code)) ?? EXIT.fine;
}

/** Tells what of it cannot be swept, or need not be. @param codes added to, where that is no good end */
function nightToSweep(night: PastNight, print: Call['print'], codes: number[]): readonly NightToSweep[] {
  const attempts = night.attempts();
  for (const each of attempts) {
    const why = whyNot(each, systemProcesses);
    if (why === null) continue;
    print(`NOT SWEPT ${each.name}${each.runId === null ? '' : `, run ${each.runId}`}: it ${why}`);
    codes.push(EXIT.lab);
  }
  const runs = attempts.flatMap((each) => (whyNot(each, systemProcesses) === null ? runOf(each) : []));
  if (runs.length === 0) return [];
  if (night.labs === null) {
    print(`NOT SWEPT ${night.dir}: nobody wrote down on which labs its ${runs.length} runs were; sweep each by --lab`);
    codes.push(EXIT.lab);
  } else if (night.labs.length === 0) {
    print(`${night.dir}: ${runs.length} runs, on embedded labs only, which ended with them`);
  }
  return [{ night, runs, fine: true }];
}

const runOf = ({ runId, workdir }: PastAttempt): readonly EndedRun[] =>
  runId === null || workdir === null ? [] : [{ runId, workdir, ...readJournal(workdir) }];

/** Each user of each Xen Orchestra once. @param refuse told of a lab that cannot be had any more, once for each */
function labsOf(
  nights: readonly NightToSweep[],
  environment: Environment,
  refuse: (thrown: unknown) => void,
): readonly NightsLab[] {
  const byArgs = new Map<string, NightsLab | null>();
  const labs: NightsLab[] = [];
  const labAt = (args: readonly string[]): NightsLab | null => {
    try {
      const settings = prepareSettings(requestOf(new Given(OPTIONS, args, environment), environment));
      const known = labs.find((each) => seesTheSame(each.settings, settings));
      if (known !== undefined) return known;
      const lab = { settings, nights: [] };
      labs.push(lab);
      return lab;
    } catch (thrown) {
      refuse(thrown);
      return null;
    }
  };
  for (const each of nights) {
    for (const args of each.night.labs ?? []) {
      const key = JSON.stringify(args);
      const lab = byArgs.has(key) ? byArgs.get(key) : labAt(args);
      byArgs.set(key, lab ?? null);
      if (!lab) each.fine = false;
      else if (!lab.nights.includes(each)) lab.nights.push(each);
    }
  }
  return labs;
}

/** Another user may see, and delete, other machines. */
const seesTheSame = (a: XoLabSettings, b: XoLabSettings): boolean =>
  a.url === b.url && isDeepStrictEqual(a.tls, b.tls) && sameCredential(a.credential, b.credential);

/** @returns the exit code of this lab @throws the interrupt */
async function sweepLab({ settings, nights }: NightsLab, wish: NightsWish, call: NightsCall): Promise<number> {
  const { print, told, signal } = call;
  const { dryRun, printSwept } = wish;
  const runs = nights.flatMap((each) => each.runs);
  print(`${settings.url}: ${runs.length} runs of ${nights.length} nights`);
  let code: number = EXIT.lab;
  try {
    const asked = { dead: runs, only: runs.map(({ runId }) => runId), dryRun, takesKept: false };
    const { swept, late } = await sweepWithLate({
      deadline: Deadline.after(LAB_MS, signal),
      sweep: (deadline) => sweepXo(settings, asked, deadline),
      pending: () => (dryRun ? [] : runs.filter((each) => mayLeaveMore(each)).map(({ runId }) => runId)),
    });
    printSwept(swept);
    if (late.length > 0) {
      print(`MAY STILL COME ${late.join(', ')}: killed while something was asked for; sweep again in ten minutes`);
    }
    if (swept.stayed.length + late.length === 0) code = EXIT.fine;
  } catch (thrown) {
    signal.throwIfAborted();
    code = failed(thrown, told);
  }
  if (code !== EXIT.fine) for (const each of nights) each.fine = false;
  return code;
}

/** What may still come stays on the list of the next run of this machine, and so does what is kept for somebody. */
function forget(registry: RunRegistry, { settings, nights }: NightsLab, tell: (line: string) => void): void {
  const settled = new Map(
    nights.flatMap(({ fine, runs }) => (fine ? runs.map(({ runId, workdir }) => [runId, workdir] as const) : [])),
  );
  for (const { runId, state } of registry.runs(settings.url)) {
    const workdir = settled.get(runId);
    if (state !== 'dead' || workdir === undefined) continue;
    try {
      // Else the next sweep of these nights could not know that it has ended.
      writeDownProcess(workdir, registry.processOf(runId));
      registry.forget(runId);
    } catch (error) {
      tell(`run ${runId} is not forgotten, since its night cannot be written to${codeIn(error)}`);
    }
  }
}
