/**
 * The operator's VM and runs that end badly or meet: what they leave on it, who is told to wait, and whether the next
 * run works. Real processes; guests are simulated.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Deadline } from '../../harness/deadline.ts';
import { Secret } from '../../harness/workdir/secrets.ts';
import { openSession, type Session } from '../../harness/xcpng/session.ts';
import { startLab } from '../lab-process.ts';
import { type Options, type Outcome, runPhase, workdirRoot } from '../phase-process.ts';
import { makeVm, shown } from './operators-vm.ts';

const dir = mkdtempSync(join(tmpdir(), 'bw-killed-'));
t.teardown(() => rmSync(dir, { recursive: true }));
const root = workdirRoot(t);
const own = { BOOTWITNESS_CACHE_DIR: join(dir, 'cache') };
const elsewhere = { BOOTWITNESS_CACHE_DIR: join(dir, 'cache-of-another-machine') };

const answers = join(dir, 'answers.json');
// Time enough to be killed in, and to be met.
writeFileSync(answers, JSON.stringify({ guests: [{ answers: { 'guest-identity': { delayMs: 3_000 } } }] }));
const lab = await startLab('--backend', 'simulated', '--guest-answers', answers);
t.teardown(() => lab.stop());
const url = /^url = "(.*)"$/m.exec(readFileSync(lab.labFile, 'utf8'))?.[1] ?? '';
const session: Session = await openSession({
  url,
  credential: { token: new Secret(readFileSync(lab.tokenFile, 'utf8').trim()) },
  tls: { insecure: false, caPem: null, fingerprint: null },
  deadline: Deadline.after(30_000, new AbortController().signal),
});
t.teardown(() => session.close());
const { vm, vdi } = await makeVm({ lab, other: async () => session });

const phase = (more: readonly string[], options: Options = {}): Promise<Outcome> =>
  runPhase(
    'phase9',
    mkdtempSync(join(root, 'run-')),
    ['--lab', lab.labFile, '--fixed-vm', vm, '--fixed-vdi', vdi, ...more],
    {
      environment: own,
      ...options,
    },
  );

/** Sends the signal once, when stderr matches. */
function signalled(at: RegExp, signal: NodeJS.Signals): Pick<Options, 'onStderr'> {
  let sent = false;
  return {
    onStderr: (all, child) => {
      if (sent || !at.test(all) || child.pid === undefined) return;
      sent = true;
      process.kill(-child.pid, signal);
    },
  };
}

/** Passes when XO shows the VM with this power state (null: either), its own tag, and so many locks. */
async function leftAs(t: Test, powerState: string | null, locks: number): Promise<void> {
  const seen = (): readonly [string | null | undefined, number | undefined] => {
    const found = session.objects.get('VM', vm);
    return [
      powerState === null ? null : found?.powerState,
      found?.tags.filter((tag) => tag.startsWith('bootwitness:lock=')).length,
    ];
  };
  await shown(session, () => String(seen()) === String([powerState, locks])).catch(() => undefined);
  t.same(seen(), [powerState, locks], 'the VM as it was left, and the locks on it');
  t.ok(session.objects.get('VM', vm)?.tags.includes('precious'), "the operator's tag is there");
}

t.test(
  'killed at each stage: the lock stays, and the next run takes it away, works, and leaves the VM halted',
  async (t) => {
    for (const [at, powerState] of [
      [/upload /, 'Halted'],
      // It is told before the call that starts the VM is sent.
      [/\] boot\n/, null],
      [/\] identify\n/, 'Running'],
    ] as const) {
      const killed = await phase([], signalled(at, 'SIGKILL'));
      t.equal(killed.code, null, killed.stderr);
      await leftAs(t, powerState, 1);
    }
    const next = await phase([]);
    t.equal(next.code, 0, next.stderr);
    t.match(next.stderr, /swept: lock on VM .*: of run /);
    await leftAs(t, 'Halted', 0);
  },
);

t.test('killed on another machine: its lock is believed until it expires, and the sentence says whose', async (t) => {
  const killed = await phase([], { ...signalled(/\] identify\n/, 'SIGKILL'), environment: elsewhere });
  t.equal(killed.code, null, killed.stderr);
  const refused = await phase([]);
  t.equal(refused.code, 3, refused.stderr);
  t.equal(refused.metadata.get('fault'), 'VM_LOCKED');
  t.match(refused.metadata.get('reason'), /is held by run [0-9a-f-]{36} on \S+, until 20\d\d-/);
  await leftAs(t, 'Running', 1);
  const there = await phase([], { environment: elsewhere });
  t.equal(there.code, 0, there.stderr);
  await leftAs(t, 'Halted', 0);
});

t.test('two at once: one has it, who does not wait is told, who waits gets it', async (t) => {
  const meet: { refused?: Promise<Outcome>; waiting?: Promise<Outcome> } = {};
  const first = await phase([], {
    onStderr: (all) => {
      if (!/\] boot\n/.test(all)) return;
      meet.refused ??= phase(['--lock-wait', '0'], { environment: elsewhere });
      meet.waiting ??= phase(['--lock-wait', '100'], { environment: elsewhere });
    },
  });
  t.equal(first.code, 0, first.stderr);
  const refused = await meet.refused;
  t.equal(refused?.metadata.get('fault'), 'VM_LOCKED', refused?.stderr ?? '');
  t.equal(refused?.code, 3);
  const waiting = await meet.waiting;
  t.equal(waiting?.code, 0, waiting?.stderr ?? '');
  t.match(readFileSync(join(waiting?.workdir ?? '', 'journal.ndjson'), 'utf8'), /"waitsFor":"run /);
  await leftAs(t, 'Halted', 0);
});

t.test('interrupted: left as configured, no lock, and the next run works', async (t) => {
  for (const [at, leave, powerState] of [
    [/upload /, 'halted', 'Halted'],
    [/\] identify\n/, 'running', 'Running'],
    [/\] identify\n/, 'halted', 'Halted'],
  ] as const) {
    const stopped = await phase(['--leave', leave], signalled(at, 'SIGINT'));
    t.equal(stopped.code, 130, stopped.stderr);
    t.equal(stopped.metadata.get('leaked'), '0', `${at}, ${leave}`);
    await leftAs(t, powerState, 0);
  }
  const next = await phase(['--leave', 'running']);
  t.equal(next.code, 0, next.stderr);
  await leftAs(t, 'Running', 0);
});
