/**
 * A run that is killed without mercy, at each call that it makes, in the middle of an upload, and at each stage: the next
 * run on this machine leaves nothing of either in the lab, and what lies in the workdir does not look like a PASS. The
 * killed run is a process of its own; lab and next run are in this one. Guests are simulated.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { inLanes } from '../lanes.ts';
import { type Options, readMetadata, runPhase } from '../phase-process.ts';
import { callsOfARun, KINDS } from './calls-of-a-run.ts';
import { fixedOptions, makeVm } from './operators-vm.ts';
import { type Backstage, type Play, type Played, witness } from './witness.ts';

const LANES = 4;
/** What is ours in a pool, in a name, a tag, or a description. */
const OURS = /bootwitness[^"]*/gi;

interface Point {
  readonly name: string;
  /** The run is killed when this stands in the lab's log, before the call is carried out … */
  readonly mishap?: string;
  /** … or when this stands on its stderr. */
  readonly stage?: string;
  readonly kind: string;
  readonly play?: Play;
  /** Mishaps from before the run that is killed. */
  readonly also?: readonly string[];
}

interface Killed {
  readonly code: number | null;
  readonly stdout: string;
  readonly workdir: string;
}

interface Ended {
  readonly killed: Killed | null;
  readonly played: Played;
  /** Of ours, in anything that the pool lists. */
  readonly ours: readonly string[];
  readonly fixedPower: string | null;
}

/** Kills a run at the point, then plays the next one. */
async function play(point: Point): Promise<Ended> {
  let kill: () => void = () => undefined;
  let killed: Killed | null = null;
  let fixed: string | null = null;
  let [ours, fixedPower]: [readonly string[], string | null] = [[], null];
  const before = async (backstage: Backstage): Promise<readonly string[]> => {
    if (point.kind !== 'fixed') return (await KINDS[point.kind]?.before?.(backstage)) ?? [];
    const made = await makeVm(backstage);
    fixed = made.vm;
    return fixedOptions(made);
  };
  const played = await witness({
    ...KINDS[point.kind],
    ...point.play,
    args: ['--budget-scale', '0.5'],
    before,
    onLog: (line) => {
      if (line.startsWith('mishap tell')) kill();
    },
    predecessor: async ({ mishaps }, args, environment) => {
      for (const each of [...(point.mishap === undefined ? [] : [point.mishap]), ...(point.also ?? [])]) {
        const [name = '', value] = each.split('=');
        mishaps.set(name, value);
      }
      const root = args[args.indexOf('--workdir-root') + 1] ?? '';
      const rest = args.filter((_, at) => at !== args.indexOf('--workdir-root') && at !== args.indexOf('--workdir-root') + 1);
      const options: Options = {
        environment,
        onStart: ({ pid }) => {
          kill = () => {
            kill = () => undefined;
            if (pid !== undefined) process.kill(-pid, 'SIGKILL');
          };
        },
        onStderr: (all) => {
          if (point.stage !== undefined && all.includes(`] ${point.stage}\n`)) kill();
        },
      };
      killed = await runPhase('phase9', root, rest, options);
      if (point.mishap?.startsWith('tell') && mishaps.names().some((name) => name.startsWith('tell'))) {
        throw new Error('the moment never came');
      }
    },
    after: async ({ other }) => {
      const session = await other();
      const deadline = (await import('./operators-vm.ts')).within();
      const all = (await session.call('xo.getAllObjects', {}, deadline)) as Record<string, Record<string, unknown>>;
      ours = JSON.stringify(all).match(OURS) ?? [];
      fixedPower = fixed === null ? null : String(all[fixed]?.power_state);
    },
  });
  return { killed, played, ours, fixedPower };
}

function judge(t: Test, { killed, played, ours, fixedPower }: Ended, point: Point): void {
  if (killed === null) throw new Error('nothing was killed');
  t.equal(killed.code, null, 'killed by the signal');
  t.notMatch(killed.stdout, /PASS/);
  if (killed.workdir !== '') {
    const metadata = readMetadata(join(killed.workdir, 'metadata.txt'));
    t.notOk(metadata.get('result') === 'PASS', 'its workdir claims no PASS');
    if (existsSync(join(killed.workdir, 'metadata.txt'))) t.ok(metadata.has('exit_code'), 'its metadata are whole');
    for (const file of readdirSync(killed.workdir).filter((name) => /\.(txt|json)$/.test(name))) {
      t.notMatch(readFileSync(join(killed.workdir, file), 'utf8'), /PASS/, file);
    }
  }
  t.equal(played.code, 0, played.stderr);
  t.equal(played.metadata.get('result'), 'PASS');
  t.same(played.left, [], 'nothing is left in the pool');
  t.same(ours, [], 'no tag, name or description of ours');
  if (point.kind === 'fixed') t.equal(fixedPower, 'Halted', "the operator's VM is left as configured");
}

const calls = (await callsOfARun()).map(
  ({ kind, method, nth }): Point => ({ kind, name: `${kind}: at ${method} ${nth}`, mishap: `tell=${method}:${nth}` }),
);
const uploads = ['ephemeral', 'fixed', 'older XO'].flatMap((kind) =>
  ['0', '0.5', '1'].map(
    (fraction): Point => ({
      kind,
      name: `${kind}: when ${fraction} of the upload has arrived`,
      mishap: `tell-upload=${fraction}`,
    }),
  ),
);
const stages = ['ephemeral', 'fixed'].flatMap((kind) =>
  ['sign in', 'provision', 'boot', 'identify', 'probe', ...(kind === 'fixed' ? ['stop'] : []), 'dispose'].map(
    (stage): Point => ({ kind, name: `${kind}: at the stage ${stage}`, stage }),
  ),
);
const points = [...calls, ...uploads, ...stages];

const outcomes = inLanes(LANES, points, play);
for (const point of points) {
  t.test(point.name, async (t) => {
    const ended = await outcomes.get(point);
    if (ended === undefined) throw new Error('not run');
    judge(t, ended, point);
    t.comment(`${ended.played.seconds.toFixed(1)} s`);
  });
}
