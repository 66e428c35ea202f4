/**
 * The recipes of docs/ci, run as far as they can be without a forge: the shell of each step, in order, against a pool
 * that a simulated lab stands for; and what becomes of the pool when the job is cancelled in the middle of the night.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { Deadline } from '../../harness/deadline.ts';
import { nightsIn } from '../../harness/night/past-nights.ts';
import { isSurely } from '../../harness/process/process-place.ts';
import { Secret } from '../../harness/workdir/secrets.ts';
import { openSession, type Session } from '../../harness/xcpng/session.ts';
import { type Cancel, type JobRun, makeWorkspace, runJob, type StepRun, signalIfThere, treeOf } from '../ci-job.ts';
import { evaluated, RECIPES, readRecipe } from '../ci-recipe.ts';
import { type LabProcess, startLab } from '../lab-process.ts';
import { inLanes } from '../lanes.ts';
import { makeVm, within } from './operators-vm.ts';

const SCHEMA = fileURLToPath(new URL('../harness/reporters/fixtures/junit.xsd', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'bw-ci-'));
t.teardown(() => rmSync(root, { recursive: true, force: true }));

const expressions = (lab: LabProcess, cases: string) => ({
  'inputs.cases': cases,
  'secrets.BOOTWITNESS_XO_TOKEN': readFileSync(lab.tokenFile, 'utf8').trim(),
  'secrets.BOOTWITNESS_SSH_KEY': readFileSync(settingOf(lab, 'key'), 'utf8').trim(),
  "vars.BOOTWITNESS_REPORTS_DIR || '../out/reports'": '../out/reports',
  'github.run_id': '7',
  'github.run_attempt': '1',
});

const settingOf = (lab: LabProcess, key: string): string =>
  new RegExp(`^"?${key.replaceAll('+', '\\+')}"? = "(.*)"$`, 'm').exec(readFileSync(lab.labFile, 'utf8'))?.[1] ?? '';

const session = (lab: LabProcess): Promise<Session> =>
  openSession({
    url: settingOf(lab, 'url'),
    credential: { token: new Secret(readFileSync(lab.tokenFile, 'utf8').trim()) },
    tls: { insecure: false, caPem: null, fingerprint: null },
    deadline: Deadline.after(10_000, new AbortController().signal),
  });

/** Machines, disks, what they are attached by, and the tags of everything. */
async function poolOf(lab: LabProcess): Promise<Readonly<Record<string, unknown>>> {
  const asked = await session(lab);
  const all = (await asked.call('xo.getAllObjects', {}, within())) as Record<string, Record<string, unknown>>;
  await asked.close();
  const listed = Object.entries(all).filter(([, { type, tags }]) => /^(VM|VDI|VBD|VIF)$/.test(String(type)) || tags);
  return Object.fromEntries(listed.map(([id, { type, tags, name_label }]) => [id, [type, name_label, tags]]));
}

interface Played extends JobRun {
  readonly workspace: string;
  readonly registry: readonly string[];
  readonly before: unknown;
  readonly after: unknown;
  step(name: string): StepRun;
}

interface Pass {
  readonly recipe: keyof typeof RECIPES;
  readonly name: string;
  readonly cases?: string;
  readonly guests?: unknown;
  readonly cancel?: (lab: LabProcess) => Cancel;
}

let passes = 0;

async function play({ recipe, cases = '', guests, cancel }: Pass): Promise<Played> {
  const dir = join(root, `pass-${++passes}`);
  const answers = join(root, `answers-${passes}.json`);
  writeFileSync(answers, JSON.stringify({ guests: [guests ?? {}] }));
  const lab = await startLab('--backend', 'simulated', '--guest-answers', answers);
  try {
    const theirs = await session(lab);
    await makeVm({ lab, other: async () => theirs });
    await theirs.close();
    const before = await poolOf(lab);
    const ofLab = readFileSync(lab.labFile, 'utf8').replace(/^(token_file|key) = .*\n/gm, '');
    const { workspace, environment } = makeWorkspace(dir, {
      'ci/pool1.toml': `max_guests = 2\n${ofLab}`,
      'ci/nightly.toml': [
        `[images.main]\nscenarios = ["phase9"]\nfile = "${settingOf(lab, 'freebsd-init+rc.d-shepherd')}"`,
        `[images.pid1]\nscenarios = ["phase11"]\nfile = "${settingOf(lab, 'shepherd-pid1')}"`,
        '[labs.pool1]\nlab = "./pool1.toml"\n',
      ].join('\n'),
    });
    const [job, known] = [readRecipe(RECIPES[recipe]), expressions(lab, cases)];
    const ran = await runJob({
      ...{ recipe: job, workspace, environment, expressions: known },
      cancel: cancel?.(lab) ?? null,
    });
    const registry = readdirSync(join(environment.HOME ?? '', '.cache/bootwitness/runs'));
    const step = (name: string): StepRun =>
      ran.steps.find((each) => each.name === name) ?? { name, code: -1, said: '' };
    return { ...ran, workspace, registry, before, after: await poolOf(lab), step };
  } finally {
    endAll(join(dir, 'workspace/out/nights'));
    await lab.stop();
  }
}

/** A test that fails leaves nobody behind. */
function endAll(nights: string): void {
  const processes = nightsIn('', nights, { processOf: () => null }).flatMap((night) =>
    [night, ...night.attempts()].map(({ process }) => process),
  );
  for (const each of processes) if (each !== null && isSurely(each)) process.kill(each.pid, 'SIGKILL');
}

// Time enough to be cancelled in.
const SLOW = { answers: { 'guest-identity': { delayMs: 300_000 } } };
const guestsOn = (lab: LabProcess): number => lab.said().match(/^VM bootwitness .*: started in /gm)?.length ?? 0;

const ROWS: readonly Pass[] = [
  { recipe: 'github', name: 'a night' },
  { recipe: 'forgejo', name: 'a night of some cases, started by hand', cases: '*.pid1.*' },
  {
    recipe: 'github',
    name: 'cancelled, and all its processes killed before they can clean up',
    guests: SLOW,
    cancel: (lab) => ({
      when: () => guestsOn(lab) === 2,
      kill: ({ pid = 0 }) => {
        const all = treeOf(pid);
        // Nobody gets to do anything between the first signal and the last.
        for (const signal of ['SIGSTOP', 'SIGINT', 'SIGKILL'] as const) {
          for (const each of signal === 'SIGINT' ? [pid] : all) signalIfThere(each, signal);
        }
      },
      laterSteps: true,
    }),
  },
  {
    recipe: 'github',
    name: 'cancelled, and it ends in good order',
    guests: SLOW,
    cancel: (lab) => ({
      when: () => guestsOn(lab) === 2,
      kill: ({ pid = 0 }) => void process.kill(pid, 'SIGINT'),
      laterSteps: true,
    }),
  },
  {
    recipe: 'forgejo',
    name: 'cancelled: the group of its processes is killed, its cases go on, and no step follows',
    guests: SLOW,
    cancel: (lab) => ({
      when: () => guestsOn(lab) === 2,
      kill: ({ pid = 0 }) => void process.kill(-pid, 'SIGKILL'),
      laterSteps: false,
    }),
  },
];

const played = inLanes(3, ROWS, play);

async function outcome(nth: number): Promise<Played> {
  const row = ROWS[nth];
  const found = row && (await played.get(row));
  if (found === undefined) throw new Error('not played');
  return found;
}

/** Whatever happened: the pool is as it was, nothing is written down for a sweep, and no key lies about. */
function leftNothing(t: Test, { before, after, registry, workspace, steps }: Played): void {
  const said = steps.map(({ name, code, said }) => `--- ${name}: ${code}\n${said}`).join('\n');
  t.strictSame(after, before, `the pool, with what is others', is as before\n${said}`);
  t.same(registry, [], 'and no run waits to be swept');
  t.notOk(existsSync(join(workspace, 'guest-key')), 'the key is gone');
}

const nightNames = (workspace: string): readonly string[] => readdirSync(join(workspace, 'out/nights'));

t.test(ROWS[0]?.name ?? '', async (t) => {
  const ran = await outcome(0);
  leftNothing(t, ran);
  t.notOk(ran.failed);
  t.match(ran.step('Set up').said, /^setup: npm packages of package-lock.json/m);
  t.match(ran.step('Nightly').said, /^1\.\.2$/m);
  t.match(ran.step('Clean up').said, /2 runs of 1 nights\n0 removed, 0 left in the lab, 0 left alone/);
  t.match(ran.step('Page of the morning').said, /^2 runs, 0 cases red in the last night/);
  t.match(ran.summary, /\| ✅ PASS \| phase9-xcpng-boot \| main \| pool1 \|/);
  uploaded(t, ran, 'github');
});

/** What is uploaded is there, and holds what docs/ci.md says. */
function uploaded(t: Test, { workspace }: Played, name: keyof typeof RECIPES): void {
  const upload = readRecipe(RECIPES[name]).job.steps.find(({ uses }) => uses?.includes('upload-artifact'));
  const inputs = upload?.with ?? {};
  t.match(evaluated(inputs.name ?? '', { 'github.run_id': '7', 'github.run_attempt': '1' }), /^nightly-7-1$/);
  const paths = (inputs.path ?? '')
    .trim()
    .split('\n')
    .map((path) => path.trim());
  for (const path of paths.filter((each) => !each.startsWith('!'))) t.ok(existsSync(join(workspace, path)), path);
  const junit = join(workspace, 'out/junit.xml');
  t.equal(spawnSync('xmllint', ['--noout', '--schema', SCHEMA, junit]).status, 0, 'valid (setup.sh brings xmllint)');
  t.ok(existsSync(join(workspace, 'out/reports/index.html')));
  const [night = ''] = nightNames(workspace);
  t.ok(existsSync(join(workspace, 'out/nights', night, 'night.json')));
}

t.test(ROWS[1]?.name ?? '', async (t) => {
  const ran = await outcome(1);
  leftNothing(t, ran);
  t.notOk(ran.failed);
  t.match(ran.step('Nightly').said, /^ok 1 - phase11\.pid1\.pool1$/m);
  t.match(ran.step('Nightly').said, /^1\.\.1$/m);
  t.match(ran.step('Clean up when cancelled').said, /at the end of the job, .*: sweep --nights out\/nights/);
  t.match(ran.step('Clean up when cancelled, afterwards').said, /0 removed, 0 left in the lab/, 'it finds nothing');
  uploaded(t, ran, 'forgejo');
});

t.test(ROWS[2]?.name ?? '', async (t) => {
  const ran = await outcome(2);
  leftNothing(t, ran);
  t.equal(ran.step('Nightly').code, null, 'killed');
  const cleaned = ran.step('Clean up');
  t.equal(cleaned.code, 0, cleaned.said);
  t.match(cleaned.said, /^removed VM \S+ bootwitness phase\d.*: of run /m);
  t.match(cleaned.said, /^removed ticket on pool /m);
  t.match(cleaned.said, /^6 removed, 0 left in the lab, 0 left alone$/m, 'two machines, two disks, two tickets');
  t.equal(ran.step('Page of the morning').code, 0, 'also of a night that has no runs');
});

t.test(ROWS[3]?.name ?? '', async (t) => {
  const ran = await outcome(3);
  leftNothing(t, ran);
  t.equal(ran.step('Nightly').code, 130, ran.step('Nightly').said);
  t.match(ran.step('Clean up').said, /^0 removed, 0 left in the lab, 0 left alone$/m);
  t.match(ran.summary, /INTERRUPTED/);
  const junit = readFileSync(join(ran.workspace, 'out/junit.xml'), 'utf8');
  t.match(junit, /<error /);
  t.notMatch(junit, /<failure/, 'no image is to blame');
});

t.test(ROWS[4]?.name ?? '', async (t) => {
  const ran = await outcome(4);
  t.equal(ran.step('Nightly').code, null, 'killed');
  t.equal(ran.step('Clean up').code, -1, 'not begun');
  const cleaned = ran.step('Clean up when cancelled, afterwards');
  t.equal(cleaned.code, 0, cleaned.said);
  t.match(cleaned.said, /attempt-1 still runs as process \d+: it is asked to end/);
  leftNothing(t, ran);
});
