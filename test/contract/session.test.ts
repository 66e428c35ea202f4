/** Recorded: signing in, tokens, and what xo-lib itself does with this endpoint. */
import t from 'tap';
import xoLib from 'xo-lib';
import { testEndpoint } from './open-endpoint.ts';
import { everywhere } from './place.ts';
import { masked, outcome, recorded } from './recorded.ts';

everywhere('before signing in', async (t, { url, newXo }) => {
  const closed = new xoLib.default({ url });
  t.strictSame(masked(await outcome(closed.call('system.getVersion', {}))), recorded('session', 'call before open'));
  const xo = await newXo();
  t.strictSame(masked(await outcome(xo.call('vm.start', { id: 'x' }))), recorded('session', 'call before signIn'));
  t.equal(await xo.call('system.getVersion', {}), '0.1', 'some methods need no session');
  t.match(await xo.call('system.getServerVersion', {}), /^\d+\.\d+\.\d+/);
});

everywhere('credentials of nobody', async (t, { newXo, name }) => {
  const xo = await newXo();
  const trial = async (what: string, credentials: Record<string, string>) => {
    t.strictSame(masked(await outcome(xo.signIn(credentials))), recorded('session', what), what);
  };
  await trial('signIn, unknown user', { email: name('nobody'), password: 'x' });
  await trial('signIn, unknown token', { token: 'x' });
});

t.test('passwords', async (t) => {
  const { newXo } = await testEndpoint(t);
  const xo = await newXo();
  const trial = async (name: string, credentials: Record<string, string>) => {
    t.strictSame(masked(await outcome(xo.signIn(credentials))), recorded('session', name), name);
  };
  await trial('signIn, wrong password', { email: 'admin', password: 'wrong' });
  await trial('signIn, right password within 2 s of a wrong one', { email: 'admin', password: 'right' });
  await trial('signIn, empty password', { email: 'admin', password: '' });
  await xo.signIn({ username: 'poolAdmin', password: 'right' });
  t.match(xo, { user: { email: 'poolAdmin', groups: [], permission: 'none', preferences: {} } });
});

t.test('the throttle ends', async (t) => {
  const { newXo } = await testEndpoint(t, { signInThrottleMs: 0 });
  const xo = await newXo();
  await t.rejects(xo.signIn({ email: 'admin', password: 'wrong' }), { code: 3 });
  await xo.signIn({ email: 'admin', password: 'right' });
});

everywhere('tokens', async (t, { xo, newXo, name }) => {
  const trial = async (what: string, expiresIn: string) => {
    t.strictSame(masked(await outcome(xo.call('token.create', { expiresIn }))), recorded('session', what), what);
  };
  await trial('token.create, less than a minute', '10 s');
  await trial('token.create, unreadable duration', 'tomorrow');
  const token = (await xo.call('token.create', { description: name('test'), expiresIn: '1 hour' })) as string;
  t.match(token, /^[\w-]{43}$/);
  const client = { id: name('me') };
  const own = await xo.call('token.create', { client, expiresIn: '1 hour' });
  t.equal(await xo.call('token.create', { client, expiresIn: '1 hour' }), own, 'the same client gets the same token');
  const other = await newXo();
  await other.signIn({ token });
  await xo.call('token.deleteOwn', { tokens: [token, own] });
  await t.rejects((await newXo()).signIn({ token }), { code: 3 }, 'a deleted token opens nothing');
});

t.test('a session ends with its token: no reply, the connection closes', async (t) => {
  const { newXo, endpoint } = await testEndpoint(t);
  const [admin] = endpoint.users;
  const clock = Date.now;
  t.teardown(() => {
    Date.now = clock;
  });
  if (!admin) throw new Error('no administrator');
  const token = endpoint.world.accounts.createToken(admin, { expiresIn: 60_000 });
  const xo = await newXo();
  await xo.signIn({ token });
  Date.now = () => clock() + 61_000;
  await t.rejects(xo.call('system.getVersion', {}), { message: 'connection has been closed' });
});

everywhere('a connection that ends', async (t, { newXo, token }) => {
  const xo = await newXo();
  await xo.signIn({ token });
  const refused = await outcome(xo.call('session.getUser', {}));
  t.strictSame(masked(refused), recorded('session', 'session.* through xo-lib'));
  const flying = outcome(xo.call('xo.getAllObjects', {}));
  await xo.close();
  t.strictSame(masked(await flying), recorded('session', 'a call in flight when the connection closes'));
  const late = await outcome(xo.call('xo.getAllObjects', {}));
  t.strictSame(masked(late), recorded('session', 'a call after close'));
});

t.test('an upgrade at any other path hangs: neither accepted nor refused', async (t) => {
  const { url, logged } = await testEndpoint(t);
  const xo = new xoLib.default({ url: `${url}/` });
  xo.on('error', () => undefined);
  let answer = 'none';
  xo.open().then(
    () => {
      answer = 'open';
    },
    () => {
      answer = 'refused';
    },
  );
  // The endpoint has seen the upgrade; an answer would be there before that of a later request.
  while (!logged.some((line) => line.startsWith('UPGRADE OF //api/'))) await fetch(`${url}/`, { redirect: 'manual' });
  await fetch(`${url}/`, { redirect: 'manual' });
  t.equal(answer, 'none');
  xo._socket?.terminate();
});
