/** The lab's endpoint in this process over a backend that starts nothing, with a client signed in; for tests. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import xoLib, { type Xo } from 'xo-lib';
import { type Endpoint, openEndpoint, REAL_PACE } from '../../lab/endpoint.ts';
import type { XoObject } from '../../lab/json.ts';
import { Mishaps } from '../../lab/mishaps.ts';
import { type StubBackend, stubBackend } from '../lab/stub-backend.ts';
import { type Answer, type Ask, ask } from './http.ts';

export interface TestEndpoint {
  readonly url: string;
  readonly endpoint: Endpoint;
  readonly backend: StubBackend;
  readonly mishaps: Mishaps;
  readonly logged: string[];
  /** Token of the administrator. */
  readonly token: string;
  /** Signed in as the administrator. */
  readonly xo: Xo;
  /** A further client: not signed in, opened. */
  newXo(): Promise<Xo>;
  /** The one object that is shown and has these properties. */
  the(filter: Readonly<Record<string, unknown>>): Promise<XoObject>;
  shown(filter: Readonly<Record<string, unknown>>): Promise<readonly XoObject[]>;
  /** Waits for notifications until the objects shown satisfy this. */
  until(filter: Readonly<Record<string, unknown>>, holds: (found: readonly XoObject[]) => boolean): Promise<void>;
  /** REST with the token as cookie, unless headers say otherwise. */
  rest(path: string, asked?: Ask): Promise<Answer>;
  /** A halted VM with one disk attached, all of it shown. */
  makeVm(name?: string, mac?: string): Promise<{ readonly vm: string; readonly vdi: string }>;
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

async function client(url: string): Promise<Xo> {
  const xo = new xoLib.default({ url });
  // Without a listener an error after the opening ends the process.
  xo.on('error', () => undefined);
  await xo.open();
  return xo;
}

/** Looks again at each notification until what is seen holds. */
async function satisfied<Seen>(xo: Xo, look: () => Promise<Seen>, holds: (seen: Seen) => boolean): Promise<void> {
  const deadline = Date.now() + CALM_MS;
  for (;;) {
    const told = new Promise<void>((resolve) => {
      xo.once('notification', () => resolve());
    });
    const seen = await look();
    if (holds(seen)) return;
    if (Date.now() > deadline) throw new Error(`not within ${CALM_MS} ms; last: ${JSON.stringify(seen)}`);
    let timer: NodeJS.Timeout | undefined;
    const calm = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CALM_MS);
    });
    await Promise.race([told, calm]);
    clearTimeout(timer);
  }
}

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
    const xo = await client(url);
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

  const shown = async (filter: Readonly<Record<string, unknown>>) =>
    Object.values((await xo.call('xo.getAllObjects', { filter })) as Record<string, XoObject>);
  const the = async (filter: Readonly<Record<string, unknown>>) => {
    const [object, ...others] = await shown(filter);
    if (!object || others.length > 0) throw new Error(`${others.length + (object ? 1 : 0)} objects fit, expected one`);
    return object;
  };
  const until: TestEndpoint['until'] = (filter, holds) => satisfied(xo, () => shown(filter), holds);
  const makeVm: TestEndpoint['makeVm'] = async (name = 'demo', mac = '02:00:00:00:aa:01') => {
    const [template, network, sr] = [
      await the({ type: 'VM-template', isDefaultTemplate: true }),
      await the({ type: 'network' }),
      await the({ type: 'SR' }),
    ];
    const vdi = (await xo.call('disk.create', { name: `disk of ${name}`, size: '2 MiB', sr: sr.id })) as string;
    const vm = (await xo.call('vm.create', {
      name_label: name,
      template: template.id,
      VDIs: [],
      VIFs: [{ network: network.id, mac }],
      memory: 512 * 2 ** 20,
    })) as string;
    await xo.call('vm.attachDisk', { vm, vdi, position: '0', bootable: true });
    await until({ id: vm }, ([object]) => (object?.$VBDs as readonly string[] | undefined)?.length === 1);
    return { vm, vdi };
  };
  const rest = (path: string, asked: Ask = {}) =>
    ask(`${url}${path}`, { ...asked, headers: { cookie: `authenticationToken=${token}`, ...asked.headers } });
  return { url, endpoint, backend, mishaps, logged, token, xo, newXo, the, shown, until, rest, makeVm };
}
