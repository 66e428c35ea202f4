/** Ways into a guest: keys, agent, another user, jump host; and how far each came that was not let in. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Deadline } from '../../../harness/deadline.ts';
import { type Attempt, attemptSsh } from '../../../harness/ssh/attempt.ts';
import { JumpHost, type JumpTarget } from '../../../harness/ssh/jump-host.ts';
import { checkAgent } from '../../../harness/ssh/keys.ts';
import type { Login } from '../../../harness/ssh/login.ts';
import { makeSshKeyPair } from '../../../lab/ssh-key.ts';
import { startJump } from '../../jump-host.ts';
import { ask, connect, lab, rootBy, rootKey, run, type Started, session } from '../../lab/simulated-guests.ts';

const within = (ms: number): Deadline => Deadline.after(ms, new AbortController().signal);
const dir = mkdtempSync(join(tmpdir(), 'bw-login-'));
t.teardown(() => rmSync(dir, { recursive: true }));

/** A guest that admits `key` only, and whatever else `boot` says of it. */
async function guest(t: Test, boot: unknown = {}): Promise<Started> {
  return lab(t, { guests: [{ boot }] })();
}

async function entered(t: Test, attempt: Attempt): Promise<void> {
  if (attempt.state !== 'ready') throw new Error(`not let in: ${attempt.seen}`);
  t.match(await ask(attempt.session, 'guest-identity'), { state: 'seen' });
  attempt.session.close();
}

const seen = (attempt: Attempt): string => (attempt.state === 'ready' ? 'ready' : attempt.seen);

t.test('how far a guest lets one come', async (t) => {
  const closed = await new Promise<number>((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
  const waits = { bannerWaitMs: 300, handshakeWaitMs: 300, expectHostKey: null, signal: new AbortController().signal };
  const login = rootBy(makeSshKeyPair('test').privateKey);
  t.match(await attemptSsh({ host: '127.0.0.1', port: closed, ...waits, ...login }), {
    ...{ state: 'not-yet', reached: 'refused', seen: /ECONNREFUSED on connecting/ },
  });
  const rows = [
    ['never', 'not-yet', 'connected', /connected, no banner/],
    ['immediate-end', 'not-yet', 'connected', /connected, closed without a banner/],
    ['banner-then-silence', 'not-yet', 'banner', /banner SSH-2\.0-\S+.*, then silence/],
    ['refuse-key', 'refused-key', undefined, /key refused for user root/],
    ['old-algorithms', 'no-agreement', undefined, /no matching key exchange/],
  ] as const;
  for (const [sshd, state, reached, says] of rows) {
    const attempt = await connect(await guest(t, { sshd }), 500);
    t.match(attempt, { state, ...(reached === undefined ? {} : { reached }) }, sshd);
    t.match(seen(attempt), says);
  }
});

t.test('another user becomes root', async (t) => {
  for (const become of ['su', 'doas', 'sudo'] as const) {
    const started = await guest(t, { user: 'operator', become });
    await entered(t, await connect(started, undefined, undefined, { user: 'operator', become }));
    const refused = await connect(started, undefined, undefined, {
      ...{ user: 'operator', become: become === 'su' ? 'doas' : 'su' },
    });
    if (refused.state !== 'ready') throw new Error(refused.seen);
    t.match(await ask(refused.session, 'guest-identity'), {
      state: 'unseen',
      reason: /exit status 1; .*not permitted/,
    });
    refused.session.close();
  }
  t.match(await connect(await guest(t), undefined, undefined, { user: 'operator' }), { state: 'refused-key' });
});

t.test('a key with a passphrase', async (t) => {
  const key = join(dir, 'locked');
  writeFileSync(key, rootKey(), { mode: 0o600 });
  execFileSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'open sesame', '-f', key]);
  const text = execFileSync('cat', [key]);
  const proof = (passphrase: string): Login['proof'] => ({ key: { text, passphrase }, agent: null });
  await entered(t, await connect(await guest(t), undefined, undefined, { proof: proof('open sesame') }));
});

t.test('an agent', async (t) => {
  const socket = join(dir, 'agent');
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
  t.teardown(() => agent.kill());
  while (!existsSync(socket)) await new Promise((resolve) => setTimeout(resolve, 10));
  await t.rejects(checkAgent('ssh.agent', socket, within(5_000)), { code: 'BAD_KEY', message: /holds none: add one/ });
  await t.rejects(checkAgent('ssh.agent', join(dir, 'nobody'), within(5_000)), { code: 'BAD_KEY' });
  const proof = { key: null, agent: socket };
  t.match(await connect(await guest(t), undefined, undefined, { proof }), { state: 'refused-key' }, 'without a key');
  const key = join(dir, 'for-the-agent');
  writeFileSync(key, rootKey(), { mode: 0o600 });
  execFileSync('ssh-add', ['-q', key], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
  await checkAgent('ssh.agent', socket, within(5_000));
  await entered(t, await connect(await guest(t), undefined, undefined, { proof }));
  const other = { text: Buffer.from(makeSshKeyPair('other').privateKey), passphrase: null };
  const both = await connect(await guest(t), undefined, undefined, { proof: { key: other, agent: socket } });
  await entered(t, both);
});

t.test('a jump host', async (t) => {
  const own = makeSshKeyPair('for the jump host');
  const jump = await startJump(t, { authorizedKey: own.publicKey });
  const target: JumpTarget = {
    ...{ host: '127.0.0.1', port: jump.port, user: 'anybody', hostKey: jump.hostKey, keepaliveMs: 5_000 },
    proof: { key: { text: Buffer.from(own.privateKey), passphrase: null }, agent: null },
  };
  const through = async (changes: Partial<JumpTarget> = {}): Promise<JumpHost> => {
    const host = new JumpHost({ ...target, ...changes });
    t.teardown(() => host.close());
    return host;
  };
  const route = await through();
  await route.open();
  t.equal(route.hostKey, jump.hostKey);
  const started = await guest(t);
  await entered(t, await connect(started, undefined, undefined, { route }));
  t.same(jump.forwarded, [`${started.slot.address}:2222`], 'the guest was reached from there');
  t.match(await route.run('a test', 'echo here\n', within(5_000)), { exit: 0, stdout: 'here\n' });

  jump.drop();
  await new Promise((resolve) => setTimeout(resolve, 50));
  await entered(t, await connect(started, undefined, undefined, { route }));

  await started.running.stop();
  const gone = await connect(started, 500, undefined, { route });
  t.match(gone, { state: 'not-yet', blame: null }, 'a guest that is down is not the fault of the jump host');
  jump.close();
  await new Promise((resolve) => setTimeout(resolve, 50));
  const lost = await connect(started, 500, undefined, { route });
  t.match(lost, { state: 'not-yet', blame: { code: 'JUMP_UNREACHABLE', party: 'lab' } });
});

t.test('a jump host that does not help', async (t) => {
  const own = makeSshKeyPair('for the jump host');
  const jump = await startJump(t, { authorizedKey: own.publicKey, forwards: false });
  const proofBy = (key: string): Login['proof'] => ({ key: { text: Buffer.from(key), passphrase: null }, agent: null });
  const target = { host: '127.0.0.1', port: jump.port, user: 'u', hostKey: null, keepaliveMs: 5_000 };
  const stranger = new JumpHost({ ...target, proof: proofBy(makeSshKeyPair('stranger').privateKey) });
  await t.rejects(stranger.open(), { code: 'JUMP_KEY_REFUSED', message: /key refused for user u/ });
  const pinned = new JumpHost({ ...target, hostKey: `SHA256:${'A'.repeat(43)}`, proof: proofBy(own.privateKey) });
  await t.rejects(pinned.open(), { code: 'JUMP_HOST_KEY', message: /expected the host key SHA256:A+, given SHA256:/ });
  const closed = new JumpHost({ ...target, proof: proofBy(own.privateKey) });
  t.teardown(() => closed.close());
  const signal = new AbortController().signal;
  await t.rejects(closed.connect('127.0.0.1', 1, signal), { code: 'JUMP_FORBIDS_FORWARD', message: /127\.0\.0\.1:1/ });
});

t.test('what a channel may do to a script', async (t) => {
  const answers = { guests: [{ answers: { open: { raw: 'done\n', open: true }, noise: { garbage: 10_000_000 } } }] };
  const ssh = await session(t, await lab(t, answers)());
  const startedMs = performance.now();
  t.match(await run(ssh, 'open'), { exit: 0, timedOut: false, transport: null, stdout: 'done\n' });
  t.ok(performance.now() - startedMs < 8_000, 'a channel that stays open is left');
  const noise = await run(ssh, 'noise');
  t.equal(noise.truncated, true);
  t.ok(noise.stdout.length <= 1024 * 1024, 'no more is kept than a probe may say');
});

t.test('a guest that is cut off is noticed by keep-alives', async (t) => {
  const started = await guest(t);
  const sockets: net.Socket[] = [];
  const proxy = net.createServer((client) => {
    const server = net.connect({ host: started.slot.address, port: 2222 });
    sockets.push(client, server);
    for (const socket of [client, server]) socket.on('error', () => undefined); // both ends go away in this test
    client.pipe(server).pipe(client);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  const { port } = proxy.address() as AddressInfo;
  const waits = {
    bannerWaitMs: 5_000,
    handshakeWaitMs: 5_000,
    expectHostKey: null,
    signal: new AbortController().signal,
  };
  const attempt = await attemptSsh({ host: '127.0.0.1', port, ...waits, ...rootBy(rootKey()), keepaliveMs: 50 });
  if (attempt.state !== 'ready') throw new Error(attempt.seen);
  for (const socket of sockets) {
    socket.unpipe();
    socket.pause();
  }
  const cut = await run(attempt.session, 'guest-identity');
  t.match(cut, { timedOut: false, transport: /[Kk]eepalive/ });
  t.match(attempt.session.lost(), /[Kk]eepalive/);
});
