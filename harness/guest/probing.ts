/**
 * Runs the probes of a scenario on an identified guest: first looks, the awaited marker, the rest
 * side by side, second looks. Returns checks in the scenario's order.
 */

import { budget, type Deadline } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import type { CaseFacts, Check, JudgedCheck, Observation, Outcome, Probe, ProbeGuest, Scenario } from '../model.ts';
import type { SshSession } from '../ssh/session.ts';
import { unlessTooSlow } from './awaited.ts';
import { type Answer, type Asking, interview } from './interview.ts';

/** sshd allows ten sessions on one connection (MaxSessions); some are left for a person. */
const CHANNELS_MAX = 6;
const AWAITED_EVERY_MS = 1_000;

/** What one probe saw, and what that means. */
export interface Look {
  readonly observation: Observation;
  readonly checks: readonly JudgedCheck[];
  /** The command in the guest, by our clock. */
  readonly tookMs: number;
}

/** Looks by probe, filled as they are judged, so that nothing is lost when a case is stopped. */
export type Judged = Map<Probe, Look>;

/** What is run, in which time, and what is known besides the guest. */
export interface Probing extends Pick<Scenario, 'probes'> {
  readonly budgets: Pick<Scenario['budgets'], 'readyS' | 'probeS'>;
  readonly facts: CaseFacts;
  /** Told when the awaited probes begin (`ready`), and when the others go on. */
  readonly onAwaiting?: (stage: 'ready' | 'probes') => void;
}

/** What was judged, in the scenario's order. */
export function inOrder({ probes }: Pick<Scenario, 'probes'>, judged: Judged): readonly JudgedCheck[] {
  return probes.flatMap((probe) => judged.get(probe)?.checks ?? []);
}

/** @throws Fault SSH_LOST where the connection ended in the middle, and the interrupt. */
export async function runProbes(world: Asking, probing: Probing, session: SshSession, found: Judged): Promise<void> {
  const { probes, budgets } = probing;
  const of = (look: Probe['look']): readonly Probe[] => probes.filter((probe) => probe.look === look);
  const lookAt = (probe: Probe, asked?: Asked): Promise<Look> => look(world, probing, session, probe, asked);

  for (const probe of of('twice')) found.set(probe, await lookAt(probe));
  probing.onAwaiting?.('ready');
  for (const probe of of('awaited')) {
    found.set(probe, await awaited(budget(world, budgets.readyS), world.budgetScale, () => lookAt(probe)));
  }
  probing.onAwaiting?.('probes');
  const asked: Asked = new Map();
  await sideBySide(of('settled'), async (probe) => {
    found.set(probe, await lookAt(probe, asked));
  });
  for (const probe of of('twice')) {
    const late = await lookAt(probe);
    found.set(probe, { ...late, checks: worse(found.get(probe)?.checks ?? [], late.checks) });
  }
}

/** Looks until all of it holds, or the time is over. */
async function awaited(deadline: Deadline, budgetScale: number, lookOnce: () => Promise<Look>): Promise<Look> {
  const { clock, signal, budgetMs } = deadline;
  let last = await lookOnce();
  const tookMs = [last.tookMs];
  while (!last.checks.every((check) => check.outcome === 'held') && !deadline.expired()) {
    await clock.sleep(AWAITED_EVERY_MS, signal);
    deadline.check();
    last = await lookOnce();
    tookMs.push(last.tookMs);
  }
  const waited = `awaited for ${(budgetMs / 1000).toFixed(0)} s, ${tookMs.length} looks`;
  const inVain = (check: JudgedCheck): JudgedCheck =>
    check.outcome === 'held' ? check : { ...check, reason: `${check.reason}; ${waited}` };
  return { ...last, checks: last.checks.map((each) => unlessTooSlow(inVain(each), tookMs, budgetScale)) };
}

/**
 * Answers of one round by the script that was asked. Two probes that ask the very same thing at the
 * same time get one answer: a Guile process in the guest is what probing costs.
 */
type Asked = Map<string, Promise<Answer>>;

async function look(
  world: Asking,
  { facts, budgets }: Probing,
  session: SshSession,
  probe: Probe,
  asked: Asked = new Map(),
): Promise<Look> {
  world.signal.throwIfAborted();
  let evidence = '';
  let tookMs = 0;
  const guest: ProbeGuest = {
    paths: facts.paths,
    bootMode: facts.bootMode,
    run: async (body) => {
      const budgetMs = budget(world, budgets.probeS).budgetMs;
      const asking = asked.get(body) ?? interview(world, session, { name: probe.name, body, budgetMs });
      asked.set(body, asking);
      const answer = await asking;
      evidence = answer.evidence;
      tookMs = answer.tookMs;
      return answer.observation;
    },
  };
  const observation = await probe.observe(guest);
  const lost = session.lost();
  if (lost !== null) throw new Fault('SSH_LOST', `the SSH connection ended at probe ${probe.name}: ${lost}`);
  const checks = probe.expect(observation, facts).map((check): JudgedCheck => ({ ...check, evidence }));
  world.evidence.record('judged', probe.name, checks);
  return { observation, checks, tookMs };
}

async function sideBySide(probes: readonly Probe[], work: (probe: Probe) => Promise<void>): Promise<void> {
  const queue = [...probes];
  const lane = async (): Promise<void> => {
    for (let probe = queue.shift(); probe !== undefined; probe = queue.shift()) await work(probe);
  };
  const lanes = Array.from({ length: Math.min(CHANNELS_MAX, queue.length) }, lane);
  const results = await Promise.allSettled(lanes);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

const RANK: Record<Outcome, number> = { held: 0, unobserved: 1, failed: 2 };

/** Of two looks at the same checks, the worse one of each counts; a fact may hold only once. */
export function worse(first: readonly JudgedCheck[], second: readonly JudgedCheck[]): readonly JudgedCheck[] {
  return second.map((late) => {
    const early = first.find((check) => check.name === late.name);
    if (early === undefined || RANK[early.outcome] <= RANK[late.outcome]) return late;
    return { ...early, reason: `at the first look: ${early.reason}` };
  });
}

/** Value of a check by name, where it was judged. */
export function checkNamed(checks: readonly Check[], name: string): Check | undefined {
  return checks.find((check) => check.name === name);
}
