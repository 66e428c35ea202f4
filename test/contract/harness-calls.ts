/** For tests: runs of the harness that together make every call it knows, each seen leaving this process. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';
import { Secret } from '../../harness/workdir/secrets.ts';
import { examineXo } from '../../harness/xcpng/doctor/examine.ts';
import { openXoLab } from '../../harness/xcpng/lab.ts';
import { openSession, type Session } from '../../harness/xcpng/session.ts';
import type { FixedSettings } from '../../harness/xcpng/settings.ts';
import {
  ADMIN,
  openTestLab,
  POOL_ADMIN,
  type RecordedCall,
  recordCalls,
  type TestLab,
  within,
} from '../harness/xcpng/test-lab.ts';

export interface RecordedRequest {
  readonly method: string;
  /** With its query; ids as they are. */
  readonly path: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

export interface Recording {
  readonly calls: readonly RecordedCall[];
  readonly requests: readonly RecordedRequest[];
  /** Of these, what a run makes that keeps no images: neither the cache's nor the doctor's. */
  readonly ofRuns: readonly RecordedCall[];
}

const STARTED = 'http.client.request.start';

/** Every HTTP request that leaves this process from now on; the upgrade to a WebSocket is none. */
function recordRequests(): { readonly requests: RecordedRequest[]; stop(): void } {
  const requests: RecordedRequest[] = [];
  const seen = (message: unknown): void => {
    const { request } = message as { readonly request: ClientRequest };
    if (request.getHeader('upgrade') !== undefined) return;
    requests.push({ method: request.method, path: request.path, headers: request.getHeaders() });
  };
  subscribe(STARTED, seen);
  return { requests, stop: () => void unsubscribe(STARTED, seen) };
}

async function signIn({ settings }: TestLab, credential = settings.credential): Promise<Session> {
  const { url, tls } = settings;
  return openSession({ url, tls, credential, deadline: within(5_000) });
}

/** A guest of our own, from creation to clean-up, with a disk that XO leaves behind. */
async function ephemeral(world: TestLab): Promise<void> {
  const lab = await openXoLab(world.settings, within(5_000));
  const order = world.order();
  const guest = await lab.provision(order);
  await guest.start(within(5_000));
  await guest.console();
  world.mishaps.set('keep-disk');
  const left = await order.disposals.run(within(10_000));
  world.mishaps.clear('keep-disk');
  if (left.length > 0) throw new Error(left.join('; '));
  await lab.close();
}

/** Two guests of one image that is kept: it is sent, then cloned. */
async function cached(world: TestLab): Promise<void> {
  const cache = { sr: 'Embedded local storage', bytesMax: 2 ** 30, chainMax: 20, keepFailedMs: 60_000 };
  const lab = await openXoLab({ ...world.settings, cache }, within(5_000));
  for (const runId of ['run-5', 'run-6']) {
    const order = world.order({ runId });
    await lab.provision(order);
    const left = await order.disposals.run(within(10_000));
    if (left.length > 0) throw new Error(left.join('; '));
  }
  await lab.close();
}

/** A guest that is ordered in every detail: on this host, with that NIC and firmware. */
async function ordered(world: TestLab): Promise<void> {
  const shape = { ...world.settings.shape, nic: 'e1000', firmware: 'uefi' } as const;
  const lab = await openXoLab({ ...world.settings, shape, host: 'embedded-host' }, within(5_000));
  const order = world.order({ runId: 'run-4', readBack: false });
  const guest = await lab.provision(order);
  await guest.start(within(5_000));
  const left = await order.disposals.run(within(10_000));
  if (left.length > 0) throw new Error(left.join('; '));
  await lab.close();
}

/** An XO without a REST API: the disk comes by `disk.import`. */
async function olderXo(world: TestLab): Promise<void> {
  world.mishaps.set('no-rest');
  const lab = await openXoLab(world.settings, within(5_000));
  const order = world.order({ runId: 'run-2', readBack: false });
  await lab.provision(order);
  const left = await order.disposals.run(within(10_000));
  world.mishaps.clear('no-rest');
  if (left.length > 0) throw new Error(left.join('; '));
  await lab.close();
}

/** What an operator would make by hand, before anything is recorded. */
async function operatorsVm(world: TestLab): Promise<Pick<FixedSettings, 'vm' | 'vdi'>> {
  const session = await signIn(world);
  const { objects } = session;
  const call = async (method: string, params: Record<string, unknown>): Promise<string> =>
    String(await session.call(method, params, within(5_000)));
  const [template] = objects.all('VM-template').filter(({ name }) => name === 'Other install media');
  const [sr] = objects.all('SR').filter(({ contentType }) => contentType !== 'iso');
  const VIFs = [{ network: objects.all('network')[0]?.id }];
  const vm = await call('vm.create', { name_label: "the operator's", template: template?.id, VDIs: [], VIFs });
  const vdi = await call('disk.create', { name: 'its disk', size: 8 * 2 ** 20, sr: sr?.id });
  await call('vm.attachDisk', { vm, vdi, position: '0', bootable: true });
  await call('vm.setBootOrder', { vm, order: 'c' });
  await session.close();
  return { vm, vdi };
}

/** The operator's VM: locked, overwritten, started, left halted. */
async function fixed(world: TestLab, operators: Pick<FixedSettings, 'vm' | 'vdi'>): Promise<void> {
  const settings = { ...operators, leave: 'halted', control: false, lockWaitMs: 0, pad: false } as const;
  const lab = await openXoLab({ ...world.settings, fixed: settings }, within(5_000));
  const order = world.order({ runId: 'run-3' });
  const guest = await lab.provision(order);
  await guest.start(within(5_000));
  const left = await order.disposals.run(within(20_000));
  if (left.length > 0) throw new Error(left.join('; '));
  await lab.close();
}

/** A session by password makes itself a token, and a quiet one is kept open. */
async function byPassword(world: TestLab): Promise<void> {
  const session = await signIn(world, { email: ADMIN.email, password: new Secret(ADMIN.password) });
  await session.call('system.getVersion', {}, within(5_000));
  await session.close();
}

/** The doctor, as an administrator and as a user whose rights are looked at. */
async function examined(world: TestLab): Promise<void> {
  const poolAdmin = { email: POOL_ADMIN.email, password: new Secret(POOL_ADMIN.password) };
  for (const credential of [world.settings.credential, poolAdmin]) {
    await examineXo({ ...world.settings, credential }, { image: null, write: null }, within(20_000));
  }
}

/** Makes the runs. Calls of sign-in are left out: xo-lib makes them. */
export async function recordHarness(): Promise<Recording> {
  const world = await openTestLab();
  const operators = await operatorsVm(world);
  const [called, asked] = [recordCalls(), recordRequests()];
  let ofRuns = 0;
  try {
    await ephemeral(world);
    await ordered(world);
    await olderXo(world);
    await fixed(world, operators);
    await byPassword(world);
    ofRuns = called.calls.length;
    await cached(world);
    await examined(world);
  } finally {
    called.stop();
    asked.stop();
    await world.close();
  }
  const ours = (calls: readonly RecordedCall[]): readonly RecordedCall[] =>
    calls.filter(({ method }) => method !== 'session.signIn');
  return { calls: ours(called.calls), ofRuns: ours(called.calls.slice(0, ofRuns)), requests: asked.requests };
}
