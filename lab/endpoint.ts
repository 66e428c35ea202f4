/** Puts the parts of the endpoint together over a backend: a pool with its SR, users, and the server in front. */
import { mkdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { Accounts, type User } from './accounts.ts';
import type { Backend } from './backend.ts';
import { ObjectView } from './events.ts';
import { Inventory } from './inventory.ts';
import { Machines } from './machines.ts';
import { Mishaps } from './mishaps.ts';
import { OneTimePaths } from './one-time-paths.ts';
import { startServer } from './server.ts';
import { Storage } from './storage.ts';
import { poolTemplates } from './templates.ts';
import type { World } from './world.ts';

const SECOND_MS = 1000;
const CONTROL_DOMAIN_BYTES = 1717986919;

/** How Xen Orchestra paces things, in ms. */
export const REAL_PACE = { pollMs: 200, destroyRetryMs: 5 * SECOND_MS, signInThrottleMs: 2 * SECOND_MS };

export interface EndpointOptions {
  readonly backend: Backend;
  /** Exists; disks and the files of running VMs go below it. */
  readonly dir: string;
  readonly users: readonly Omit<User, 'id'>[];
  readonly hostMemoryBytes: number;
  /** Of these, what is used without any guest; default: as a control domain takes. */
  readonly hostUsedBytes?: number;
  /** MAC → 127.x.y.z */
  readonly addresses?: ReadonlyMap<string, string>;
  readonly mishaps?: Mishaps;
  readonly pace?: typeof REAL_PACE;
  readonly log: (line: string) => void;
}

export interface Endpoint {
  readonly url: string;
  readonly world: World;
  readonly users: readonly User[];
  /** Stops all VMs and the server; what is on disk stays. */
  close(): Promise<void>;
}

/** Bytes that may be written below `path`. */
async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

export async function openEndpoint(options: EndpointOptions): Promise<Endpoint> {
  const { backend, dir, hostMemoryBytes, log } = options;
  const pace = options.pace ?? REAL_PACE;
  const mishaps = options.mishaps ?? new Mishaps();
  const srPath = join(dir, 'sr');
  await mkdir(srPath, { recursive: true });
  const inventory = new Inventory({
    srPath,
    srSize: await freeBytes(srPath),
    hostMemoryBytes,
    hostUsedBytes: options.hostUsedBytes ?? CONTROL_DOMAIN_BYTES,
    poolName: 'Embedded lab',
    mishaps,
  });
  for (const template of poolTemplates(mishaps.has('no-default-template'))) inventory.vms.set(template.uuid, template);
  const view = new ObjectView(inventory, {
    pollMs: pace.pollMs,
    extraLagMs: () => Number(mishaps.get('late-objects') ?? 0) * SECOND_MS,
  });
  const accounts = new Accounts({ mishaps, throttleMs: pace.signInThrottleMs });
  const users = options.users.map((user) => accounts.addUser(user));
  const storage = new Storage({
    inventory,
    mishaps,
    polled: () => view.polled(),
    destroyRetryMs: pace.destroyRetryMs,
    log,
  });
  const machines = new Machines({
    inventory,
    storage,
    backend,
    mishaps,
    dir: join(dir, 'vm'),
    addresses: options.addresses ?? new Map(),
    log,
  });
  const paths = new OneTimePaths();
  const restart = (seconds: number): void => server.restart(seconds);
  const world: World = { accounts, inventory, machines, mishaps, paths, storage, view, restart, log };
  const server = await startServer(world);
  return {
    url: server.url,
    world,
    users,
    async close() {
      await server.close();
      await machines.close();
      view.close();
    },
  };
}
