/**
 * Runs the cases of a night: as many at a time as each lab has room for. Only what is the lab's fault is tried again;
 * a fault that concerns the whole lab ends its remaining cases at once.
 */
import { join } from 'node:path';
import { EXIT } from '../../help/exits.ts';
import type { FaultCode } from '../faults/fault-table.ts';
import { faultRecord } from '../faults/faults.ts';
import type { FaultRecord, Verdict } from '../model.ts';
import { bugBehind } from '../process/interrupt.ts';
import type { CaseEnds, Tell } from '../progress/event.ts';
import { causeIn, causeOf } from '../progress/run-ends.ts';
import { type Attempt, type CaseSummary, type KnownNote, standing } from '../report/summary.ts';
import type { Attempted } from './attempt.ts';
import type { NightCase, NightLab } from './cases.ts';

/**
 * Whatever case comes next there would end by the same. Not BAD_FIXED_VM, which may be about the size of one image, and
 * costs a few seconds where it is not.
 */
const WHOLE_LAB: ReadonlySet<string> = new Set<FaultCode>([
  ...(['EMBEDDED_LAB_FAILED', 'LAB_UNSUPPORTED', 'BAD_LAB_FILE', 'BAD_URL', 'BAD_PLACEMENT'] as const),
  ...(['XO_UNREACHABLE', 'XO_SIGN_IN_REFUSED', 'XO_TOKEN_EXPIRED', 'XO_PERMISSION'] as const),
  ...(['XO_CERTIFICATE_UNTRUSTED', 'XO_CERTIFICATE_CHANGED', 'SR_UNUSABLE', 'SR_FULL', 'HOST_UNUSABLE'] as const),
  ...(['JUMP_UNREACHABLE', 'JUMP_KEY_REFUSED', 'JUMP_HOST_KEY', 'JUMP_FORBIDS_FORWARD', 'CONTROL_SILENT'] as const),
]);

export interface NightOptions {
  readonly labs: readonly NightLab[];
  readonly retries: number;
  /** Where the workdirs of the cases are. */
  readonly dir: string;
  readonly signal: AbortSignal;
  readonly run: (theCase: NightCase, dir: string, attempt: number) => Promise<Attempted>;
  readonly tell: Tell;
  /** The failures of this case that are known. */
  readonly known: (theCase: NightCase, verdict: Verdict) => readonly KnownNote[];
  /** Is this run, which has ended, one that the next run on its lab sweeps? False as soon as that was done. */
  readonly awaitsSweep: (runId: string) => boolean;
  /** Told of each attempt that has ended. */
  readonly onEnd: (end: NightCaseEnd) => void;
  /** Milliseconds, monotonic. */
  readonly nowMs: () => number;
  /** ISO 8601. */
  readonly time: () => string;
}

/** A case that has ended, with what its run wrote of itself. */
export interface NightCaseEnd {
  readonly theCase: NightCase;
  readonly summary: CaseSummary;
  readonly attempted: Attempted;
}

/** An attempt that another one followed. */
interface Repeated {
  readonly attempt: Attempt;
  /** Its run, where it left something that a later run on the lab looks for; null: it did not, or nobody does. */
  readonly toSweep: string | null;
}

/** In the order of the plan, whenever they ended. */
export async function runNight(options: NightOptions): Promise<readonly CaseSummary[]> {
  const labs = await Promise.all(options.labs.map((lab) => new LabNight(lab, options).run()));
  return labs.flat();
}

/** Of a case that was not begun. */
const NOTHING = { runId: null, imageSha256: null, leaked: [], workdir: null, repeat: null, stored: null };

class LabNight {
  readonly #lab: NightLab;
  readonly #options: NightOptions;
  readonly #summaries = new Map<NightCase, CaseSummary>();
  /** What ended the lab for tonight, and whose case saw it first. */
  #sticky: { readonly cause: FaultRecord; readonly by: string } | null = null;

  constructor(lab: NightLab, options: NightOptions) {
    this.#lab = lab;
    this.#options = options;
  }

  async run(): Promise<readonly CaseSummary[]> {
    const queue = [...this.#lab.cases];
    const lane = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const summary = await this.#case(next);
        this.#summaries.set(next, summary);
        this.#options.tell(caseEnds(summary), { case: next.name, attempt: summary.retried.length + 1 });
      }
    };
    await Promise.all(Array.from({ length: Math.min(this.#lab.lanes, queue.length) }, lane));
    return this.#lab.cases.flatMap((each) => this.#summaries.get(each) ?? []);
  }

  async #case(theCase: NightCase): Promise<CaseSummary> {
    const { retries, tell, nowMs, time, signal } = this.#options;
    const [startedAt, startedMs] = [time(), nowMs()];
    const retried: Repeated[] = [];
    for (;;) {
      const nth = retried.length + 1;
      const notRun = this.#notRun();
      const of = { case: theCase.name, attempt: nth };
      if (notRun === null) tell({ event: 'attempt-begins', lab: theCase.lab.name }, of);
      const attemptMs = nowMs();
      const attempted = notRun ?? (await this.#attempt(theCase, nth));
      const summary = this.#summarize(theCase, attempted, { startedAt, startedMs, retried });
      this.#options.onEnd({ theCase, summary, attempted });
      const cause = notRun === null ? this.#lookAt(theCase, attempted) : null;
      if (cause === null || nth > retries || signal.aborted || this.#sticky !== null) return summary;
      const { workdir, leaked, runId } = attempted;
      const toSweep = runId !== null && leaked.length > 0 && this.#options.awaitsSweep(runId) ? runId : null;
      retried.push({ attempt: { cause, seconds: (nowMs() - attemptMs) / 1000, workdir, leaked }, toSweep });
      tell({ event: 'attempt-repeated', cause: causeOf(cause) }, of);
    }
  }

  /** What keeps a case from being begun is no other's end. @throws our own bugs */
  async #attempt(theCase: NightCase, nth: number): Promise<Attempted> {
    const { dir, run } = this.#options;
    try {
      return await run(theCase, join(dir, theCase.name, `attempt-${nth}`), nth);
    } catch (error) {
      const cause = faultRecord(error);
      if (cause.party === 'harness') throw error;
      return { ...NOTHING, verdict: { status: 'ERROR', checks: [], cause }, exitCode: EXIT.lab };
    }
  }

  #summarize(
    theCase: NightCase,
    attempted: Attempted,
    { startedAt, startedMs, retried }: { startedAt: string; startedMs: number; retried: readonly Repeated[] },
  ): CaseSummary {
    const { name, phase, image, lab } = theCase;
    const { verdict, runId, imageSha256, workdir, repeat } = attempted;
    const leaked = [...this.#leftBy(retried), ...attempted.leaked];
    const exitCode = attempted.exitCode === 0 && leaked.length > 0 ? EXIT.lab : attempted.exitCode;
    return {
      ...{
        name,
        scenario: phase.scenario.name,
        image: image.name,
        imageSha256,
        lab: lab.name,
        runId,
        verdict,
        exitCode,
      },
      ...{ leaked, startedAt, seconds: (this.#options.nowMs() - startedMs) / 1000, workdir, repeat },
      ...{ retried: retried.map(({ attempt }) => attempt), known: this.#options.known(theCase, verdict) },
    };
  }

  /** What an earlier attempt left is no less left, although a later one ended well; unless a later one swept it. */
  #leftBy(retried: readonly Repeated[]): readonly string[] {
    return retried.flatMap(({ attempt, toSweep }, index) => {
      const isSwept = toSweep !== null && !this.#options.awaitsSweep(toSweep);
      return isSwept ? [] : attempt.leaked.map((each) => `${each} (after attempt ${index + 1})`);
    });
  }

  /** @returns a fault of the lab that another attempt may not meet; null: there is none */
  #lookAt({ name, image }: NightCase, { verdict }: Attempted): FaultRecord | null {
    const cause = verdict.status === 'ERROR' ? verdict.cause : null;
    if (cause === null) return null;
    const ofItsOwn = cause.code === 'CONTROL_SILENT' && image.control !== null;
    if (WHOLE_LAB.has(cause.code) && !ofItsOwn && this.#sticky === null) {
      this.#sticky = { cause, by: name };
      this.#options.tell({ event: 'lab-given-up', lab: this.#lab.name, cause: causeOf(cause) });
    }
    return cause.party === 'lab' ? cause : null;
  }

  /** Why nothing is begun any more; null: it is. */
  #notRun(): Attempted | null {
    const { signal } = this.#options;
    if (signal.aborted) {
      const how = bugBehind(signal) === null ? 'was interrupted' : 'was ended by a bug of ours';
      const reason = `the night ${how} before it was its turn`;
      return { ...NOTHING, verdict: { status: 'SKIP', checks: [], reason }, exitCode: 0 };
    }
    if (this.#sticky === null) return null;
    const { cause, by } = this.#sticky;
    const same = { ...cause, message: `${cause.message} (seen by ${by}; this case did not run)` };
    return {
      ...NOTHING,
      verdict: { status: 'ERROR', checks: [], cause: same },
      exitCode: cause.party === 'caller' ? 2 : 3,
    };
  }
}

function caseEnds(summary: CaseSummary): CaseEnds {
  const { verdict, lab, exitCode, seconds, leaked, workdir, retried } = summary;
  const { status } = verdict;
  return {
    ...{ event: 'case-ends', lab, status, standing: standing(summary), cause: causeIn(verdict) },
    ...{ skipped: status === 'SKIP' ? verdict.reason : null, exitCode, seconds, attempts: retried.length + 1 },
    ...{ leaked, workdir },
  };
}

const SEVERITY = [70, 1, 3, 0] as const;

/**
 * Of a night (design §3): 70 over 1 over 3 over 0; 130 where it was interrupted. A call that was refused counts as
 * what says nothing about the image.
 */
export function nightExitCode(codes: readonly number[], interrupted: boolean): number {
  if (interrupted) return 130;
  const known = codes.map((code) => {
    if (code === 2 || code === 130) return 3;
    return SEVERITY.find((each) => each === code) ?? 70;
  });
  return SEVERITY.find((code) => known.includes(code)) ?? 0;
}
