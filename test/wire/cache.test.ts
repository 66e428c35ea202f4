/**
 * The image cache as users meet it: whole runs of the phase against one lab that stays. Makers are killed without mercy
 * at each point, and the next run is right and leaves nothing but the entry. Real processes; guests are simulated.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { Deadline, until } from '../../harness/deadline.ts';
import { Secret } from '../../harness/workdir/secrets.ts';
import { openSession } from '../../harness/xcpng/session.ts';
import { type LabProcess, startLab } from '../lab-process.ts';
import { type Outcome, runPhase, workdirRoot } from '../phase-process.ts';

const dir = mkdtempSync(join(tmpdir(), 'bw-cache-'));
t.teardown(() => rmSync(dir, { recursive: true }));
const root = workdirRoot(t);
const environment = { BOOTWITNESS_CACHE_DIR: join(dir, 'cache') };
const CACHE = ['--cache-sr', 'Embedded local storage', '--cache-gib', '4', '--cache-chain-max', '20'];

const run = (lab: LabProcess, more: Parameters<typeof runPhase>[3] = {}, args = CACHE): Promise<Outcome> =>
  runPhase('phase9', root, ['--lab', lab.labFile, ...args], { environment, ...more });

/** Uploads that the lab itself has counted. */
const uploads = (lab: LabProcess): number => lab.said().match(/ bytes of vhd in /g)?.length ?? 0;

/** Until the lab has counted or given up what a killed run was sending: it may have had all bytes before. */
const uploadOver = (lab: LabProcess): Promise<void> =>
  until(
    Deadline.after(60_000, new AbortController().signal),
    { what: 'the end of the upload', code: 'XO_OBJECT_LATE', everyMs: 20 },
    () => (/ bytes of vhd in |^POST \S+\/vdis\b\S*: /m.test(lab.said()) ? { done: undefined } : { seen: 'it goes on' }),
  );

interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const command = (file: string, ...args: readonly string[]): Promise<Said> =>
  new Promise((resolve) => {
    const entry = fileURLToPath(new URL(`../../${file}`, import.meta.url));
    const all = ['--import', import.meta.resolve('tsx'), entry, ...args];
    const child = execFile(process.execPath, all, { env: { ...process.env, ...environment } }, (_, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, stdout, stderr });
    });
  });

type Raws = readonly Readonly<Record<string, unknown>>[];

/** What the pool shows, once it is as it should be. */
async function shown({ labFile, tokenFile }: LabProcess, holds: (raws: Raws) => boolean = () => true): Promise<Raws> {
  const url = /^url = "(.*)"$/m.exec(readFileSync(labFile, 'utf8'))?.[1] ?? '';
  const deadline = Deadline.after(60_000, new AbortController().signal);
  const session = await openSession({
    url,
    credential: { token: new Secret(readFileSync(tokenFile, 'utf8').trim()) },
    tls: { insecure: false, caPem: null, fingerprint: null },
    deadline,
  });
  const all = await session.objects.waitFor(deadline, 'the pool to be so', 'XO_OBJECT_LATE', () => {
    const raws = [...session.objects.raws.values()];
    return holds(raws) ? { done: raws } : { seen: 'not yet' };
  });
  await session.close();
  return all;
}

/** Every VM, template and disk of the pool beyond those that a new one has. */
async function belongings(lab: LabProcess): Promise<readonly string[]> {
  return (await shown(lab))
    .filter(({ type }) => /^(VM|VM-template|VDI|VDI-unmanaged)$/.test(String(type)))
    .filter(({ name_label }) => !/^(Other install media|Embedded custom template)$/.test(String(name_label)))
    .map(({ type, name_label }) => `${String(type)} ${String(name_label).replace(/ [0-9a-f]{12}$/, '')}`)
    .sort();
}

const ENTRY = ['VDI bootwitness cache', 'VM-template bootwitness cache'];

t.test('two runs, images list, images prune', async (t) => {
  const lab = await startLab('--backend', 'simulated');
  t.teardown(() => lab.stop());
  const first = await run(lab);
  t.equal(first.code, 0, first.stderr);
  t.equal(first.metadata.get('cache'), 'made');
  t.match(first.metadata.get('import_bytes'), /^[1-9]/);
  t.equal(first.metadata.get('leaked'), '0');
  const second = await run(lab);
  t.equal(second.code, 0, second.stderr);
  for (const [key, value] of [
    ...[['cache', 'hit'] as const, ['import_path', 'cache-clone'] as const, ['import_bytes', '0'] as const],
    ...[['leaked', '0'] as const, ['cache_entry', first.metadata.get('cache_entry')] as const],
  ]) {
    t.equal(second.metadata.get(key), value, key);
  }
  t.equal(uploads(lab), 1, 'by the count of the lab');
  t.same(await belongings(lab), ENTRY);

  const packed = join(dir, 'reference.raw.gz');
  writeFileSync(packed, gzipSync(readFileSync(String(first.metadata.get('image_path')))));
  const third = await run(lab, {}, [...CACHE, '--image', packed]);
  t.equal(third.code, 0, third.stderr);
  t.equal(third.metadata.get('cache'), 'hit', 'the same disk, whatever holds it');
  t.equal(third.metadata.get('lint'), 'unknown lint', 'nothing is decompressed for the lint alone');

  const off = await run(lab, {}, [...CACHE, '--cache', 'off']);
  t.equal(off.metadata.get('cache'), 'off', off.stderr);
  t.equal(uploads(lab), 2);
  const digest = String(first.metadata.get('image_sha256'));
  const listed = await command('images.ts', 'list', '--lab', lab.labFile, '--json');
  t.equal(listed.code, 0, listed.stderr);
  t.match(JSON.parse(listed.stdout), [{ digest, chain: 1, state: 'ready', uuid: first.metadata.get('cache_entry') }]);
  t.match(
    (await command('images.ts', 'list', '--lab', lab.labFile)).stdout,
    / on the SR, last used 20.*, chain 1, .*, ready\n$/,
  );
  const prune = (...args: readonly string[]) => command('images.ts', 'prune', '--lab', lab.labFile, ...args);
  t.match(await prune('--older-than', '1'), { code: 0, stdout: /^0 removed, 0 stayed/ });
  t.match(await prune('--digest', 'ab'.repeat(32)), { code: 0, stdout: /^0 removed/ });
  t.match(await prune('--all', '--dry-run'), { code: 0, stdout: /^would remove [\s\S]*1 to remove \(dry run\)/ });
  t.same(await belongings(lab), ENTRY, 'a dry run changes nothing');
  t.match(await prune('--digest', digest), { code: 0, stdout: /^removed [\s\S]*1 removed, 0 stayed/ });
  t.same(await belongings(lab), []);
});

t.test('images: misuse', async (t) => {
  const lab = join(dir, 'lab.toml');
  writeFileSync(lab, `[xo]\nurl = "http://127.0.0.1:9"\ntoken_file = "token"\n`);
  writeFileSync(join(dir, 'token'), 'a-token');
  const rows = [
    [[], /list \| prune: expected one, given nothing/],
    [['frob'], /list \| prune: expected one of them, given frob/],
    [['list', 'twice', '--lab', lab], /list \| prune: expected one, given also "twice"/],
    [['list', '--lab', 'embedded'], /--lab: expected a lab file or --xo-url: the embedded lab ends with its run/],
    [['prune', '--lab', lab], /--all: expected it, or one of --older-than and --digest, or both, given none of them/],
    [['prune', '--all', '--digest', 'ab'.repeat(32), '--lab', lab], /--all: .* given it with others/],
    [['prune', '--digest', 'yesterday', '--lab', lab], /--digest: expected a SHA-256 as 64 hex digits/],
    [['prune', '--older-than', 'x', '--lab', lab], /--older-than: expected a number of days, given "x"/],
  ] as const;
  for (const [args, says] of rows) t.match(await command('images.ts', ...args), { code: 2, stderr: says });
  t.equal((await command('images.ts', 'list', '--lab', lab)).code, 3, 'nobody answers');
  t.match(await command('images.ts', '--help'), { code: 0, stdout: /--older-than DAYS/ });
});

const isEntry = ({ name_label }: Raws[number]): boolean => /^bootwitness cache /.test(String(name_label));
const kindOf = (type: string) => (raw: Raws[number]) => raw.type === type && isEntry(raw);

/** A call that never returns holds the run at that point; how the pool shows that it is there. */
const POINTS: readonly (readonly [string, string, (raws: Raws) => boolean])[] = [
  ['after its VM was made', 'stall=tag.add', (raws) => raws.some(kindOf('VM'))],
  ['after the upload', 'stall=vdi.set', (raws) => raws.some(kindOf('VDI'))],
  [
    'after the disk has its name',
    'stall=vm.attachDisk',
    (raws) => raws.some((raw) => kindOf('VDI')(raw) && /:self=/.test(String(raw.name_description))),
  ],
  ['after the disk was attached', 'stall=vm.convertToTemplate', (raws) => raws.some(({ type }) => type === 'VBD')],
];

for (const [point, mishap, isThere] of POINTS) {
  t.test(`the maker is killed ${point}`, async (t) => {
    const lab = await startLab('--backend', 'simulated', '--mishap', mishap);
    t.teardown(() => lab.stop());
    let killed = false;
    const kill = async (pid: number): Promise<void> => {
      await shown(lab, isThere);
      process.kill(-pid, 'SIGKILL');
    };
    const dead = await run(lab, {
      onStderr: (all, child) => {
        if (killed || !/\] provision\n/.test(all) || child.pid === undefined) return;
        killed = true;
        void kill(child.pid);
      },
    });
    t.equal(dead.code, null, dead.stderr);
    const left = await belongings(lab);
    t.same(left, [...(mishap === 'stall=tag.add' ? [] : ['VDI bootwitness cache']), 'VM bootwitness cache']);
    const swept = await command('sweep.ts', '--lab', lab.labFile, '--dry-run');
    t.match(swept.stdout, /^would remove VM .*: an unfinished entry of the cache$/m, swept.stderr);
    t.match((await command('images.ts', 'list', '--lab', lab.labFile)).stdout, /being made by run/);
    t.match(await command('images.ts', 'prune', '--all', '--lab', lab.labFile), { stdout: /^0 removed/ });
    const after = await command('sweep.ts', '--lab', lab.labFile);
    t.equal(after.code, 0, after.stdout + after.stderr);
    t.same(await belongings(lab), [], 'nothing is left');
  });
}

/** What the run says when it is there. */
const KILLED_AT: readonly (readonly [string, RegExp, readonly string[]])[] = [
  ['during the upload', /upload \d/, []],
  ['right after its entry is ready', /\] boot\n/, ENTRY],
];

for (const [point, sign, stays] of KILLED_AT) {
  t.test(`the maker is killed ${point}; the next run is right`, async (t) => {
    const answers = join(dir, 'answers.json');
    writeFileSync(answers, JSON.stringify({ guests: [{ answers: { 'guest-identity': { delayMs: 1_000 } } }] }));
    const lab = await startLab('--backend', 'simulated', '--guest-answers', answers);
    t.teardown(() => lab.stop());
    const dead = await run(lab, {
      onStderr: (all, child) => {
        if (sign.test(all) && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      },
    });
    t.equal(dead.code, null, dead.stderr);
    await uploadOver(lab);
    const before = uploads(lab);
    const next = await run(lab);
    t.equal(next.code, 0, next.stderr);
    t.equal(next.metadata.get('cache'), stays.length > 0 ? 'hit' : 'made');
    t.equal(uploads(lab) - before, stays.length > 0 ? 0 : 1);
    t.match(next.stderr, /swept: VM /);
    t.same(await belongings(lab), ENTRY, 'the entry, and nothing of either run');
  });
}

t.test('two runs at once, each a process: one upload, two right endings', async (t) => {
  const lab = await startLab('--backend', 'simulated');
  t.teardown(() => lab.stop());
  const roots = [workdirRoot(t), workdirRoot(t)];
  const both = await Promise.all(
    roots.map((each) => runPhase('phase9', each, ['--lab', lab.labFile, ...CACHE], { environment })),
  );
  for (const each of both) t.equal(each.code, 0, each.stderr);
  t.same(both.map(({ metadata }) => metadata.get('cache')).sort(), ['hit', 'made']);
  t.equal(uploads(lab), 1);
  t.same(await belongings(lab), ENTRY);
});
