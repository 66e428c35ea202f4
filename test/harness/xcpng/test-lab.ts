/** For tests: the embedded lab's endpoint in this process, over VMs that are switches, and settings that fit it. */
import { setMaxListeners } from 'node:events';
import { copyFile, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import xoLib from 'xo-lib';
import { type Clock, Deadline, systemClock } from '../../../harness/deadline.ts';
import { Disposals } from '../../../harness/disposals.ts';
import { planImage } from '../../../harness/image/plan.ts';
import { Scratch } from '../../../harness/image/scratch.ts';
import type { GuestOrder } from '../../../harness/lab.ts';
import type { Json, PlannedImage } from '../../../harness/model.ts';
import { Secret } from '../../../harness/workdir/secrets.ts';
import type { XoLabSettings } from '../../../harness/xcpng/settings.ts';
import { type Endpoint, openEndpoint } from '../../../lab/endpoint.ts';
import { Mishaps } from '../../../lab/mishaps.ts';
import { type StubBackend, stubBackend } from '../../lab/stub-backend.ts';

const MIB = 1024 * 1024;
const NEVER = new AbortController().signal;
setMaxListeners(0, NEVER); // many calls of one test wait at once
/** Faster than the real one, so that no test waits; the order of things is the same. */
const FAST_PACE = { pollMs: 20, destroyRetryMs: 20, signInThrottleMs: 2000 };

export const within = (ms: number, signal: AbortSignal = NEVER): Deadline => Deadline.after(ms, signal);

/** Ends after `ms` on a clock that goes `factor` times as fast, for waits that are part of what is tested. */
export function hastened(factor: number, ms: number): Deadline {
  const clock: Clock = {
    nowMs: () => systemClock.nowMs() * factor,
    sleep: (sleepMs, signal) => systemClock.sleep(sleepMs / factor, signal),
  };
  return Deadline.after(ms, NEVER, clock);
}

/** 20 000 ms of it are one second. */
export const hurried = (ms: number): Deadline => hastened(20, ms);

export interface TestLab {
  readonly endpoint: Endpoint;
  readonly backend: StubBackend;
  readonly mishaps: Mishaps;
  readonly token: string;
  readonly settings: XoLabSettings;
  readonly image: PlannedImage;
  /** What the disposals wrote into their journal. */
  /** Uploads that came through, as the endpoint's own log tells of them. */
  readonly uploads: { readonly bytes: number }[];
  readonly journal: Readonly<Record<string, Json>>[];
  order(changes?: Partial<GuestOrder>): GuestOrder;
  /** Names of what is in the pool beyond what it began with. */
  left(): readonly string[];
  close(): Promise<void>;
}

export const ADMIN = { email: 'admin@lab', password: 'correct horse', permission: 'admin', poolAdmin: false } as const;
export const NOBODY = { email: 'nobody@lab', password: 'no rights', permission: 'none', poolAdmin: false } as const;
/** What docs/lab-setup.md names: `admin` on the pool, no administrator of XO. */
export const POOL_ADMIN = { email: 'ci@lab', password: 'on the pool', permission: 'none', poolAdmin: true } as const;

/** 7 MiB with a few written spots, in blocks 0 and 3. */
async function smallImage(dir: string): Promise<PlannedImage> {
  const path = join(dir, 'image.raw');
  const file = await open(path, 'w');
  await file.truncate(7 * MIB);
  await file.write('boot sector', 0);
  await file.write('last sector', 7 * MIB - 512);
  await file.close();
  return planImage(path, { cacheDir: join(dir, 'cache') });
}

/** The same image, but for one byte. */
export async function anotherImage({ path }: PlannedImage, byte: number): Promise<PlannedImage> {
  const other = `${path}.${byte}`;
  await copyFile(path, other);
  const file = await open(other, 'r+');
  await file.write(Buffer.from([byte]), 0, 1, 100);
  await file.close();
  return planImage(other, { cacheDir: `${path}.cache` });
}

export async function openTestLab(): Promise<TestLab> {
  const dir = await mkdtemp(join(tmpdir(), 'bootwitness-xcpng-'));
  const backend = stubBackend();
  const mishaps = new Mishaps();
  const uploads: { readonly bytes: number }[] = [];
  const slot = { mac: '02:00:00:00:aa:01', address: '127.83.17.1' };
  const endpoint = await openEndpoint({
    backend,
    dir,
    users: [ADMIN, NOBODY, POOL_ADMIN],
    hostMemoryBytes: 4 * 1024 * MIB,
    addresses: new Map([[slot.mac, slot.address]]),
    mishaps,
    pace: FAST_PACE,
    log: (line) => {
      const bytes = / (\d+) bytes of vhd in /.exec(line)?.[1];
      if (bytes !== undefined) uploads.push({ bytes: Number(bytes) });
    },
  });
  const [admin] = endpoint.users;
  if (admin === undefined) throw new Error('the endpoint has no user');
  const token = endpoint.world.accounts.createToken(admin);
  const image = await smallImage(dir);
  const scratch = new Scratch({ dir });
  const journal: Readonly<Record<string, Json>>[] = [];
  const settings: XoLabSettings = {
    name: 'test',
    kind: 'embedded',
    url: `${endpoint.url}/`,
    credential: { token: new Secret(token) },
    tls: { insecure: false, caPem: null, fingerprint: null },
    ...{ template: null, sr: null, network: null, host: null },
    shape: { firmware: 'bios', memoryMiB: 512, cpus: 1, nic: null },
    fixed: null,
    ...{ cache: null, tickets: null },
    slots: [slot],
    addressSources: [],
    sshPort: 2222,
    serialPath: '/embedded/v0/vms/{id}/serial',
    settleMs: 100,
    claimTtlMs: 3_600_000,
  };
  const { vms, vdis, vbds, vifs } = endpoint.world.inventory;
  const atFirst = new Set([...vms.keys()]);
  return {
    ...{ endpoint, backend, mishaps, token, settings, image, journal, uploads },
    order: (changes = {}) => ({
      ...{ runId: 'run-1', caseId: 'case 1', purpose: 'image', image, scratch, readBack: true },
      deadline: within(10_000),
      disposals: new Disposals((entry) => journal.push(entry)),
      ...{ readBackClone: false, onUpload: () => undefined, onNote: () => undefined },
      onWarning: () => undefined,
      ...changes,
    }),
    left: () => [
      ...[...vms.values()].filter(({ uuid }) => !atFirst.has(uuid)).map(({ nameLabel }) => `VM ${nameLabel}`),
      ...[...vdis.values()].map(({ nameLabel }) => `VDI ${nameLabel}`),
      ...[...vbds.keys()].map((id) => `VBD ${id}`),
      ...[...vifs.keys()].map((id) => `VIF ${id}`),
    ],
    async close() {
      await endpoint.close();
      await rm(dir, { recursive: true });
    },
  };
}

export interface RecordedCall {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

// xo-lib's own `call` refuses `session.*`; the one below it carries everything.
const below: { call: (method: string, params: RecordedCall['params']) => Promise<unknown> } = Object.getPrototypeOf(
  xoLib.default.prototype,
);

/** From now on calls of this method are sent, and their replies never come. @returns what ends that */
export function withholdReplies(method: string): () => void {
  const original = below.call;
  const pending: ((why: Error) => void)[] = [];
  below.call = function call(called, params) {
    const reply = original.call(this, called, params);
    if (called !== method) return reply;
    reply.catch(() => undefined);
    return new Promise((_, reject) => pending.push(reject));
  };
  return () => {
    below.call = original;
    for (const end of pending) end(new Error('the test is over'));
  };
}

/** Every JSON-RPC call that leaves this process from now on, sign-in included. */
export function recordCalls(): { readonly calls: RecordedCall[]; stop(): void } {
  const calls: RecordedCall[] = [];
  const original = below.call;
  below.call = function call(method, params) {
    calls.push({ method, params });
    return original.call(this, method, params);
  };
  return {
    calls,
    stop: () => {
      below.call = original;
    },
  };
}
