/** An hour in which nobody calls anything, on a clock that is put forward: proxies, dead ways, a token that ends. */
import { connect, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { type Clock, Deadline, systemClock } from '../../../harness/deadline.ts';
import { Secret } from '../../../harness/workdir/secrets.ts';
import { openSession, type Session, type SessionOptions } from '../../../harness/xcpng/session.ts';
import { listen } from './listening.ts';
import { openTestLab, recordCalls, within } from './test-lab.ts';

const MINUTE_MS = 60_000;
const lab = await openTestLab();
const PORT = Number(new URL(lab.endpoint.url).port);
t.teardown(() => lab.close());

/** Goes as the real one does, and can be put forward: who sleeps wakes then. */
class SkippingClock implements Clock {
  #forwardMs = 0;
  readonly #sleepers = new Map<AbortController, number>();
  nowMs(): number {
    return systemClock.nowMs() + this.#forwardMs;
  }
  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    this.#sleepers.set(woken, this.nowMs() + ms);
    await systemClock.sleep(ms, AbortSignal.any([signal, woken.signal]));
    this.#sleepers.delete(woken);
  }
  /** First waits until somebody sleeps for a minute. */
  async forwardMinute(): Promise<void> {
    const long = (): boolean => [...this.#sleepers.values()].some((atMs) => atMs > this.nowMs() + MINUTE_MS - 5_000);
    while (!long()) await new Promise(setImmediate);
    this.forward(MINUTE_MS);
  }
  forward(ms: number): void {
    this.#forwardMs += ms;
    for (const [woken, atMs] of this.#sleepers) if (atMs <= this.nowMs()) woken.abort();
  }
}

function open(clock: Clock, wish: Partial<SessionOptions> = {}): Promise<Session> {
  const { url, credential, tls } = lab.settings;
  const deadline = Deadline.after(10_000, new AbortController().signal, clock);
  return openSession({ url, credential, tls, deadline, ...wish });
}

/** What is told of a session, as it comes. */
function listener(): { readonly onChange: (what: string) => void; until(what: RegExp): Promise<string> } {
  const told: string[] = [];
  let changed: () => void = () => undefined;
  return {
    onChange: (what) => {
      told.push(what);
      changed();
    },
    until: async (what) => {
      for (;;) {
        const found = told.find((each) => what.test(each));
        if (found !== undefined) return found;
        await new Promise<void>((resolve) => {
          changed = resolve;
        });
      }
    },
  };
}

interface Proxy {
  readonly url: string;
  /** Closes what said nothing for three minutes. */
  closeSilent(): void;
  /** Nothing passes on the connections that there are, and nobody is told. */
  freeze(): void;
}

async function proxy(t: Test, clock: Clock): Promise<Proxy> {
  const said = new Map<Socket, number>();
  let frozen: ReadonlySet<Socket> = new Set();
  const server = createServer((socket) => {
    const behind = connect(PORT, '127.0.0.1');
    said.set(socket, clock.nowMs());
    socket.on('data', (bytes: Buffer) => {
      said.set(socket, clock.nowMs());
      if (!frozen.has(socket)) behind.write(bytes);
    });
    behind.on('data', (bytes: Buffer) => {
      if (!frozen.has(socket)) socket.write(bytes);
    });
    socket.on('close', () => behind.destroy());
    behind.on('close', () => socket.destroy());
    behind.on('error', () => socket.destroy());
  });
  return {
    url: `http://127.0.0.1:${await listen(t, server)}`,
    closeSilent: () => {
      for (const [socket, atMs] of said) if (clock.nowMs() - atMs > 3 * MINUTE_MS) socket.destroy();
    },
    freeze: () => {
      frozen = new Set(said.keys());
    },
  };
}

t.test('a proxy that closes what is silent for three minutes does not notice a quiet hour', async (t) => {
  const clock = new SkippingClock();
  const way = await proxy(t, clock);
  const session = await open(clock, { url: way.url });
  t.teardown(() => session.close());
  const recording = recordCalls();
  for (let minute = 0; minute < 60; minute++) {
    await clock.forwardMinute();
    while (recording.calls.length === minute) await new Promise(setImmediate);
    way.closeSilent();
  }
  recording.stop();
  t.equal(session.lost, null);
  t.match(await session.call('system.getVersion', {}, within(5_000)), /\d/);
  t.equal(session.reconnects, 0, 'the connection of the beginning');
  t.same(
    recording.calls.map(({ method }) => method),
    Array(60).fill('system.getVersion'),
    'a cheap call every minute, and nothing else',
  );
});

t.test('a way that is dead without a word is noticed, and made anew', async (t) => {
  const clock = new SkippingClock();
  const way = await proxy(t, clock);
  const { onChange, until } = listener();
  const session = await open(clock, { url: way.url, onChange });
  t.teardown(() => session.close());
  way.freeze();
  const recording = recordCalls();
  await clock.forwardMinute();
  while (recording.calls.length === 0) await new Promise(setImmediate);
  recording.stop();
  clock.forward(MINUTE_MS / 2);
  const why = await until(/^lost/);
  t.match(why, /Xen Orchestra does not answer any more: system\.getVersion: no answer within 30\.0 s/);
  await until(/^connected again \(1\)/);
  t.equal(session.lost, null);
});

t.test('a token that ends while nothing is asked is named', async (t) => {
  const { accounts } = lab.endpoint.world;
  const [admin] = lab.endpoint.users;
  if (admin === undefined) throw new Error('no user');
  const token = accounts.createToken(admin, { description: 'ends' });
  const clock = new SkippingClock();
  const { onChange, until } = listener();
  const session = await open(clock, { credential: { token: new Secret(token) }, onChange });
  t.teardown(() => session.close());
  // As recorded: the first message after its end, here the keep-alive, gets no reply, and the connection closes.
  lab.mishaps.set('revoke-token', 'system.getVersion');
  t.teardown(() => lab.mishaps.clear('revoke-token'));
  await clock.forwardMinute();
  const why = await until(/^given up/);
  t.match(why, /the token that was good is refused after a reconnect: it expired or was revoked/);
  await t.rejects(session.call('vm.start', { id: 'x' }, within(5_000)), { code: 'XO_TOKEN_EXPIRED' });
});

t.test('a session that was closed says nothing more', async (t) => {
  const clock = new SkippingClock();
  const session = await open(clock);
  await session.close();
  const recording = recordCalls();
  clock.forward(10 * MINUTE_MS);
  await new Promise(setImmediate);
  recording.stop();
  t.same(recording.calls, []);
});
