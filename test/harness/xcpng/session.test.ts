/** The session against the embedded lab's endpoint, a stub that misbehaves, TLS, and nothing at all. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { promisify } from 'node:util';
import t from 'tap';
import { Fault } from '../../../harness/faults.ts';
import { Secret } from '../../../harness/secrets.ts';
import { openSession, type Session, type SessionOptions } from '../../../harness/xcpng/session.ts';
import { ADMIN, hurried, NOBODY, openTestLab, within } from './test-lab.ts';

const run = promisify(execFile);
const lab = await openTestLab();
const sockets = new Set<Socket>();
t.teardown(() => lab.close());

type Wish = Partial<SessionOptions>;

function open(wish: Wish = {}): Promise<Session> {
  const { url, credential, tls } = lab.settings;
  return openSession({ url, credential, tls, deadline: within(5_000), onLost: () => undefined, ...wish });
}

async function listen(server: Server): Promise<number> {
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

t.test('signs in, by token and by password', async (t) => {
  const session = await open();
  t.match(session.xoVersion, /^\d+\./);
  t.equal(session.objects.all('pool').length, 1);
  t.ok(Math.abs(session.endpoint.clockOffsetMs) < 3_000, 'the clock of this very machine');
  await session.close();
  await session.close();
  t.equal(session.lost, null, 'closing is no loss');

  const credential = { email: ADMIN.email, password: new Secret(ADMIN.password) };
  const other = await open({ credential });
  const token = other.token.reveal();
  t.equal(token.length, 43, 'a token of its own, for REST');
  t.ok(lab.endpoint.world.accounts.byToken(token));
  await other.close();
  t.equal(lab.endpoint.world.accounts.byToken(token), null, 'deleted at the end');
});

t.test('refusals', async (t) => {
  const refused = (wish: Wish) => open(wish).then((session) => session.close());
  await t.rejects(refused({ credential: { token: new Secret('x'.repeat(43)) } }), { code: 'XO_SIGN_IN_REFUSED' });
  const wrong = { email: ADMIN.email, password: new Secret('wrong') };
  await t.rejects(refused({ credential: wrong }), { code: 'XO_SIGN_IN_REFUSED', message: /invalid credentials/ });
  await t.rejects(refused({ url: 'http://127.0.0.1:1' }), { code: 'XO_UNREACHABLE', message: /ECONNREFUSED/ });
  const nowhere = await refused({ url: 'http://no-such-host.invalid' }).catch((error: unknown) => error);
  // Without a resolver the name cannot be judged; with one it does not exist.
  t.ok(nowhere instanceof Fault && ['BAD_URL', 'XO_UNREACHABLE'].includes(nowhere.code), String(nowhere));
  for (const url of ['ftp://xo', 'xo.example.org', '', 'http://', 'http://xo/?a=b']) {
    await t.rejects(refused({ url }), { code: 'BAD_URL' }, url);
  }
  const secret = await refused({ url: 'http://me:hunter22@xo' }).catch((error: unknown) => String(error));
  t.match(secret, /without credentials/);
  t.notMatch(secret, /hunter22/);
});

t.test('a sign-in right after a refused one is tried again, later', async (t) => {
  lab.mishaps.set('sign-in-throttle');
  const session = await open({ deadline: within(10_000) });
  t.equal(session.lost, null);
  await session.close();
});

t.test('error replies, by their code', async (t) => {
  const session = await open();
  t.teardown(() => session.close());
  const call = (method: string, params: Record<string, unknown>, ms = 2_000) =>
    session.call(method, params, within(ms));
  await t.rejects(call('vm.frobnicate', {}), { code: 'XO_CALL_FAILED', message: /vm\.frobnicate.*\[-32601\]/ });
  await t.rejects(call('vm.start', { id: 'x' }), { code: 'VM_START_REFUSED', message: /no such VM.*\[1\]/ });
  await t.rejects(call('vm.stop', {}), { code: 'XO_CALL_FAILED', message: /invalid parameters.*\[10\]/ });
  lab.mishaps.set('stall', 'system.getVersion');
  await t.rejects(call('system.getVersion', {}, 50), { code: 'XO_CALL_TIMEOUT', message: /system\.getVersion/ });
  lab.mishaps.clear('stall');
  const nobody = await open({ credential: { email: NOBODY.email, password: new Secret(NOBODY.password) } });
  t.teardown(() => nobody.close());
  const [sr] = nobody.objects.all('SR');
  const create = nobody.call('disk.create', { name: 'x', size: 1, sr: sr?.id }, within(2_000));
  await t.rejects(create, { code: 'XO_PERMISSION', message: /wanted: administrate/ });
});

t.test('a connection that ends', async (t) => {
  const told: string[] = [];
  const through = new Set<Socket>();
  const proxy = createServer((socket) => {
    through.add(socket);
    const behind = connect(Number(new URL(lab.endpoint.url).port), '127.0.0.1');
    socket.pipe(behind).pipe(socket);
    for (const end of [socket, behind]) end.on('error', () => [socket, behind].map((each) => each.destroy()));
  });
  const url = `http://127.0.0.1:${await listen(proxy)}`;
  const session = await open({ url, onLost: (why) => told.push(why) });
  t.teardown(() => session.close());
  lab.mishaps.set('stall', 'system.getVersion');
  const inFlight = session.call('system.getVersion', {}, within(2_000));
  for (const socket of through) socket.destroy();
  await t.rejects(inFlight, { code: 'XO_SESSION_LOST', message: /system\.getVersion: no answer/ });
  lab.mishaps.clear('stall');
  t.equal(told.length, 1, 'told once');
  t.match(session.lost, /closed/);
  await t.rejects(session.call('system.getVersion', {}, within(2_000)), { code: 'XO_SESSION_LOST' });
  const wait = session.objects.waitFor(within(2_000), 'a thing', 'XO_OBJECT_LATE', () => ({ seen: 'nothing' }));
  await t.rejects(wait, { code: 'XO_SESSION_LOST' }, 'a wait for an object ends with the session');
});

t.test('a server that takes the connection and says nothing', async (t) => {
  const port = await listen(createServer());
  await t.rejects(open({ url: `http://127.0.0.1:${port}`, deadline: hurried(2_000) }), { code: 'XO_UNREACHABLE' });
  const http = createHttpServer((_, response) => response.end()); // an upgrade without a listener is closed
  const httpPort = await listen(http);
  await t.rejects(open({ url: `http://127.0.0.1:${httpPort}` }), { code: 'XO_UNREACHABLE', message: /\/api\// });
  const hung = createHttpServer((_, response) => response.end());
  hung.on('upgrade', () => undefined);
  const hungPort = await listen(hung);
  await t.rejects(open({ url: `http://127.0.0.1:${hungPort}`, deadline: hurried(2_000) }), {
    code: 'XO_UNREACHABLE',
    message: /no answer within/,
  });
});

t.test('TLS', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'bootwitness-tls-'));
  t.teardown(() => rm(dir, { recursive: true }));
  const [keyPath, certPath] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
  const subject = ['-subj', '/CN=xo', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
  const made = await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-keyout', keyPath, '-out', certPath, ...subject],
  ]).then(
    () => true,
    () => false,
  );
  if (!made) return t.comment('openssl is not here: TLS not tried');
  const [key, cert] = await Promise.all([readFile(keyPath), readFile(certPath, 'utf8')]);
  const port = Number(new URL(lab.endpoint.url).port);
  const front = createTlsServer({ key, cert }, (socket) => {
    const behind = connect(port, '127.0.0.1');
    socket.pipe(behind).pipe(socket);
    for (const end of [socket, behind]) end.on('error', () => [socket, behind].map((each) => each.destroy()));
  });
  const url = `https://127.0.0.1:${await listen(front)}/`;
  await t.rejects(open({ url }), { code: 'XO_UNREACHABLE', message: /SELF_SIGNED/ });
  for (const tls of [
    { insecure: true, caPem: null, fingerprint: null },
    { insecure: false, caPem: cert, fingerprint: null },
  ]) {
    const session = await open({ url, tls });
    t.equal(session.objects.all('pool').length, 1, JSON.stringify(Object.keys(tls)));
    await session.close();
  }
});
