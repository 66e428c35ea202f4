/**
 * What one invocation holds open, from a valid request to its exit code: joins config, lab, run and
 * reports. The only place in the harness that knows all of them.
 */
import { randomUUID } from 'node:crypto';
import type { Writable } from 'node:stream';
import { Timeline } from './boot/timeline.ts';
import { Deadline } from './deadline.ts';
import { Fault, faultRecord } from './faults/faults.ts';
import { planImage } from './image/plan.ts';
import { Scratch } from './image/scratch.ts';
import { judge } from './judge.ts';
import type { Admission, Lab } from './lab.ts';
import type { Case, PlannedImage, Scenario, Verdict } from './model.ts';
import type { Request } from './options/config.ts';
import { checkReportsDir } from './options/history-wish.ts';
import { type EmbeddedLab, startEmbeddedLab } from './prepare/embedded.ts';
import { ofMode } from './prepare/of-mode.ts';
import { type Planned, planCase, timeLeft } from './prepare/plan-case.ts';
import { type Prepared, prepareLab } from './prepare/prepare.ts';
import { refuseBadKey } from './prepare/prepare-login.ts';
import type { SameAs } from './prepare/same-as.ts';
import { type Interrupt, leaveAtOnce, listenForInterrupt } from './process/interrupt.ts';
import { AmongOthers } from './process/predecessors.ts';
import { RunRegistry } from './process/run-registry.ts';
import { awaitTurn, endTurn } from './process/turn.ts';
import type { Progress } from './progress/progress.ts';
import { beginRun, transferTold } from './progress/told.ts';
import { closeCase } from './report/close-case.ts';
import { repeatLine, sweepLine } from './report/command-lines.ts';
import type { Report } from './report/report.ts';
import { reportOf } from './report/run-report.ts';
import { type CaseResult, run } from './run.ts';
import { Evidence } from './workdir/evidence.ts';
import { type Log, openLog } from './workdir/log.ts';
import { fillOrRemove, makeWorkdir, removeWorkdir } from './workdir/workdir.ts';
import { openXoLab } from './xcpng/lab.ts';

/** First build of the reference guest included. */
const EMBEDDED_START_MS_MAX = 15 * 60_000;
const LAB_OPEN_MS_MAX = 60_000;

export interface InvocationOptions {
  readonly scenario: Scenario;
  readonly request: Request;
  /** Told what happens, to its end; whoever calls ends it. */
  readonly told: Progress;
  /** Takes the TAP. */
  readonly out: Writable;
  /** How the user called this, for the command that runs it again. */
  readonly command: string;
  readonly args: readonly string[];
  /** What it is to be the same as; absent: it stands alone. */
  readonly sameAs?: SameAs;
}

/** One call of a phase. */
export class Invocation {
  readonly #scenario: Scenario;
  readonly #request: Request;
  readonly #told: Progress;
  readonly #out: Writable;
  readonly #repeat: string;
  readonly #sameAs: SameAs | null;
  readonly #runId = randomUUID();
  readonly #startedAt = new Date();
  readonly #startedMs = performance.now();
  readonly #scratch: Scratch;
  readonly #timeline: Timeline;
  #embedded: EmbeddedLab | null = null;
  #prepared: Prepared | null = null;
  #lab: Lab | null = null;
  #others: AmongOthers | null = null;
  #turn: Admission | null = null;
  #image: PlannedImage | null = null;
  #result: CaseResult | null = null;
  #case: Case | null = null;
  #reported: Report | null = null;

  constructor({ scenario, request, told, out, command, args, sameAs }: InvocationOptions) {
    this.#sameAs = sameAs ?? null;
    this.#scenario = scenario;
    this.#request = request;
    const { workdirRoot: dir, childEnvironment: environment } = request;
    this.#scratch = new Scratch({ dir, environment, onProgress: transferTold(told.tell, 'decompress') });
    this.#timeline = new Timeline(told.tell, this.#startedAt);
    this.#told = told;
    this.#out = out;
    this.#repeat = repeatLine(request, command, args);
  }

  /** @throws Fault of the caller before anything was created; our own bugs. */
  async go(): Promise<number> {
    const [{ imagePath, workdirRoot, label, cacheDir }, { name: scenario }] = [this.#request, this.#scenario];
    refuseBadKey(this.#request);
    checkReportsDir(this.#request);
    beginRun(this.#told, this.#request, scenario, this.#runId);
    try {
      this.#planning();
      const remembered = this.#sameAs?.remembered;
      const planned = remembered ?? (imagePath && (await planImage(imagePath, { cacheDir, scratch: this.#scratch })));
      this.#image = planned ? ofMode(this.#scenario, planned) : null;
      const workdir = makeWorkdir(workdirRoot, label ?? scenario, Math.floor(this.#startedAt.getTime() / 1000));
      this.#told.tell({ event: 'workdir-made', workdir });
      return await this.#within(workdir);
    } finally {
      this.#timeline.end('the invocation ended');
      await this.#scratch.close();
    }
  }

  async #within(workdir: string): Promise<number> {
    const { evidence, log } = fillOrRemove(this.#request.workdirRoot, workdir, () => ({
      evidence: new Evidence(workdir),
      log: openLog(workdir, { run: this.#runId, scenario: this.#scenario.name }),
    }));
    const interrupt = listenForInterrupt(
      (signal) => this.#told.note(`${signal}: stopping and cleaning up; once more leaves at once`),
      () => leaveAtOnce(workdir, sweepLine(this.#request, this.#runId), this.#embedded, this.#told.leave),
    );
    try {
      const verdict = await this.#verdict({ workdir, evidence, log, interrupt });
      return await this.#report(workdir, evidence, verdict);
    } catch (thrown) {
      if (thrown instanceof Fault && thrown.party === 'caller') removeWorkdir(workdir);
      throw thrown;
    } finally {
      interrupt.remove();
    }
  }

  /** Not scaled: it is this machine that reads, not the lab. */
  #planning(): void {
    this.#timeline.begin([{ stage: 'plan', budgetS: this.#scenario.budgets.planS }]);
  }

  /** Everything that may fail for the lab's or the image's fault; a caller's fault is thrown on. */
  async #verdict(open: Opened): Promise<Verdict> {
    try {
      this.#timeline.begin([{ stage: 'sign-in', budgetS: null }]);
      await this.#openLab(open);
      const told = { timeline: this.#timeline, tell: this.#told.note, log: open.log, signal: open.interrupt.signal };
      const scale = this.#request.budgetScale ?? this.#prepared?.budgetScale ?? 1;
      const leftMs = timeLeft(this.#request.timeLimitS, this.#scenario, scale, performance.now() - this.#startedMs);
      this.#turn = await awaitTurn(this.#lab, leftMs, { runId: this.#runId, ...told });
      this.#planning();
      const { theCase, world } = await this.#plan(open);
      this.#timeline.end('the case is planned');
      this.#case = theCase;
      this.#image = theCase.image;
      this.#result = await run(theCase, world);
      await this.#others?.afterwards();
      return this.#result.verdict;
    } catch (thrown) {
      const fault = faultRecord(thrown);
      if (fault.party === 'caller') throw thrown;
      this.#timeline.end(fault.code);
      open.log.error({ err: thrown, code: fault.code }, fault.message);
      return judge({ checks: [], fault });
    } finally {
      const { kept = null, leaked = [] } = this.#result ?? {};
      if (kept === null) this.#others?.ended(leaked.length > 0);
      await endTurn(this.#turn, this.#told.note);
      await this.#lab?.close();
      await this.#prepared?.jump?.close();
      if (kept === null) await this.#embedded?.stop();
      else this.#embedded?.leave();
    }
  }

  async #openLab({ workdir, interrupt, log }: Opened): Promise<void> {
    const { lab } = this.#request;
    if (lab.kind === 'embedded') {
      this.#told.step('start the embedded lab');
      this.#embedded = await startEmbeddedLab({
        environment: this.#request.childEnvironment,
        cacheDir: this.#request.cacheDir,
        deadline: Deadline.after(EMBEDDED_START_MS_MAX, interrupt.signal),
        onLine: (line) => {
          log.debug({ lab: line }, 'embedded lab');
          this.#told.note(`lab: ${line}`);
        },
      });
    }
    this.#prepared = prepareLab(this.#request, this.#embedded?.labFile ?? null, this.#scenario.bootMode);
    // Misuse is found before the lab is asked for anything.
    if (this.#request.imagePath === null) this.#prepared.defaultImage();
    this.#prepared.login();
    await this.#prepared.check(interrupt.signal);
    this.#told.step('sign in');
    const deadline = Deadline.after(LAB_OPEN_MS_MAX, interrupt.signal);
    this.#lab = await openXoLab(this.#prepared.settings, deadline, (what) => {
      log.warn({ xo: what }, 'session');
      this.#told.note(`Xen Orchestra: ${what}`);
    });
    this.#sameAs?.agree(this.#lab.xoVersion);
    await this.#prepared.jump?.open();
    if (lab.kind !== 'embedded') await this.#afterOthers(this.#lab, this.#prepared, { workdir, interrupt, log });
    log.info({ lab: this.#lab.name, xo: this.#lab.xoVersion, pool: this.#lab.poolName }, 'signed in');
  }

  async #afterOthers(lab: Lab, { settings: { url } }: Prepared, { workdir, interrupt, log }: Omit<Opened, 'evidence'>) {
    const tell = (text: string, stays = false): void => {
      log.warn({ sweep: text }, 'predecessors');
      this.#told.tell(stays ? { event: 'warning', text, stays } : { event: 'note', text });
    };
    const registry = new RunRegistry(this.#request.cacheDir);
    const run = { runId: this.#runId, url, workdir, startedAt: this.#startedAt.toISOString() };
    const { signal } = interrupt;
    this.#others = new AmongOthers({ registry, lab, signal, tell, step: this.#told.step, run });
    await this.#others.begin();
  }

  #plan({ workdir, evidence, log, interrupt }: Opened): Promise<Planned> {
    if (this.#prepared === null || this.#lab === null) throw new Error('the lab was not opened');
    return planCase({
      ...{ scenario: this.#scenario, request: this.#request, prepared: this.#prepared, lab: this.#lab },
      ...{ image: this.#image, sameAs: this.#sameAs, runId: this.#runId, workdir, evidence, log },
      ...{ scratch: this.#scratch, tell: this.#told.tell, timeline: this.#timeline, signal: interrupt.signal },
      keeping: {
        holdLab: this.#embedded && ((...held) => this.#embedded?.hold(...held) ?? Promise.resolve()),
        remember: (forMs) => this.#others?.keep(forMs),
      },
      spentMs: performance.now() - this.#startedMs,
    });
  }

  async #report(workdir: string, evidence: Evidence, verdict: Verdict): Promise<number> {
    this.#reported = reportOf({
      ...{ scenario: this.#scenario, request: this.#request, prepared: this.#prepared, lab: this.#lab },
      ...{ theCase: this.#case, image: this.#image, verdict, result: this.#result },
      ...{ runId: this.#runId, workdir, embeddedLabFile: this.#embedded?.labFile ?? null },
      ...{ startedAt: this.#startedAt, seconds: (performance.now() - this.#startedMs) / 1000, repeat: this.#repeat },
    });
    const { outputs: formats } = this.#request;
    return closeCase(this.#reported, { evidence, history: this.#request, formats, out: this.#out, told: this.#told });
  }

  /** Null: it has not ended, or the caller was refused. */
  get report(): Report | null {
    return this.#reported;
  }
}

interface Opened {
  readonly workdir: string;
  readonly evidence: Evidence;
  readonly log: Log;
  readonly interrupt: Interrupt;
}
