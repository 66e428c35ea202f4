/**
 * Looks at one machine that runs, by the same probes as a run on a lab: where its things are, which boot mode it shows,
 * then the probes. What it finds says nothing about an image: nothing proves which one the machine booted.
 */
import { budget } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import { type Asking, interview } from '../guest/interview.ts';
import { inOrder, type Judged, runProbes } from '../guest/probing.ts';
import type { BootMode, GuestPaths, JudgedCheck, Observation, Probe, Scenario } from '../model.ts';
import { pid1 } from '../probes/pid1.ts';
import { askShepherd, readTalk } from '../probes/shepherd-talk.ts';
import type { SshSession } from '../ssh/session.ts';
import { guestPathsScript, type PathFinding, readGuestPaths, type Suggestion, suggestStore } from './guest-paths.ts';
import { type ModeSeen, seeMode } from './shown-mode.ts';

/** What is wanted. */
export interface LiveWish {
  /** One for each boot mode. The first is taken where the machine shows neither. */
  readonly scenarios: readonly [Scenario, ...Scenario[]];
  /** The one to compare with; null: that of the boot mode which is shown. */
  readonly named: Scenario | null;
  /** Names of probes; null: all. */
  readonly only: readonly string[] | null;
  /** What was said of the guest's places. */
  readonly paths: Partial<GuestPaths>;
  /** How long the awaited probes are looked at again, in seconds; 0: once. */
  readonly waitS: number;
}

/** What was seen, filled while it is looked at: what was found by then stays when it ends early. */
export class Sight {
  /** User id there; empty: not told. */
  uid = '';
  mode: ModeSeen | null = null;
  scenario: Scenario | null = null;
  /** Those that are run. */
  probes: readonly Probe[] = [];
  readonly judged: Judged = new Map();
  paths: readonly PathFinding[] = [];
  suggestion: Suggestion | null = null;

  checks(): readonly JudgedCheck[] {
    return inOrder(this, this.judged);
  }
}

/** Names the machine's login in a message. */
export interface Who {
  readonly user: string;
  readonly become: string | null;
}

/** Told that something begins. */
export type Tell = (what: string) => void;

/** @throws Fault SSH_COMMAND_FAILED where it runs no command at all, SSH_LOST, the interrupt */
export async function lookAtMachine(
  asking: Asking,
  session: SshSession,
  who: Who,
  wish: LiveWish,
  { sight, tell }: { readonly sight: Sight; readonly tell: Tell },
): Promise<void> {
  const [first] = wish.scenarios;
  const paths = { ...(wish.named ?? first).paths, ...wish.paths };
  const { probeS } = (wish.named ?? first).budgets;
  const ask = async (name: string, body: string): Promise<Observation> => {
    const { budgetMs } = budget(asking, probeS);
    const { observation } = await interview(asking, session, { name, body, budgetMs });
    const lost = session.lost();
    if (lost !== null) throw new Fault('SSH_LOST', `the SSH connection ended at ${name}: ${lost}`);
    return observation;
  };

  tell('look at its paths');
  const places = await ask('guest-paths', guestPathsScript(paths));
  if (places.state === 'unseen') {
    const as = `user ${who.user}${who.become === null ? '' : `, root by ${who.become}`}`;
    throw new Fault('SSH_COMMAND_FAILED', `logged in (${as}), and the first command failed: ${places.reason}`);
  }
  sight.uid = places.facts.uid ?? '';
  const seenPaths = (): void => {
    const seen = [...sight.judged.values()].map(({ observation }) => observation);
    sight.paths = readGuestPaths(places, paths, seen).filter(({ name }) =>
      sight.probes.some((probe) => probe.paths.includes(name)),
    );
    sight.suggestion = suggestStore(readGuestPaths(places, paths, []), paths.store);
  };

  const observed = (probe: Probe): Promise<Observation> => {
    const mode = (wish.named ?? first).bootMode;
    return probe.observe({ paths, bootMode: mode, run: (body) => ask(probe.name, body) });
  };
  sight.mode = await seeMode(await observed(pid1), async () => {
    return readTalk(await ask('shepherd-pid', askShepherd(paths)), paths);
  });
  const fitting = wish.scenarios.find(({ bootMode }) => bootMode === sight.mode?.mode);
  const scenario = wish.named ?? fitting ?? first;
  sight.scenario = scenario;
  sight.probes = scenario.probes.filter(({ name }) => wish.only === null || wish.only.includes(name));
  seenPaths();

  tell('probe');
  // What was asked for is seconds of the clock; a budget is scaled.
  const budgets = { probeS: scenario.budgets.probeS, readyS: wish.waitS / asking.budgetScale };
  const facts = { bootMode: scenario.bootMode, paths, expectedClosure: null };
  try {
    await runProbes(asking, { probes: sight.probes, budgets, facts }, session, sight.judged);
  } finally {
    if (wish.named === null) withoutExpectedMode(sight.judged, scenario.bootMode);
    seenPaths();
  }
}

/** Nobody expected a mode: that the machine is in the mode which it shows is no finding. */
function withoutExpectedMode(judged: Judged, taken: BootMode): void {
  const look = judged.get(pid1);
  if (look === undefined) return;
  const expected = 'either mode (none was named)';
  const checks = look.checks.map((each) => (each.expected === taken ? { ...each, expected } : each));
  judged.set(pid1, { ...look, checks });
}
