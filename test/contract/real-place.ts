/**
 * A real Xen Orchestra, named by BOOTWITNESS_TEST_XO_*, as a place of contract tests. It is somebody's: whatever a test
 * sends is looked at first, and afterwards exactly what the test made is removed, and looked for once more.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Xo } from 'xo-lib';
import type { XoObject } from '../../lab/json.ts';
import { looking, makeVm, openClient } from './client.ts';
import { type Answer, type Ask, ask } from './http.ts';
import { OwnObjects } from './own-objects.ts';
import type { Place } from './place.ts';

export interface RealXo {
  readonly url: string;
  readonly token: string;
  /** Names or uuids. */
  readonly sr: string;
  readonly network: string;
  readonly template: string;
}

/** A real pool starts VMs in seconds, and XO tries 45 s to delete a disk in use. */
const CALM_MS = 120_000;
const PREFIX = 'BOOTWITNESS_TEST_XO_';

/** Null: none is named. @throws Error where only a part of it is */
export function realXo(environment: Readonly<NodeJS.ProcessEnv>): RealXo | null {
  const named = Object.keys(environment).filter((key) => key.startsWith(PREFIX));
  if (named.length === 0) return null;
  const needed = (name: string): string => {
    const value = environment[`${PREFIX}${name}`];
    if (!value) throw new Error(`${PREFIX}${name}: expected it beside ${named.join(', ')}, given nothing`);
    return value;
  };
  return {
    url: needed('URL').replace(/^ws/, 'http').replace(/\/+$/, ''),
    token: readFileSync(needed('TOKEN_FILE'), 'utf8').trim(),
    sr: needed('SR'),
    network: needed('NETWORK'),
    template: environment[`${PREFIX}TEMPLATE`] || 'Other install media',
  };
}

export const REAL = realXo(process.env);

/** The same client, but each call is looked at before it is sent, and what it made is ours from then on. */
function guarded(xo: Xo, own: OwnObjects): Xo {
  const send = xo.call.bind(xo);
  xo.call = async (method, params) => {
    await own.checkCall(method, params ?? {});
    const result = await send(method, params);
    if (/^(vm\.(create|clone|snapshot)|disk\.create)$/.test(method)) own.add(result);
    return result;
  };
  return xo;
}

const idIn = (body: Buffer): unknown => {
  const text = body.toString();
  if (!text.startsWith('{')) return undefined;
  const { id, result } = JSON.parse(text) as { readonly id?: unknown; readonly result?: unknown };
  return typeof id === 'string' ? id : result;
};

/** @param real whose it is; for tests of this place the embedded lab stands in */
export async function realPlace(
  t: { teardown(action: () => unknown): unknown },
  real: RealXo | null = REAL,
  calmMs = CALM_MS,
): Promise<Place> {
  if (real === null) throw new Error('no Xen Orchestra is named');
  const { url, token } = real;
  const clients: Xo[] = [];
  const plain = await openClient(url);
  await plain.signIn({ token });
  const looks = looking(plain, calmMs);
  const own = new OwnObjects(async (id) => {
    for (const key of ['id', 'uuid', '_xapiRef']) for (const one of await looks.shown({ [key]: id })) return one;
    return undefined;
  });
  const newXo = async (): Promise<Xo> => {
    const xo = guarded(await openClient(url), own);
    clients.push(xo);
    return xo;
  };
  const xo = await newXo();
  await xo.signIn({ token });
  t.teardown(async () => {
    const left = await removeOwn(plain, looks, own);
    for (const one of [...clients, plain]) if (one.status !== 'closed') await one.close().catch(() => undefined);
    if (left.length > 0) throw new Error(`left in the pool of ${url}: ${left.join(', ')}`);
  });
  const byName = async (type: string, wanted: string): Promise<XoObject> => {
    const [byUuid] = await looks.shown({ type, uuid: wanted });
    return byUuid ?? looks.the({ type, name_label: wanted });
  };
  const places = {
    sr: () => byName('SR', real.sr),
    network: () => byName('network', real.network),
    template: () => byName('VM-template', real.template),
    name: (label: string) => `${own.prefix} ${label}`,
  };
  const request = async (path: string, asked: Ask): Promise<Answer> => {
    const answer = await ask(`${url}${path}`, asked);
    if (asked.method === 'POST') own.add(idIn(answer.body));
    return answer;
  };
  return {
    ...{ url, token, xo, newXo, ...looks, ...places },
    rest: (path, asked = {}) => {
      own.checkRequest(asked.method ?? 'GET', path);
      return request(path, { ...asked, headers: { cookie: `authenticationToken=${token}`, ...asked.headers } });
    },
    // The path itself came as the reply to a call that was looked at.
    send: request,
    makeVm: async (label = 'demo') => {
      const mac = `02:${[...randomBytes(5)].map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`;
      const made = await makeVm({ xo, ...looks, ...places }, label, mac);
      // Nobody's PXE server is to hear of it.
      await xo.call('vm.setBootOrder', { vm: made.vm, order: 'c' });
      return { ...made, mac };
    },
  };
}

/** Removes what is ours: by id, and by our name where no id came back. @returns what is still there */
async function removeOwn(xo: Xo, { shown, until }: Pick<Place, 'shown' | 'until'>, own: OwnObjects): Promise<string[]> {
  const ours = async (type: string): Promise<readonly XoObject[]> =>
    (await shown({ type })).filter(({ id, name_label }) => own.has(id) || String(name_label).startsWith(own.prefix));
  const gone = (id: string): Promise<void> => until({ id }, (found) => found.length === 0).catch(() => undefined);
  for (const { id, power_state } of [...(await ours('VM')), ...(await ours('VM-template'))]) {
    if (power_state !== 'Halted') await xo.call('vm.stop', { id, force: true }).catch(() => undefined);
    // Its own disks go with it; nobody else's can be attached to it.
    await xo.call('vm.delete', { id, forceBlockedOperation: true }).catch(() => undefined);
    await gone(id);
  }
  for (const { id } of await ours('VDI')) {
    await xo.call('vdi.delete', { id }).catch(() => undefined);
    await gone(id);
  }
  const left = [...(await ours('VM')), ...(await ours('VDI')), ...(await ours('VM-snapshot'))];
  left.push(...(await ours('VM-template')));
  return left.map(({ type, id }) => `${type} ${id}`);
}
