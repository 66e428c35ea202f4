/**
 * Runs that are killed without mercy, and what removes what they left: the next run, or `npm run sweep`. Real
 * processes; guests are simulated.
 */
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { Deadline } from '../../harness/deadline.ts';
import { writeNightMark } from '../../harness/night/night-folder.ts';
import { Secret } from '../../harness/workdir/secrets.ts';
import { openSession, type Session } from '../../harness/xcpng/session.ts';
import { startLab } from '../lab-process.ts';
import { runPhase, workdirRoot } from '../phase-process.ts';

const dir = mkdtempSync(join(tmpdir(), 'bw-sweep-'));
t.teardown(() => rmSync(dir, { recursive: true }));
const root = workdirRoot(t);
const cacheDir = join(dir, 'cache');
const environment = { BOOTWITNESS_CACHE_DIR: cacheDir };

const answers = join(dir, 'answers.json');
// Time enough to be killed in.
writeFileSync(answers, JSON.stringify({ guests: [{ answers: { 'guest-identity': { delayMs: 2_000 } } }] }));
const lab = await startLab('--backend', 'simulated', '--guest-answers', answers);
t.teardown(() => lab.stop());
const text = readFileSync(lab.labFile, 'utf8');
const setting = (key: string): string => new RegExp(`^${key} = "(.*)"$`, 'm').exec(text)?.[1] ?? '';
const { tokenFile } = lab;

interface Swept {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const sweep = (...args: readonly string[]): Promise<Swept> =>
  new Promise((resolve) => {
    const entry = fileURLToPath(new URL('../../sweep.ts', import.meta.url));
    const all = ['--import', import.meta.resolve('tsx'), entry, ...args];
    const env = { ...process.env, ...environment };
    const child = execFile(process.execPath, all, { env }, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, stdout, stderr });
    });
  });

/** VMs and disks of the pool beyond those of the beginning. */
async function belongings(): Promise<readonly string[]> {
  const session = await openOther();
  const found = [...session.objects.all('VM'), ...session.objects.all('VDI')].map(({ name }) => name);
  await session.close();
  return found;
}

const openOther = (): Promise<Session> =>
  openSession({
    url: setting('url'),
    credential: { token: new Secret(readFileSync(tokenFile, 'utf8').trim()) },
    tls: { insecure: false, caPem: null, fingerprint: null },
    deadline: Deadline.after(10_000, new AbortController().signal),
  });

/** Runs phase 9 and kills it, without a chance to do anything, when its stderr matches. @returns its workdir */
async function killedAt(stage: RegExp): Promise<string> {
  const outcome = await runPhase('phase9', root, ['--lab', lab.labFile], {
    environment,
    onStderr: (all, child) => {
      if (stage.test(all) && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    },
  });
  t.equal(outcome.code, null, outcome.stderr);
  return outcome.workdir;
}

/** As the registry of runs has it. */
function runIdOf(workdir: string): string {
  const records = readdirSync(join(cacheDir, 'runs')).map((name) => readFileSync(join(cacheDir, 'runs', name), 'utf8'));
  const record = records.find((each) => each.includes(JSON.stringify(workdir))) ?? '{}';
  return String((JSON.parse(record) as { runId?: unknown }).runId);
}

t.test('killed at boot, with a guest that runs, and at the upload', async (t) => {
  await killedAt(/\] boot\n/);
  t.equal((await belongings()).length, 2, 'a VM and its disk are left');
  const dry = await sweep('--lab', lab.labFile, '--dry-run');
  t.equal(dry.code, 0, dry.stderr);
  t.match(dry.stdout, /^would remove VM \S+ bootwitness phase9\S*.*: of run \S+, which is dead$/m);
  t.match(dry.stdout, /^would remove VDI /m);
  t.match(dry.stdout, /^2 to remove \(dry run\), 0 left in the lab, 0 left alone$/m);
  t.equal((await belongings()).length, 2, 'a dry run changes nothing');

  await killedAt(/\] identify\n/);
  t.equal((await belongings()).length, 2, 'the second run has swept what the first left, and was killed itself');
  await killedAt(/upload /);
  const next = await runPhase('phase9', root, ['--lab', lab.labFile], { environment });
  t.equal(next.code, 0, next.stderr);
  t.same(await belongings(), [], 'and the next one leaves nothing of anybody');
});

t.test('sweep by hand', async (t) => {
  await killedAt(/\] boot\n/);
  const swept = await sweep('--lab', lab.labFile);
  t.equal(swept.code, 0, swept.stderr);
  t.match(swept.stdout, /^removed VM /m);
  t.match(swept.stdout, /^2 removed, 0 left in the lab, 0 left alone$/m);
  t.same(await belongings(), []);
  t.match((await sweep('--lab', lab.labFile)).stdout, /^0 removed/);
});

t.test('nights: a lab that is gone leaves its run on the list of the next one, and hinders no other', async (t) => {
  const workdir = await killedAt(/\] boot\n/);
  const runId = runIdOf(workdir);
  const night = join(dir, 'nights/night-1');
  // Its night was killed before it wrote down the process.
  cpSync(workdir, join(night, 'phase9.main.pool1/attempt-1/run', basename(workdir)), { recursive: true });
  const listed = (): boolean => existsSync(join(cacheDir, 'runs', `${runId}.json`));
  const gone = ['--lab', join(dir, 'gone.toml')];
  writeNightMark(night, '2026-01-01T00:00:00Z', { labs: [gone, ['--lab', lab.labFile]] });
  const half = await sweep('--nights', night);
  t.match([half.code, half.stdout], [2, /^2 removed, 0 left in the lab, 0 left alone$/m], half.stderr);
  t.match(half.stderr, /gone\.toml/);
  t.same(await belongings(), []);
  t.ok(listed());
  writeNightMark(night, '2026-01-01T00:00:00Z', { labs: [['--lab', lab.labFile]] });
  const whole = await sweep('--nights', night);
  t.match([whole.code, whole.stdout], [0, /^0 removed/m], whole.stderr);
  t.notOk(listed());
});

t.test('what must stay is a leak, exit code 3; one run by its id, by another name of the same XO', async (t) => {
  const workdir = await killedAt(/\] boot\n/);
  const session = await openOther();
  t.teardown(() => session.close());
  const call = (method: string, params: Record<string, unknown>): Promise<unknown> =>
    session.call(method, params, Deadline.after(30_000, new AbortController().signal));
  const [vm] = session.objects.all('VM');
  const snapshot = String(await call('vm.snapshot', { id: vm?.id, name: 'before the update' }));
  const runId = runIdOf(workdir);
  const args = ['--lab', lab.labFile, '--xo-url', setting('url').replace('http', 'ws')];
  const blocked = await sweep(...args, '--run-id', runId);
  t.equal(blocked.code, 3, blocked.stderr);
  t.match(blocked.stdout, /^LEFT IN THE LAB VM \S+ .*but somebody made 1 snapshot/m);
  t.ok((await belongings()).length >= 2, 'theirs is not touched');
  await call('vm.delete', { id: snapshot });
  const other = await sweep(...args, '--run-id', '00000000-0000-4000-8000-000000000000');
  t.match([other.code, other.stdout], [0, /^0 removed/], 'of another run');
  const swept = await sweep(...args);
  t.match([swept.code, swept.stdout], [0, /^2 removed, 0 left in the lab/m], 'dead, though registered under http');
  t.same(await belongings(), []);
});

t.test('misuse', async (t) => {
  const rows = [
    [['--lab', 'embedded'], /--lab: expected a lab file or --xo-url: the embedded lab ends with its run/],
    [['--lab', lab.labFile, '--run-id', 'yesterday'], /--run-id: expected a run id .* given "yesterday"/],
    [
      ['--lab', lab.labFile, '--image', 'x'],
      /--image: unknown option; expected one of --dry-run, --run-id, --nights, --lab/,
    ],
  ] as const;
  for (const [args, says] of rows) {
    const refused = await sweep(...args);
    t.equal(refused.code, 2, refused.stderr);
    t.match(refused.stderr, says);
  }
  const help = await sweep('--help');
  t.equal(help.code, 0);
  t.match(help.stdout, /--dry-run/);
  const nobody = await sweep('--xo-url', 'http://127.0.0.1:9', '--xo-token-file', tokenFile);
  t.equal(nobody.code, 3, nobody.stderr);
});
