/** The lab's endpoint in this process over a backend that starts nothing, with a client signed in; for tests. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Xo } from 'xo-lib';
import { type Endpoint, openEndpoint, REAL_PACE } from '../../lab/endpoint.ts';
import { Mishaps } from '../../lab/mishaps.ts';
import { type StubBackend, stubBackend } from '../lab/stub-backend.ts';
import { looking, makeVm, openClient } from './client.ts';
import { type Ask, ask } from './http.ts';
import type { Place } from './place.ts';

export interface TestEndpoint extends Place {
  readonly endpoint: Endpoint;
  readonly backend: StubBackend;
  readonly mishaps: Mishaps;
  readonly logged: string[];
  makeVm(label?: string, mac?: string): ReturnType<Place['makeVm']>;
}

/** Who may sign in: password `right` each. */
export const USERS = [
  { email: 'admin', password: 'right', permission: 'admin', poolAdmin: false },
  { email: 'limited', password: 'right', permission: 'none', poolAdmin: false },
  { email: 'poolAdmin', password: 'right', permission: 'none', poolAdmin: true },
] as const;

/** As the real one, but quicker. */
const QUICK_PACE = { ...REAL_PACE, pollMs: 20, destroyRetryMs: 2 };
const HOST_MEMORY_BYTES = 16 * 2 ** 30;
const CALM_MS = 5_000;

export async function testEndpoint(
  t: { teardown(action: () => unknown): unknown },
  pace: Partial<typeof REAL_PACE> = {},
): Promise<TestEndpoint> {
  const dir = await mkdtemp(join(tmpdir(), 'endpoint-test-'));
  const [backend, mishaps, logged] = [stubBackend(), new Mishaps(), [] as string[]];
  const endpoint = await openEndpoint({
    backend,
    dir,
    users: USERS,
    hostMemoryBytes: HOST_MEMORY_BYTES,
    mishaps,
    pace: { ...QUICK_PACE, ...pace },
    log: (line) => logged.push(line),
  });
  const { url, world, users } = endpoint;
  const [admin] = users;
  if (!admin) throw new Error('no administrator');
  const token = world.accounts.createToken(admin);
  const clients: Xo[] = [];
  const newXo = async () => {
    const xo = await openClient(url);
    clients.push(xo);
    return xo;
  };
  const xo = await newXo();
  await xo.signIn({ token });
  t.teardown(async () => {
    await endpoint.close();
    for (const one of clients) if (one.status !== 'closed') await one.close().catch(() => undefined);
    await rm(dir, { recursive: true, force: true });
  });

  const looks = looking(xo, CALM_MS);
  const the = {
    sr: () => looks.the({ type: 'SR' }),
    network: () => looks.the({ type: 'network' }),
    template: () => looks.the({ type: 'VM-template', isDefaultTemplate: true }),
    name: (label: string) => label,
  };
  const make: TestEndpoint['makeVm'] = async (label = 'demo', mac = '02:00:00:00:aa:01') => ({
    ...(await makeVm({ xo, ...looks, ...the }, label, mac)),
    mac,
  });
  const rest = (path: string, asked: Ask = {}) =>
    ask(`${url}${path}`, { ...asked, headers: { cookie: `authenticationToken=${token}`, ...asked.headers } });
  const send = (path: string, asked: Ask) => ask(`${url}${path}`, asked);
  const own = { url, endpoint, backend, mishaps, logged, token, xo, newXo };
  return { ...own, ...looks, ...the, rest, send, makeVm: make };
}
