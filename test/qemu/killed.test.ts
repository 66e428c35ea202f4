/**
 * Runs with real guests that are killed without mercy: the next start leaves nothing of them in the lab, no QEMU goes
 * on, and no workdir looks like a PASS. Each run that is killed is itself the next start of the one before.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Deadline } from '../../harness/deadline.ts';
import { Secret } from '../../harness/workdir/secrets.ts';
import { openSession } from '../../harness/xcpng/session.ts';
import { type LabProcess, startLab } from '../lab-process.ts';
import { inLanes } from '../lanes.ts';
import { type Outcome, runPhase, workdirRoot } from '../phase-process.ts';

const root = workdirRoot(t);

interface Row {
  readonly name: string;
  readonly phase: 'phase9' | 'phase11';
  readonly args: readonly string[];
  /** What stands on stderr when the run is killed, one run for each. */
  readonly points: readonly RegExp[];
  /** What is to stay of the runs, by type and name. */
  readonly stays: readonly RegExp[];
}

const CACHE = ['--cache-sr', 'Embedded local storage', '--cache-gib', '4', '--cache-chain-max', '20'];
const ROWS: readonly Row[] = [
  {
    ...{ name: 'each run sends its image', phase: 'phase9', args: ['--read-back', 'auto'] },
    ...{ points: [/\] upload \d/, /\] boot\n/], stays: [] },
  },
  {
    ...{ name: 'a run makes an entry of the cache, and clones it', phase: 'phase11', args: [...CACHE] },
    ...{ points: [/\] probe\n/], stays: [/^VDI bootwitness cache /, /^VM-template bootwitness cache /] },
  },
];

interface Look {
  /** Type and name of what carries a name or a claim of ours. */
  readonly ours: readonly string[];
  readonly runIds: readonly string[];
  readonly qemus: number;
}

async function look({ url, tokenFile, pid }: LabProcess): Promise<Look> {
  const deadline = Deadline.after(60_000, new AbortController().signal);
  const session = await openSession({
    ...{ url, deadline, tls: { insecure: false, caPem: null, fingerprint: null } },
    credential: { token: new Secret(readFileSync(tokenFile, 'utf8').trim()) },
  });
  const all = (await session.call('xo.getAllObjects', {}, deadline)) as Record<string, Record<string, unknown>>;
  await session.close();
  const ours = Object.values(all).filter((each) => /bootwitness[: ]/.test(JSON.stringify(each)));
  const processes = execFileSync('ps', ['-eo', 'ppid=,comm='], { encoding: 'utf8' }).trim().split('\n');
  return {
    ours: ours.map(({ type, name_label }) => `${String(type)} ${String(name_label)}`).sort(),
    runIds: [...JSON.stringify(ours).matchAll(/bootwitness:(?:run|using|leaving)=([0-9a-f-]{36})/g)].map(
      ([, id = '']) => id,
    ),
    qemus: processes.filter((line) => line.trim().startsWith(`${pid} qemu-system`)).length,
  };
}

interface Played {
  readonly killed: readonly Outcome[];
  /** After each start that came after a kill, when it had got as far as its own point. */
  readonly afterKill: Look;
  readonly last: Outcome;
  readonly afterLast: Look;
}

async function play({ phase, args, points }: Row): Promise<Played> {
  const lab = await startLab();
  try {
    const runs = mkdtempSync(join(root, 'runs-'));
    const environment = { BOOTWITNESS_CACHE_DIR: mkdtempSync(join(root, 'cache-')) };
    const all = ['--lab', lab.labFile, ...args];
    const killed: Outcome[] = [];
    for (const point of points) {
      let told = false;
      const onStderr = (text: string, { pid }: { readonly pid?: number | undefined }): void => {
        if (told || pid === undefined || !point.test(text)) return;
        told = true;
        process.kill(-pid, 'SIGKILL');
      };
      killed.push(await runPhase(phase, runs, all, { environment, onStderr }));
    }
    const afterKill = await look(lab);
    const last = await runPhase(phase, runs, all, { environment });
    return { killed, afterKill, last, afterLast: await look(lab) };
  } finally {
    await lab.stop();
  }
}

function judge(t: Test, { stays }: Row, { killed, afterKill, last, afterLast }: Played): void {
  for (const { code, stdout, stderr, workdir } of killed) {
    t.equal(code, null, stderr);
    t.notMatch(stdout, /PASS/);
    const files = existsSync(workdir) ? readdirSync(workdir).filter((name) => /\.(txt|json)$/.test(name)) : [];
    t.same(files, [], 'no report, so that nothing looks like a PASS');
  }
  t.equal(
    new Set(afterKill.runIds).size,
    1,
    'the last one that was killed has swept those before it, and stays itself',
  );
  t.ok(afterKill.qemus <= 1, `${afterKill.qemus} QEMU`);
  t.equal(last.code, 0, last.stderr);
  t.match(last.stderr, /swept: VM /);
  t.equal(last.metadata.get('result'), 'PASS');
  t.equal(last.metadata.get('leaked'), '0');
  t.same(afterLast.ours.length, stays.length, afterLast.ours.join(', '));
  for (const [index, stay] of stays.entries()) t.match(afterLast.ours[index], stay);
  t.same(afterLast.runIds, [], 'no claim of any run');
  t.equal(afterLast.qemus, 0, 'no QEMU goes on');
}

const outcomes = inLanes(2, ROWS, play);
for (const row of ROWS) {
  t.test(row.name, async (t) => {
    const played = await outcomes.get(row);
    if (played === undefined) throw new Error('not run');
    judge(t, row, played);
    const seconds = [...played.killed, played.last].map((each) => each.seconds.toFixed(0));
    t.comment(`${seconds.join(' + ')} s`);
  });
}
