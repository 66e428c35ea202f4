/** A session that lasts: what a dropped socket, a revoked token and a server that never comes back make of it. */
import t from 'tap';
import { Secret } from '../../../harness/workdir/secrets.ts';
import { openSession, type Session, type SessionOptions } from '../../../harness/xcpng/session.ts';
import { wayThrough } from './listening.ts';
import { hastened, openTestLab, within } from './test-lab.ts';

const lab = await openTestLab();
const PORT = Number(new URL(lab.endpoint.url).port);
t.teardown(() => lab.close());

type Wish = Partial<SessionOptions>;

function open(wish: Wish = {}): Promise<Session> {
  const { url, credential, tls } = lab.settings;
  return openSession({ url, credential, tls, deadline: within(5_000), ...wish });
}

t.test('a connection that ends is made anew, and nobody notices but the log', async (t) => {
  const way = await wayThrough(t, PORT);
  const told: string[] = [];
  const session = await open({ url: way.url, onChange: (what) => told.push(what) });
  t.teardown(() => session.close());
  const token = session.token.reveal();
  const waiting = session.objects.waitFor(within(20_000), 'a network', 'XO_OBJECT_LATE', () =>
    session.reconnects > 0 && session.objects.all('pool').length > 0 ? { done: true } : { seen: 'not yet' },
  );
  way.close();
  const sent = session.call('system.getVersion', {}, within(20_000));
  while (told.length === 0) await new Promise(setImmediate);
  t.equal(session.lost, null, 'on its way back');
  t.equal(session.objects.all('pool').length, 1, 'what was known is still known');
  way.open();
  t.match(await sent, /\d/, 'a call waits for the way back');
  t.equal(await waiting, true, 'so does a wait for an object');
  t.equal(session.reconnects, 1);
  t.equal(session.token.reveal(), token);
  t.match(told, [/^lost: the connection to Xen Orchestra closed/, /^connected again \(1\)/]);
});

t.test('what left while we were away is dropped, what came is known', async (t) => {
  const way = await wayThrough(t, PORT);
  const session = await open({ url: way.url });
  t.teardown(() => session.close());
  const other = await open();
  t.teardown(() => other.close());
  const sr = other.objects.all('SR').find(({ contentType }) => contentType !== 'iso');
  const make = (name: string) => other.call('disk.create', { name, size: 1024, sr: sr?.id ?? '' }, within(5_000));
  const first = String(await make('first'));
  await session.objects.waitFor(within(5_000), 'first', 'XO_OBJECT_LATE', () =>
    session.objects.has(first) ? { done: true } : { seen: 'not yet' },
  );
  way.close();
  await other.call('vdi.delete', { id: first }, within(5_000));
  const second = String(await make('second'));
  way.open();
  await session.objects.waitFor(within(20_000), 'second', 'XO_OBJECT_LATE', () =>
    session.objects.has(second) ? { done: true } : { seen: 'not yet' },
  );
  t.equal(session.objects.has(first), false);
  await other.call('vdi.delete', { id: second }, within(5_000));
});

t.test('a call whose answer is lost: sent again where that is safe, else said so', async (t) => {
  const way = await wayThrough(t, PORT);
  const session = await open({ url: way.url });
  t.teardown(() => session.close());
  for (const [method, safe] of [
    ['system.getVersion', true],
    ['vm.create', false],
  ] as const) {
    lab.mishaps.set('stall', method);
    const inFlight = session.call(method, { name_label: 'x', template: 'x' }, within(20_000));
    const outcome = inFlight.then(String, (error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, 100));
    lab.mishaps.clear('stall');
    way.cut();
    if (safe) t.match(await outcome, /\d/, method);
    else t.match(await outcome, { code: 'XO_SESSION_LOST', message: /may have been carried out or not/ }, method);
  }
});

t.test('a token that ends in the middle is named as such', async (t) => {
  const { accounts } = lab.endpoint.world;
  const [admin] = lab.endpoint.users;
  if (admin === undefined) throw new Error('no user');
  const way = await wayThrough(t, PORT);
  const token = accounts.createToken(admin, { description: 'to be revoked' });
  const session = await open({ url: way.url, credential: { token: new Secret(token) } });
  t.teardown(() => session.close());
  accounts.deleteTokens(admin, ({ id }) => id === token);
  // XO answers nothing to the first message after a token's end, and closes; here the way is cut instead.
  way.cut();
  const call = session.call('system.getVersion', {}, within(20_000));
  await t.rejects(call, { code: 'XO_TOKEN_EXPIRED', message: /refused after a reconnect.*invalid credentials/ });
  t.match(session.lost, /expired or was revoked/);
  await t.rejects(session.call('system.getVersion', {}, within(5_000)), { code: 'XO_TOKEN_EXPIRED' });
  const wait = session.objects.waitFor(within(2_000), 'a thing', 'XO_OBJECT_LATE', () => ({ seen: 'nothing' }));
  await t.rejects(wait, { code: 'XO_TOKEN_EXPIRED' }, 'a wait for an object ends with the session');
});

t.test('a server that is up before it can look up a token is waited for', async (t) => {
  const way = await wayThrough(t, PORT);
  const { accounts } = lab.endpoint.world;
  const session = await open({ url: way.url, deadline: hastened(50, 50 * 5_000) });
  t.teardown(() => session.close());
  const { byToken } = accounts;
  t.teardown(() => {
    accounts.byToken = byToken;
  });
  let asked = 0;
  accounts.byToken = (id) => {
    if (++asked <= 5) throw new Error('the data base is loading');
    return byToken.call(accounts, id);
  };
  way.cut();
  t.match(await session.call('system.getVersion', {}, within(20_000)), /\d/);
  t.match([session.lost, session.reconnects, asked], [null, 1, 6]);
});

t.test('a server that never comes back', async (t) => {
  const way = await wayThrough(t, PORT);
  const told: string[] = [];
  const deadline = hastened(500, 500 * 5_000);
  const session = await open({ url: way.url, deadline, onChange: (what) => told.push(what) });
  t.teardown(() => session.close());
  way.close();
  while (told.length === 0) await new Promise(setImmediate);
  await t.rejects(session.call('vm.start', { id: 'x' }, hastened(500, 500 * 20_000)), {
    code: 'XO_SESSION_LOST',
    message: /no way back in 300 s/,
  });
  t.match(session.lost, /no way back/);
});
