/** The session against the embedded lab's endpoint, a stub that misbehaves, and nothing at all. */
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import t from 'tap';
import { Fault } from '../../../harness/faults/faults.ts';
import { Secret } from '../../../harness/workdir/secrets.ts';
import { openSession, type Session, type SessionOptions } from '../../../harness/xcpng/session.ts';
import { faultOfReply } from '../../../harness/xcpng/xo-error.ts';
import { listen } from './listening.ts';
import { ADMIN, hurried, NOBODY, openTestLab, within } from './test-lab.ts';

const lab = await openTestLab();
t.teardown(() => lab.close());

type Wish = Partial<SessionOptions>;

function open(wish: Wish = {}): Promise<Session> {
  const { url, credential, tls } = lab.settings;
  return openSession({ url, credential, tls, deadline: within(5_000), ...wish });
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
  await t.rejects(call('vm.start', { id: 'x' }), { code: 'VM_LOST', message: /no such VM.*\[1\]/ });
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

t.test('what XO hides from users that are no administrators has a code of its own', async (t) => {
  const hidden = { code: -32000, message: 'unknown error from the peer' };
  const fault = faultOfReply('vm.create', Object.assign(new Error(hidden.message), hidden));
  t.match(fault, { code: 'XO_ERROR_HIDDEN', message: /vm\.create: unknown error from the peer \[-32000\]/ });
  const shown = { ...hidden, message: 'SR_FULL()', data: { code: 'SR_FULL', params: [] } };
  t.match(faultOfReply('vm.create', Object.assign(new Error(shown.message), shown)), { code: 'XO_CALL_FAILED' });
});

t.test('a VM that is not there is lost, whatever was asked of it; another thing is not', (t) => {
  const code = (reply: { code: number; message: string; data: unknown }) =>
    faultOfReply('tag.add', Object.assign(new Error(reply.message), reply))?.code;
  const handle = (type: string) => ({
    ...{ code: -32000, message: `HANDLE_INVALID(${type}, x)` },
    data: { code: 'HANDLE_INVALID', params: [type, 'OpaqueRef:x'] },
  });
  t.equal(code(handle('VM')), 'VM_LOST');
  t.equal(code(handle('VDI')), 'XO_CALL_FAILED');
  const noSuch = (type: unknown) => ({ code: 1, message: 'no such object', data: { id: 'x', type } });
  t.equal(code(noSuch(['VM', 'VM-snapshot'])), 'VM_LOST');
  t.equal(code(noSuch('VM-template')), 'XO_CALL_FAILED');
  t.equal(code(noSuch(undefined)), 'XO_CALL_FAILED');
  t.end();
});

t.test('a server that takes the connection and says nothing', async (t) => {
  const port = await listen(t, createServer());
  await t.rejects(open({ url: `http://127.0.0.1:${port}`, deadline: hurried(2_000) }), { code: 'XO_UNREACHABLE' });
  const http = createHttpServer((_, response) => response.end()); // an upgrade without a listener is closed
  const httpPort = await listen(t, http);
  await t.rejects(open({ url: `http://127.0.0.1:${httpPort}` }), { code: 'XO_UNREACHABLE', message: /\/api\// });
  const hung = createHttpServer((_, response) => response.end());
  hung.on('upgrade', () => undefined);
  const hungPort = await listen(t, hung);
  await t.rejects(open({ url: `http://127.0.0.1:${hungPort}`, deadline: hurried(2_000) }), {
    code: 'XO_UNREACHABLE',
    message: /no answer within/,
  });
});
