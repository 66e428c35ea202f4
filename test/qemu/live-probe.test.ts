/** `npm run probe` against the reference guest under real QEMU, in both boot modes: it sees all, and writes nothing. */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Deadline, until } from '../../harness/deadline.ts';
import { attemptSsh } from '../../harness/ssh/attempt.ts';
import { loadPrivateKey } from '../../harness/ssh/keys.ts';
import { DIRECT } from '../../harness/ssh/route.ts';
import type { SshSession } from '../../harness/ssh/session.ts';
import { referenceGuest } from '../../lab/guest/reference.ts';
import { qemuBackend } from '../../lab/qemu.ts';
import { takeSlots } from '../../lab/slots.ts';
import { inLanes } from '../lanes.ts';
import { type Called, callProbe } from '../probe-call.ts';

const PORT = 2222;
const SCALE = '6';
const BOOT_MS = 360_000;
const MODES = ['freebsd-init+rc.d-shepherd', 'shepherd-pid1'] as const;
/** What sshd and Shepherd log when somebody comes and asks. */
const LOGS = /^\/var\/log\//;

const { BOOTWITNESS_CACHE_DIR, XDG_CACHE_HOME } = process.env;
const cacheDir = BOOTWITNESS_CACHE_DIR || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'bootwitness');
const guest = await referenceGuest({ cacheDir, log: () => undefined });
const block = await takeSlots(MODES.length, PORT);
const dir = mkdtempSync(join(tmpdir(), 'bw-live-'));
t.teardown(async () => {
  await block.release();
  rmSync(dir, { recursive: true, force: true });
});

interface Seen {
  readonly address: string;
  readonly first: Called;
  readonly elsewhere: Called;
  /** Files of the guest that changed meanwhile. */
  readonly written: readonly string[];
}

const says = async (session: SshSession, script: string): Promise<string> => {
  const { stdout } = await session.run('test', `${script}\n`, 60_000);
  return stdout;
};

async function looked(mode: (typeof MODES)[number], slot: { mac: string; address: string }): Promise<Seen> {
  const own = join(dir, mode);
  mkdirSync(own);
  const disk = join(own, 'disk.raw');
  execFileSync('cp', ['--sparse=always', guest.images[mode], disk]);
  const running = await qemuBackend({ log: () => undefined }).start({
    ...{ uuid: randomUUID(), name: mode, memoryBytes: 2 ** 29, cpus: 1, firmware: 'bios', bootOrder: 'c', dir: own },
    disks: [{ path: disk, position: '0', readOnly: false }],
    nics: [{ ...slot, dead: false }],
    nicType: null,
  });
  try {
    const session = await entered(slot.address);
    // The marker is the last thing that the boot writes.
    await says(session, 'while ! [ -e /var/lib/fruix/ready ]; do sleep 1; done; sleep 2; touch /var/before; sleep 1');
    const at = ['--ssh', `root@${slot.address}:${PORT}`, '--ssh-key', guest.keyPath, '--budget-scale', SCALE];
    const first = await callProbe(at);
    const changed = await says(session, 'find / -xdev -newer /var/before ! -type d');
    const elsewhere = await callProbe([...at, '--path-store', '/gnu/store', '--only', 'current_system,ready-marker']);
    session.close();
    const written = changed.split('\n').filter((path) => path !== '' && !/^\/(proc|sys|dev)\//.test(path));
    return { address: slot.address, first, elsewhere, written };
  } finally {
    await running.stop();
  }
}

async function entered(host: string): Promise<SshSession> {
  const proof = { key: loadPrivateKey('the key', guest.keyPath, null), agent: null };
  const { signal } = new AbortController();
  const waits = { bannerWaitMs: 5_000, handshakeWaitMs: 60_000, expectHostKey: null, signal };
  const login = { user: 'root', proof, become: null, keepaliveMs: 5_000, route: DIRECT };
  const what = { what: 'the guest', code: 'SSH_UNREACHABLE', everyMs: 500 } as const;
  return until(Deadline.after(BOOT_MS, signal), what, async () => {
    const attempt = await attemptSsh({ host, port: PORT, ...login, ...waits });
    return attempt.state === 'ready' ? { done: attempt.session } : { seen: attempt.seen };
  });
}

const outcomes = inLanes(2, MODES, (mode): Promise<Seen> => {
  const slot = block.slots[MODES.indexOf(mode)];
  if (slot === undefined) throw new Error('no slot');
  return looked(mode, slot);
});

async function sees(t: Test, mode: (typeof MODES)[number]): Promise<void> {
  const seen = await outcomes.get(mode);
  if (seen === undefined) throw new Error('not run');
  const { first, elsewhere, written, address } = seen;
  t.comment(first.stdout);
  t.comment(elsewhere.stdout);
  t.equal(first.code, 0, first.stderr);
  t.match(first.stdout, `machine     root@${address}:${PORT}, SSH-2.0-OpenSSH_`);
  t.match(first.stdout, `boot mode   ${mode}: PID 1 is ${mode === 'shepherd-pid1' ? 'guile' : 'init'}`);
  t.match(first.stdout, /\n26 ok, 0 not ok, 0 unobserved\. /);
  t.match(first.stdout, /^found +store +\/frx\/store$/m);
  t.match(first.stdout, /^found +shepherd_socket +\/var\/run\/shepherd\/socket, \/run\/shepherd\/socket/m);
  t.notMatch(first.stdout, /NOT FOUND|PASS|FAIL/);
  t.same(
    written.filter((path) => !LOGS.test(path)),
    [],
    `written meanwhile: ${written.join(' ')}`,
  );
  t.equal(elsewhere.code, 1, elsewhere.stderr);
  t.match(
    elsewhere.stdout,
    /^not ok +run_current_system_target: .*\n +why: resolves to \/frx\/store\/.*, outside \/gnu/m,
  );
  t.match(elsewhere.stdout, /^NOT FOUND +store +\/gnu\/store \(absent\)$/m);
  t.match(elsewhere.stdout, /^ +--path-store \/frx\/store +or +store = "\/frx\/store"$/m);
}

for (const mode of MODES) t.test(mode, (t) => sees(t, mode));
