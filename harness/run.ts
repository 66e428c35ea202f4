/**
 * The only loop: one case from an empty lab to an empty lab. It knows a Lab and a Guest, never Xen
 * Orchestra, and it holds the only catch that hands a thrown thing to the judge.
 */
import { join } from 'node:path';
import type { Silence } from './boot/arrival.ts';
import { boot, dispose, type World } from './boot/boot.ts';
import { allHeld, checksOfBoots } from './boot/boots.ts';
import { explained, outerLimit } from './boot/case-time.ts';
import { lookAtBoot, nothingSeen, type Seen } from './boot/look-at-boot.ts';
import { explainLoss } from './boot/loss.ts';
import { powerOffOver } from './boot/power-off.ts';
import { reboot } from './boot/reboot.ts';
import { decideSilence } from './boot/silence.ts';
import { Timings } from './boot/timings.ts';
import type { StageRecord } from './budgets.ts';
import { consoleFault } from './console/console-fault.ts';
import type { ConsoleTold } from './console/console-told.ts';
import type { ConsoleWitness } from './console/witness.ts';
import { budget } from './deadline.ts';
import { Disposals } from './disposals.ts';
import { Fault, faultRecord } from './faults/faults.ts';
import { type Answered, needsReadBack } from './guest/identify.ts';
import { judge } from './judge.ts';
import { endCase, type KeptGuest } from './keep/keep.ts';
import { keepForLooking } from './keep/keep-for-looking.ts';
import type { Address, Guest, ImportRecord, StoppedBy } from './lab.ts';
import type { Case, FaultRecord, Placed, Verdict } from './model.ts';
import { stopPoint } from './options/stop-at.ts';
import { listAgain, withoutTwins } from './process/list-again.ts';
import { LateWriting } from './workdir/late-writing.ts';
import { keepWhole } from './workdir/workdir.ts';

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
  /** Of the boots that were looked at, in their order, as far as the guest told them. */
  readonly bootIds: readonly string[];
  /** Facts that are written down and judged by nobody, by metadata key. */
  readonly records: Readonly<Record<string, string>>;
  readonly vm: string | null;
  /** What was placed where; null: nothing was started. */
  readonly placed: Placed | null;
  readonly imported: ImportRecord | null;
  /** What stopped a VM that is left halted, after its probes; null: ours are deleted, others run on. */
  readonly stoppedBy: StoppedBy | null;
  /** Of the guest that was validated; null: it was not started. */
  readonly console: ConsoleTold | null;
  /** The guest that was kept for a person; null: none was. */
  readonly kept: KeptGuest | null;
  /** What is still in the lab after clean-up, listed again; empty is the proof. */
  readonly leaked: readonly string[];
  /** Seconds of each stage that was entered. */
  readonly timings: Readonly<Record<string, number>>;
  /** Finer, in order, each with its budget; the planning before the run included. */
  readonly timeline: readonly StageRecord[];
}

/** What the lab shows of the guest; what the guest shows of itself is in `Seen`. */
type Found = { -readonly [K in FoundInLab]: CaseResult[K] };
type FoundInLab = WhereItIs | 'vm' | 'placed' | 'imported' | 'stoppedBy';
type WhereItIs = 'guestAddress' | 'addressSource' | 'addressOthers' | 'hostKey';

/** Runs the case to its end. Never throws: what was thrown is in the verdict. */
export async function run(theCase: Case, world: World): Promise<CaseResult> {
  const found: Found = {
    ...{ guestAddress: null, addressSource: null, addressOthers: [], hostKey: null },
    ...{ vm: null, placed: null, imported: null, stoppedBy: null },
  };
  const timings = new Timings(world);
  const disposals = new Disposals(world.journal);
  const findings: Findings = { found, seen: [], console: null, made: null, address: null, stayed: [] };
  const { seen } = findings;
  let fault: FaultRecord | null = null;
  const outer = outerLimit(theCase, world);
  const stop = stopPoint(world.stopAt, world.timeline);
  try {
    const signal = AbortSignal.any([outer.signal, stop.signal]);
    await witness(theCase, { ...timings.world, signal }, disposals, findings);
  } catch (thrown) {
    fault = explained(faultRecord(thrown), world.timeline);
    world.log.error({ err: thrown, code: fault.code }, fault.message);
  } finally {
    outer.done();
    stop.done();
  }
  const { scenario } = theCase;
  const boots = seen.map(({ judged }) => judged);
  const checks = checksOfBoots(scenario, boots);
  const early = await earlyFault(world, theCase, findings);
  const passed = judge({ checks, fault: fault ?? early }).status === 'PASS';
  const { made: guest, address } = findings;
  const { left, kept } = await endCase({
    ...{ world: { ...world, tell: timings.world.tell }, disposals, budgets: scenario.budgets, guest, address, passed },
  });
  await findings.console?.settled();
  const late = new LateWriting();
  const listed = await listAgain(theCase, world, late);
  timings.end();
  fault ??= disposals.unwritten ?? late.fault ?? early ?? (await consoleFault(findings.console, checks));
  // Also one that came while the lab was cleaned up: who stops a run is told that it was stopped.
  if (world.signal.aborted) fault = faultRecord(world.signal.reason);
  const judgement = judge({ checks, fault });
  late.attempt(() => world.evidence.record('judged', 'verdict', judgement));
  const verdict = late.fault === null || fault !== null ? judgement : judge({ checks, fault: late.fault });
  if (verdict.status === 'FAIL') await keepForLooking(theCase, world);
  const timeline = world.timeline.records;
  const [first] = seen;
  return {
    ...{ verdict, ...found, records: first?.records ?? {}, timeline, timings: timings.seconds },
    guestIdentity: first && seen.every(({ machine }) => machine) ? 'verified' : 'unproven',
    imageIdentity: first && seen.every(({ image }) => image === first.image) ? (first.image ?? 'unproven') : 'unproven',
    console: findings.console?.told ?? null,
    bootIds: seen.flatMap(({ bootId }) => bootId ?? []),
    kept,
    leaked: withoutTwins([...findings.stayed, ...left], listed),
  };
}

/** Who looks for a failure keeps also the machine whose console alone shows one. Null: it is looked at in the end. */
async function earlyFault(world: World, theCase: Case, { seen, console }: Findings): Promise<FaultRecord | null> {
  if (world.keep?.when !== 'unless-passed') return null;
  const boots = seen.map(({ judged }) => judged);
  return consoleFault(console, checksOfBoots(theCase.scenario, boots));
}

interface Findings {
  readonly found: Found;
  /** One for each boot that was looked at. */
  readonly seen: Seen[];
  /** Of the guest that is validated; null: it was not started. */
  console: ConsoleWitness | null;
  /** The guest of the image, from when it is there. */
  made: Guest | null;
  address: Address | null;
  /** What could not be taken back on the way. */
  readonly stayed: string[];
}

/** Boots, identifies and probes; what was found by then stays in `findings` when it throws. */
async function witness(theCase: Case, world: World, disposals: Disposals, findings: Findings): Promise<void> {
  const { found } = findings;
  const readBack = world.readBack === 'always' || needsReadBack(theCase);
  const onMade = (made: Guest): void => {
    findings.made = made;
    found.vm = made.uuid;
    found.placed = made.placed;
    found.imported = made.imported;
  };
  const order = { purpose: 'image', image: theCase.image, login: world.login, readBack, disposals, onMade } as const;
  const booted = await boot(world, theCase, order);
  const { arrival, guest } = booted;
  findings.console = booted.console;
  found.placed = guest.placed;
  const { stayed } = findings;
  const first = async (): Promise<void> => {
    findings.made = null;
    stayed.push(...(await dispose(world, disposals, theCase.scenario.budgets)));
  };
  if (arrival.state === 'silent') {
    await booted.console.end();
    await keepConsole(world, theCase, guest);
    await booted.console.settled();
    throw await decideSilence(world, theCase, arrival.silence, { first, stayed });
  }
  const { session, address } = arrival;
  findings.address = address;
  found.guestAddress = address.host;
  found.addressSource = address.source;
  found.addressOthers = address.others;
  found.hostKey = session.hostKey;
  const silence = await allBoots(world, theCase, { ...booted, session }, findings);
  if (silence === null) return;
  await booted.console.settled();
  throw await decideSilence(world, theCase, silence, { first, stayed }, findings.seen.length + 1);
}

/** Looks at each boot that the scenario asks for, as long as all holds. @returns the silence after a reboot, or null */
async function allBoots(world: World, theCase: Case, answered: Answered, findings: Findings): Promise<Silence | null> {
  const { scenario } = theCase;
  const { guest } = answered;
  let { session } = answered;
  let seen = nothingSeen();
  try {
    for (let nth = 1; ; nth++) {
      findings.seen.push(seen);
      await lookAtBoot(world, theCase, { ...answered, session }, nth, seen);
      if (nth >= scenario.boots || !allHeld(scenario, seen.judged)) break;
      const { bootId } = seen;
      const alive = { booted: answered, session, login: world.login, bootId, guest: 'image' } as const;
      const next = await reboot(world, theCase, alive, nth + 1);
      if (next.state === 'silent') return next.silence;
      session = next.session;
      seen = { ...nothingSeen(), bootId: next.bootId };
    }
    const stays = world.keep !== null && (world.keep.when === 'always' || !allHeld(scenario, seen.judged));
    if (guest.afterwards === 'halted' && !stays) {
      await answered.console.end();
      if ((await earlyFault(world, theCase, findings)) !== null) return null;
      world.tell({ event: 'step-begins', step: 'stop' });
      const deadline = budget(world, scenario.budgets.disposeS);
      world.timeline.begin([{ stage: 'stop', budgetS: deadline.budgetMs / 1000 }]);
      findings.found.stoppedBy = await guest.stop(deadline, powerOffOver(world, theCase, session));
    }
    return null;
  } catch (thrown) {
    if (!(thrown instanceof Fault && thrown.code === 'SSH_LOST')) throw thrown;
    throw await explainLoss(world, theCase, answered, thrown, seen.bootId);
  } finally {
    session.close();
    await answered.console.end();
    await keepConsole(world, theCase, guest);
  }
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
    keepWhole(join(theCase.workdir, file), text.text);
    world.evidence.record('console', text.source, { file, characters: text.text.length });
  } catch (error) {
    if (error instanceof Fault && error.party === 'machine') throw error;
    world.evidence.record('console', 'failed', { why: error instanceof Error ? error.message : String(error) });
  }
}
