/** Simulated guests, seen by a real SSH client: healthy ones, and each way in which one can be told to misbehave. */
import { createConnection } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { systemClock } from '../../harness/deadline.ts';
import { readGpt } from '../../harness/guest/gpt-dump.ts';
import { judgeImage, judgeMachine } from '../../harness/guest/identity.ts';
import type { SshSession } from '../../harness/ssh/session.ts';
import { diskGuid, octalDump, readDiskHead } from '../../lab/simulated/disk-head.ts';
import { makeSshKeyPair } from '../../lab/ssh-key.ts';
import { makeStandInImage } from '../../lab/stand-in-image.ts';
import {
  ask,
  CLOSURE,
  connect,
  dir,
  ENOUGH_MS,
  image,
  lab,
  NONCE,
  PORT,
  run,
  session,
  UUID,
} from './simulated-guests.ts';

t.test('a healthy guest: banner, identity of machine and image, facts of its mode', async (t) => {
  const started = await lab(t)();
  const ssh = await session(t, started);
  t.match(ssh.banner, /^SSH-2\.0-OpenSSH_.*simulated/, 'it says what it is');
  const expected = { uuid: UUID, macs: [started.slot.mac], sinceStartMs: 60_000 };
  t.match(judgeMachine(await ask(ssh, 'guest-identity'), expected), { state: 'verified', uuidSource: 'dmi' });
  const gpt = readGpt(octalDump(await readDiskHead(image)));
  if (gpt.state !== 'gpt') throw new Error(gpt.reason);
  t.equal(gpt.diskGuid, diskGuid(await readDiskHead(image)));
  const { partitionGuids } = gpt;
  t.match(judgeImage(await ask(ssh, 'image-identity'), { ...gpt, partitionGuids }), { state: 'verified', disk: 'vda' });
  t.match(await ask(ssh, 'current-system'), { state: 'seen', facts: { target: CLOSURE, real: CLOSURE } });
  t.match(await ask(ssh, 'pid1'), { facts: { comm: 'guile', pid_file_content: '1' } });
  t.match(await ask(ssh, 'uname'), { facts: { all: /simulated/ } });
  t.match(await started.running.serialText(), /simulated guest/);
  t.equal(started.running.vncSocketPath, null);
});

t.test('a disk that nobody knows: the other mode, and no disk: nothing to recognise', async (t) => {
  const unknown = join(dir, 'unknown.raw');
  await makeStandInImage(unknown, {});
  const start = lab(t);
  const ssh = await session(t, await start({ disks: [{ path: unknown, position: '0', readOnly: false }] }));
  t.match(await ask(ssh, 'pid1'), { facts: { comm: 'init' } });
  const bare = await session(t, await start({ disks: [], uuid: '00000000-0000-4000-8000-000000000001' }));
  t.same(await ask(bare, 'image-identity'), {
    state: 'seen',
    facts: { probe: 'image-identity', device: '', disk: '' },
  });
});

t.test('a key that is not the lab’s is refused; so is any key where it is told so', async (t) => {
  const stranger = makeSshKeyPair('stranger').privateKey;
  t.match(await connect(await lab(t)(), ENOUGH_MS, stranger), { state: 'refused-key' });
  t.match(await connect(await lab(t, { guests: [{ boot: { sshd: 'refuse-key' } }] })()), { state: 'refused-key' });
});

t.test('other users, other commands and other scripts are refused in words', async (t) => {
  const started = await lab(t)();
  const ssh = await session(t, started);
  const strange = await ssh.run('strange', 'uname -a\n', ENOUGH_MS);
  t.equal(strange.exit, 2);
  t.match(strange.stderr, /names its probe and its nonce/);
  const unknown = await run(ssh, 'no-such-probe');
  t.equal(unknown.exit, 3);
  t.match(unknown.stderr, /no answer is known for probe 'no-such-probe'/);
});

const SILENT = [
  { sshd: 'never', seen: /^connected, no banner$/ },
  { sshd: 'immediate-end', seen: /^(connected, closed without a banner|protocol on connecting)$/ },
] as const;
for (const { sshd, seen } of SILENT) {
  t.test(`sshd ${sshd}`, async (t) => {
    const started = await lab(t, { guests: [{ boot: { sshd } }] })();
    t.match(await connect(started, sshd === 'never' ? 100 : ENOUGH_MS), { state: 'not-yet', seen });
  });
}

t.test('sshd banner-then-silence', async (t) => {
  const { slot } = await lab(t, { guests: [{ boot: { sshd: 'banner-then-silence' } }] })();
  const socket = createConnection({ host: slot.address, port: PORT });
  const first = await new Promise<string>((resolve) => socket.once('data', (data) => resolve(String(data))));
  t.match(first, /^SSH-2\.0-.*\r\n$/);
  socket.destroy();
});

t.test('a dead network: connected, and nothing more', async (t) => {
  t.match(await connect(await lab(t)({}, true), 100), { state: 'not-yet', seen: 'connected, no banner' });
});

t.test('connections that come before the guest is up are answered when it is', async (t) => {
  const before = performance.now();
  const attempt = await connect(await lab(t, { guests: [{ boot: { delayMs: 150 } }] })());
  t.equal(attempt.state, 'ready');
  t.ok(performance.now() - before >= 145, 'not earlier');
  if (attempt.state === 'ready') attempt.session.close();
});

t.test('answers: other facts, fewer facts, a failed script, raw text, cut, hang, drop, late', async (t) => {
  const answers = {
    'ready-marker': [{ facts: { kind: 'absent', content: null } }, { after: 2 }],
    uname: { exit: 7 },
    pid1: { raw: '@{{nonce}}\tcomm\t=sh\n', stderr: 'oops', exit: 9 },
    'current-system': { cut: 40 },
    'shepherd-pid': { hang: true },
    'shepherd-status': { drop: true },
    'made-up': { facts: { key: 'a\nb' }, delayMs: 50 },
  };
  const ssh = await session(t, await lab(t, { guests: [{ answers }] })());
  const first = await ask(ssh, 'ready-marker');
  t.match(first, { state: 'seen', facts: { kind: 'absent' } });
  t.notOk(first.state === 'seen' && 'content' in first.facts);
  t.match(await ask(ssh, 'ready-marker'), { facts: { kind: 'file', content: 'ready\nx' } }, 'from the second time on');
  t.match(await ask(ssh, 'uname'), { state: 'unseen', reason: /status 7/ });
  t.match(await run(ssh, 'pid1'), { stdout: `@${NONCE}\tcomm\t=sh\n`, stderr: 'oops', exit: 9 });
  t.match(await run(ssh, 'current-system'), { exit: null, stdout: /^.{40}$/s, transport: /without an exit status/ });
  t.match(await run(ssh, 'shepherd-pid', 100), { timedOut: true, stdout: '' });
  const began = performance.now();
  t.match(await ask(ssh, 'made-up'), { state: 'seen', facts: { key: 'a\nb' } });
  t.ok(performance.now() - began >= 45);
  t.match(await run(ssh, 'shepherd-status'), { transport: /closed/ });
  t.type(ssh.lost(), 'string');
});

t.test('the first VM, the second, all later ones; the same VM again is the same guest', async (t) => {
  const one = (kernel: string): object => ({ answers: { uname: { facts: { kernel } } } });
  const start = lab(t, { guests: [one('first'), one('second'), one('rest')] });
  const kernel = async (uuid: string): Promise<string> => {
    const started = await start({ uuid });
    const observation = await ask(await session(t, started), 'uname');
    await started.running.stop();
    return observation.state === 'seen' ? (observation.facts.kernel ?? '') : observation.reason;
  };
  const seen: string[] = [];
  for (const uuid of ['a', 'b', 'c', 'd', 'a']) seen.push(await kernel(uuid));
  t.same(seen, ['first', 'second', 'rest', 'rest', 'first']);
});

t.test('where starts are counted, a VM that is started again is the next guest', async (t) => {
  const start = lab(t, { counts: 'starts', guests: [{ closure: '/first' }, { closure: '/second' }] });
  for (const real of ['/first', '/second', '/second']) {
    const started = await start();
    t.match(await ask(await session(t, started), 'current-system'), { facts: { real } });
    await started.running.stop();
  }
});

t.test('a shell that says something before each answer, and ends its lines with CR and LF', async (t) => {
  const ssh = await session(t, await lab(t, { guests: [{ shell: { banner: 'Hello {{nonce}}\n', crlf: true } }] })());
  const { stdout } = await run(ssh, 'uname');
  t.match(stdout, /^Hello \{\{nonce\}\}\r\n\r\n@\S+\tprobe\t\S+\r\n/);
  t.notMatch(stdout, /[^\r]\n/);
  t.match(await ask(ssh, 'uname'), { state: 'seen', facts: { kernel: 'Linux' } });
});

t.test('a guest that reboots by itself, again and again', async (t) => {
  const { running } = await lab(t, { guests: [{ boot: { rebootAfterMs: 20, serial: 'Booting\n' } }] })();
  const boots = async (): Promise<number> => (await running.serialText()).match(/Booting/g)?.length ?? 0;
  const { signal } = new AbortController();
  for (let looks = 0; looks < 200 && (await boots()) < 3; looks++) await systemClock.sleep(10, signal);
  t.ok((await boots()) >= 3);
});

t.test('an sshd that dies in the middle', async (t) => {
  const started = await lab(t, { guests: [{ answers: { uname: { goes: 'deaf' } } }] })();
  t.match(await run(await session(t, started), 'uname'), { transport: /closed/ });
  t.match(await connect(started), { state: 'not-yet', seen: /closed without a banner|protocol on connecting/ });
});

t.test('a disk of its own story goes before the order of starts', async (t) => {
  const guid = diskGuid(await readDiskHead(image)) ?? '';
  const start = lab(t, { guests: [{ closure: '/other' }], disks: { [guid]: [{ closure: '/own' }, {}] } });
  const target = async (uuid: string): Promise<unknown> =>
    ask(await session(t, await start({ uuid })), 'current-system');
  t.match(await target('a'), { facts: { target: '/own' } });
  t.match(await target('b'), { facts: { target: CLOSURE } });
});

t.test('reset: the connection ends, and the next boot is another one', async (t) => {
  const started = await lab(t)();
  const ssh = await session(t, started);
  const id = async (of: SshSession): Promise<string | undefined> => {
    const observation = await ask(of, 'guest-identity');
    return observation.state === 'seen' ? observation.facts.boot_id : undefined;
  };
  const before = await id(ssh);
  await started.running.reset();
  const after = await id(await session(t, started));
  t.type(ssh.lost(), 'string');
  t.match(after, /^[0-9a-f-]{36}$/);
  t.not(after, before);
});

t.test('the guest powers itself off; stop is harmless afterwards and frees the address', async (t) => {
  const start = lab(t, { guests: [{ boot: { haltAfterMs: 20, serial: 'login: ' } }, {}] });
  const { running, slot } = await start();
  t.match(await running.exited, { seen: /powered itself off/ });
  t.match(await running.serialText(), /login: $/);
  await running.stop();
  const again = await start({ uuid: 'again', nics: [{ ...slot, dead: false }] });
  await t.rejects(
    start({ uuid: 'third', nics: [{ ...slot, dead: false }] }),
    new RegExp(`cannot listen on ${slot.address}:${PORT}: .*EADDRINUSE`),
  );
  await again.running.stop();
  t.match(await again.running.exited, { seen: 'powered off by the lab' });
});

t.test('200 guests in one process, each asked once', async (t) => {
  const start = lab(t);
  const began = performance.now();
  const all = await Promise.all(Array.from({ length: 200 }, (_, index) => start({ uuid: `guest-${index}` })));
  const answers = await Promise.all(
    all.map(async (started) => {
      const attempt = await connect(started);
      if (attempt.state !== 'ready') return attempt.seen;
      const observation = await ask(attempt.session, 'guest-identity');
      attempt.session.close();
      return observation.state === 'seen' ? observation.facts['uuid.dmi'] : observation.reason;
    }),
  );
  t.same(
    answers,
    all.map(({ vm }) => vm.uuid),
  );
  t.comment(`${Math.round(performance.now() - began)} ms, ${Math.round(process.memoryUsage().rss / 2 ** 20)} MiB`);
});
