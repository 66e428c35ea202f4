/** Makes the Case and the World of a run out of what the caller asked for and the lab that was opened. */
import { cleanUpBudget, type World } from '../boot/boot.ts';
import type { Timeline } from '../boot/timeline.ts';
import { Fault } from '../faults/faults.ts';
import { unpackFirst } from '../image/open-disk.ts';
import { planImage } from '../image/plan.ts';
import type { Scratch } from '../image/scratch.ts';
import type { KeepWish } from '../keep/keep.ts';
import type { Lab } from '../lab.ts';
import type { Case, PlannedImage, Scenario } from '../model.ts';
import type { Request } from '../options/config.ts';
import type { StopStage } from '../options/stop-at.ts';
import type { Tell } from '../progress/event.ts';
import type { Evidence } from '../workdir/evidence.ts';
import { openJournal } from '../workdir/journal.ts';
import type { Log } from '../workdir/log.ts';
import { lintForRun } from './lint-run.ts';
import type { Prepared } from './prepare.ts';
import { refuseOtherImage, type SameAs } from './same-as.ts';

export interface PlanCaseOptions {
  readonly scenario: Scenario;
  readonly request: Request;
  readonly prepared: Prepared;
  readonly lab: Lab;
  /** Null: the lab's own default image is planned. */
  readonly image: PlannedImage | null;
  /** Null: the case stands alone. */
  readonly sameAs: SameAs | null;
  /** Where images are decompressed. */
  readonly scratch: Scratch;
  readonly runId: string;
  readonly workdir: string;
  readonly evidence: Evidence;
  readonly log: Log;
  readonly tell: Tell;
  readonly timeline: Timeline;
  /** What a kept guest needs besides; see `KeepWish`. */
  readonly keeping: Pick<KeepWish, 'holdLab' | 'remember'>;
  /** How long this invocation has run already. */
  readonly spentMs: number;
  /** Aborts with a Fault INTERRUPTED as its reason. */
  readonly signal: AbortSignal;
}

export interface Planned {
  readonly theCase: Case;
  readonly world: World;
}

/** @throws Fault BAD_IMAGE, BAD_WORKDIR, PROGRAM_MISSING, BAD_KEY, BAD_FIXED_VM */
export async function planCase(options: PlanCaseOptions): Promise<Planned> {
  const { request, prepared, lab, scratch, runId, workdir, evidence, log, tell, timeline, signal } = options;
  const boots = request.boots ?? prepared.boots ?? options.scenario.boots;
  const scenario = { ...options.scenario, boots };
  const budgetScale = request.budgetScale ?? prepared.budgetScale;
  const workMs = workTime(request.timeLimitS, scenario, budgetScale, options.spentMs);
  const { cacheDir, expectClosure } = request;
  const planning = { cacheDir, scratch, signal };
  const image = options.image ?? (await planImage(prepared.defaultImage(), planning));
  const login = prepared.login();
  lab.check(image);
  // Here the caller can still be told in one sentence that it does not work; nothing was made.
  const wantsBytes = lab.wantsBytes(image);
  refuseOtherImage(image, options.sameAs, wantsBytes);
  if (wantsBytes) await unpackFirst(image, scratch, signal);
  const controlPath = lab.takesControl ? prepared.controlPath : null;
  const control =
    controlPath === null ? null : { image: await planImage(controlPath, planning), login: prepared.controlLogin() };
  if (control !== null) lab.check(control.image);
  const facts = {
    bootMode: scenario.bootMode,
    paths: { ...scenario.paths, ...prepared.paths },
    expectedClosure: expectClosure ?? image.sidecar?.closure ?? null,
  };
  const id = `${scenario.name}-${runId.slice(0, 8)}`;
  evidence.record('lab', lab.name, { xoVersion: lab.xoVersion, pool: lab.poolName, kind: prepared.settings.kind });
  const { fixed, shape } = prepared.settings;
  const lintWish = { firmware: fixed === null ? shape.firmware : null, wantsBytes };
  const lint = await lintForRun(image, lintWish, { evidence, log, tell, scratch, signal });
  const world: World = {
    ...{ lab, scratch, login, control, evidence, log, tell, timeline, signal },
    ...{ workMs, budgetScale },
    readBack: request.readBack,
    ...{ keep: keepOf(options), stopAt: stopOf(request.stopAt, boots) },
    journal: openJournal(workdir),
  };
  return { theCase: { id, runId, scenario, image, workdir, facts, lint }, world };
}

function keepOf({ request, prepared, keeping }: PlanCaseOptions): World['keep'] {
  const { keep: when, keepHours } = request;
  return when === null ? null : { ...keeping, when, hours: keepHours ?? prepared.keepHours };
}

/** @throws Fault BAD_OPTION for a stage that this case has not */
function stopOf(stage: StopStage | null, boots: number): StopStage | null {
  if (stage !== 'reboot' || boots > 1) return stage;
  throw new Fault('BAD_OPTION', '--stop-at: expected a stage of this run, given "reboot" without --boots 2 or more');
}

/**
 * What a limit leaves for work, in ms: the clean-up, and the look after it, keep their own time at its end. Infinite
 * where there is no limit; 0 or less where it leaves nothing.
 */
export function timeLeft(limitS: number | null, { budgets }: Scenario, budgetScale: number, spentMs: number): number {
  if (limitS === null) return Number.POSITIVE_INFINITY;
  return limitS * 1000 - cleanUpBudget({ budgetScale }, budgets).budgetMs - spentMs;
}

/** @throws Fault BAD_OPTION where the limit leaves nothing */
function workTime(limitS: number | null, scenario: Scenario, budgetScale: number, spentMs: number): number {
  const leftMs = timeLeft(limitS, scenario, budgetScale, spentMs);
  if (leftMs > 0) return leftMs;
  const cleanUpS = cleanUpBudget({ budgetScale }, scenario.budgets).budgetMs / 1000;
  const expected = `more than the ${Math.ceil(cleanUpS + spentMs / 1000)} s that clean-up and the start need`;
  throw new Fault('BAD_OPTION', `--time-limit: expected ${expected}, given ${limitS}`);
}
