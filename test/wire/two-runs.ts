/**
 * For tests: a run as a process of its own to which something is done at an exact moment, then another one that ends
 * well, in the same lab, by the same machine. Lab and the second run are in this process; guests are simulated.
 */
import { type Options, type Outcome, runPhase } from '../phase-process.ts';
import { CACHED, KINDS } from './calls-of-a-run.ts';
import { fixedOptions, makeVm, within } from './operators-vm.ts';
import { type Backstage, type Play, type Played, witness } from './witness.ts';

const SCALE = '0.5';
const PLAYS: Readonly<Record<string, Play>> = { ...KINDS, cached: CACHED };
/** What is ours in a pool: a name, a tag, a description. */
const OURS = /bootwitness[: ][^"]*/g;

export interface Point {
  readonly name: string;
  /** As in `calls-of-a-run.ts`. */
  readonly kind: string;
  /** It happens when the lab tells this moment (`tell…`), before the call is carried out … */
  readonly mishap?: string;
  /** … or when this stage stands on stderr. */
  readonly stage?: string;
  /** What happens; synchronous, so that nothing happens in between. */
  readonly act: (pid: number, workdirRoot: string) => void;
  /** Of the first run's budgets. Default 0.5, as of the second's. */
  readonly scale?: number;
}

/** Of ours in the pool, and the power state of the operator's VM. */
interface Pool {
  readonly ours: readonly string[];
  readonly power: string | null;
}

export interface Ended {
  readonly first: Outcome;
  readonly afterFirst: Pool;
  readonly second: Played;
  readonly afterSecond: Pool;
}

/** Plays both runs. @throws Error where the moment never came */
export async function playTwo(point: Point): Promise<Ended> {
  let act: () => void = () => undefined;
  let acted = false;
  let fixed: string | null = null;
  let first: { readonly outcome: Outcome; readonly pool: Pool } | null = null;
  let last: Pool | null = null;
  const before = async (backstage: Backstage): Promise<readonly string[]> => {
    if (point.kind !== 'fixed') return (await PLAYS[point.kind]?.before?.(backstage)) ?? [];
    const made = await makeVm(backstage);
    fixed = made.vm;
    return fixedOptions(made);
  };
  const look = async ({ other }: Backstage): Promise<Pool> => {
    const all = await (await other()).call('xo.getAllObjects', {}, within());
    const { [fixed ?? '']: vm } = all as Record<string, Record<string, unknown>>;
    return { ours: JSON.stringify(all).match(OURS) ?? [], power: fixed === null ? null : String(vm?.power_state) };
  };
  const second = await witness({
    ...PLAYS[point.kind],
    args: ['--budget-scale', SCALE],
    before,
    onLog: (line) => {
      if (line.startsWith('mishap tell')) act();
    },
    predecessor: async (backstage, args, environment) => {
      const [name = '', value] = (point.mishap ?? '').split('=');
      if (point.mishap !== undefined) backstage.mishaps.set(name, value);
      const at = args.indexOf('--workdir-root');
      const [, root = ''] = args.slice(at);
      const options: Options = {
        environment,
        onStart: ({ pid }) => {
          act = () => {
            if (acted || pid === undefined) return;
            acted = true;
            point.act(pid, root);
          };
        },
        onStderr: (all) => {
          if (point.stage !== undefined && all.includes(`] ${point.stage}\n`)) act();
        },
      };
      const rest = [...args.slice(0, at), ...args.slice(at + 2)];
      rest[rest.indexOf(SCALE)] = String(point.scale ?? SCALE);
      const outcome = await runPhase('phase9', root, rest, options);
      if (!acted) throw new Error(`the moment never came: ${outcome.stderr}`);
      first = { outcome, pool: await look(backstage) };
    },
    after: async (backstage) => {
      last = await look(backstage);
    },
  });
  return { ...both(first, last), second };
}

function both(
  first: { readonly outcome: Outcome; readonly pool: Pool } | null,
  last: Pool | null,
): Omit<Ended, 'second'> {
  if (first === null || last === null) throw new Error('not played');
  return { first: first.outcome, afterFirst: first.pool, afterSecond: last };
}
