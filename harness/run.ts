/**
 * The only loop: one case from an empty lab to an empty lab. It knows a Lab and a Guest, never Xen
 * Orchestra, and it holds the only catch that hands a thrown thing to the judge.
 */
import { join } from 'node:path';
import { boot, cleanUpBudget, dispose, type World } from './boot.ts';
import { budget, retry } from './deadline.ts';
import { Disposals } from './disposals.ts';
import { Fault, faultRecord } from './faults.ts';
import { readRecords, recordsScript } from './guest-records.ts';
import { type Answered, confirmImage, confirmMachine, needsReadBack } from './identify.ts';
import { interview } from './interview.ts';
import { judge } from './judge.ts';
import type { Guest, ImportRecord, StoppedBy } from './lab.ts';
import { explainLoss } from './loss.ts';
import type { Case, FaultRecord, Placed, Verdict } from './model.ts';
import { powerOffOver } from './power-off.ts';
import { inOrder, type Judged, runProbes } from './probing.ts';
import { decideSilence } from './silence.ts';
import { writeWhole } from './workdir.ts';

/** One listing after clean-up; an answer may be lost, and asking again does no harm. */
const LIST_MS = 60_000;
const LIST_RETRIES = 2;
const LIST_RETRY_AFTER_MS = 500;

/** Everything that a report needs to know of a case that has ended. */
export interface CaseResult {
  readonly verdict: Verdict;
  readonly guestIdentity: 'verified' | 'unproven';
  readonly imageIdentity: 'verified' | 'chain' | 'unproven';
  readonly guestAddress: string | null;
  readonly addressSource: string | null;
  /** What the other sources said, `source=value` each. */
  readonly addressOthers: readonly string[];
  readonly hostKey: string | null;
  /** Facts that are written down and judged by nobody, by metadata key. */
  readonly records: Readonly<Record<string, string>>;
  readonly vm: string | null;
  /** What was placed where; null: nothing was started. */
  readonly placed: Placed | null;
  readonly imported: ImportRecord | null;
  /** What stopped a VM that is left halted, after its probes; null: ours are deleted, others run on. */
  readonly stoppedBy: StoppedBy | null;
  /** What is still in the lab after clean-up, listed again; empty is the proof. */
  readonly leaked: readonly string[];
  /** Seconds of each stage that was entered. */
  readonly timings: Readonly<Record<string, number>>;
}

type Found = { -readonly [K in keyof Omit<CaseResult, 'verdict' | 'leaked' | 'timings'>]: CaseResult[K] };

/** Runs the case to its end. Never throws: what was thrown is in the verdict. */
export async function run(theCase: Case, world: World): Promise<CaseResult> {
  const found: Found = {
    guestIdentity: 'unproven',
    imageIdentity: 'unproven',
    guestAddress: null,
    addressSource: null,
    addressOthers: [],
    hostKey: null,
    records: {},
    vm: null,
    placed: null,
    imported: null,
    stoppedBy: null,
  };
  const timings = new Timings(world);
  const disposals = new Disposals(world.journal);
  const judged: Judged = new Map();
  let fault: FaultRecord | null = null;
  try {
    await witness(theCase, timings.world, disposals, { found, judged });
  } catch (thrown) {
    fault = faultRecord(thrown);
    world.log.error({ err: thrown, code: fault.code }, fault.message);
  }
  timings.world.tell.stage('dispose');
  const left = await dispose(world, disposals, theCase.scenario.budgets);
  const listed = await listAgain(theCase, world);
  timings.end();
  // Also one that came while the lab was cleaned up: who stops a run is told that it was stopped.
  if (world.signal.aborted) fault = faultRecord(world.signal.reason);
  const verdict = judge({ checks: inOrder(theCase.scenario, judged), fault });
  world.evidence.record('judged', 'verdict', verdict);
  return { verdict, ...found, leaked: withoutTwins(left, listed), timings: timings.seconds };
}

interface Findings {
  readonly found: Found;
  readonly judged: Judged;
}

/** Boots, identifies and probes; what was found by then stays in `findings` when it throws. */
async function witness(theCase: Case, world: World, disposals: Disposals, findings: Findings): Promise<void> {
  const { found, judged } = findings;
  const readBack = world.readBack === 'always' || needsReadBack(theCase);
  const order = { purpose: 'image', image: theCase.image, login: world.login, readBack, disposals } as const;
  const booted = await boot(world, theCase, order);
  const { arrival, guest } = booted;
  found.vm = guest.uuid;
  found.placed = guest.placed;
  found.imported = guest.imported;
  if (arrival.state === 'silent') {
    await keepConsole(world, theCase, guest);
    throw await decideSilence(world, theCase, arrival.silence, async () => {
      await dispose(world, disposals, theCase.scenario.budgets);
    });
  }
  const { session, address } = arrival;
  found.guestAddress = address.host;
  found.addressSource = address.source;
  found.addressOthers = address.others;
  found.hostKey = session.hostKey;
  let bootId: string | null = null;
  try {
    world.tell.stage('identify');
    bootId = await confirmMachine(world, theCase, { ...booted, session });
    found.guestIdentity = 'verified';
    found.imageIdentity = await confirmImage(world, theCase, { ...booted, session });
    world.tell.stage('probe');
    await runProbes(world, { ...theCase.scenario, facts: theCase.facts }, session, judged);
    const budgetMs = budget(world, theCase.scenario.budgets.probeS).budgetMs;
    const records = await interview(world, session, { name: 'guest-records', body: recordsScript, budgetMs });
    found.records = readRecords(records.observation);
    await sameBoot(world, theCase, { ...booted, session }, bootId);
    if (guest.afterwards === 'halted') {
      world.tell.stage('stop');
      const deadline = budget(world, theCase.scenario.budgets.disposeS);
      found.stoppedBy = await guest.stop(deadline, powerOffOver(world, theCase, session));
    }
  } catch (thrown) {
    if (!(thrown instanceof Fault && thrown.code === 'SSH_LOST')) throw thrown;
    throw await explainLoss(world, theCase, booted, thrown, bootId);
  } finally {
    session.close();
    await keepConsole(world, theCase, guest);
  }
}

/** A guest that was booted anew in the middle answered some probes before and some after. */
async function sameBoot(world: World, theCase: Case, answered: Answered, bootId: string | null): Promise<void> {
  const now = await confirmMachine(world, theCase, answered);
  if (now === bootId) return;
  throw new Fault('GUEST_REBOOTED', `the guest was booted anew in the middle: boot ${now} instead of ${bootId}`);
}

/** Clean-up and the listing name the same thing in their own words (`<type> <uuid> …`): it counts once. */
function withoutTwins(left: readonly string[], listed: readonly string[]): readonly string[] {
  const subject = (text: string): string => text.split(' ', 2).join(' ');
  const named = new Set(left.map(subject));
  return [...new Set([...left, ...listed.filter((text) => !named.has(subject(text)))])];
}

/** Evidence is kept before the machine that made it is gone; a failed collection is itself recorded. */
async function keepConsole(world: World, theCase: Case, guest: Guest): Promise<void> {
  try {
    const text = await guest.console();
    if (text === undefined) {
      world.evidence.record('console', 'absent', { why: 'this lab shows no console text' });
      return;
    }
    const file = join('console', `${text.source}.txt`);
    writeWhole(join(theCase.workdir, file), text.text);
    world.evidence.record('console', text.source, { file, characters: text.text.length });
  } catch (error) {
    world.evidence.record('console', 'failed', { why: error instanceof Error ? error.message : String(error) });
  }
}

/** XO's word that something is deleted proves nothing: look again. */
async function listAgain(theCase: Case, world: World): Promise<readonly string[]> {
  try {
    const deadline = cleanUpBudget(world, theCase.scenario.budgets);
    const options = { retries: LIST_RETRIES, minTimeoutMs: LIST_RETRY_AFTER_MS, onRetry: () => undefined };
    const listed = await retry(deadline, options, () => world.lab.claimed(theCase.runId, deadline.within(LIST_MS)));
    world.journal({ event: 'listed-again', listed });
    return listed;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    world.journal({ event: 'list-failed', why });
    return [`unknown: the lab could not be listed again after clean-up (${why})`];
  }
}

/** Measures stages by listening to what is told. */
class Timings {
  readonly seconds: Record<string, number> = {};
  readonly world: World;
  #stage: string | null = null;
  #sinceMs = performance.now();
  constructor(world: World) {
    const stage = (name: string): void => {
      this.end();
      this.#stage = name;
      this.#sinceMs = performance.now();
      world.tell.stage(name);
    };
    this.world = { ...world, tell: { ...world.tell, stage } };
  }
  end(): void {
    if (this.#stage === null) return;
    const key = this.#stage.replace(/\W+/g, '_');
    const took = (performance.now() - this.#sinceMs) / 1000;
    this.seconds[key] = Math.round(((this.seconds[key] ?? 0) + took) * 1000) / 1000;
    this.#stage = null;
  }
}
