/** Everything that the parts of the endpoint share, as one value; made in `lab.ts`. */
import type { Accounts } from './accounts.ts';
import type { ObjectView } from './events.ts';
import type { Inventory } from './inventory.ts';
import type { Machines } from './machines.ts';
import type { Mishaps } from './mishaps.ts';
import type { OneTimePaths } from './one-time-paths.ts';
import type { Storage } from './storage.ts';

export interface World {
  readonly accounts: Accounts;
  readonly inventory: Inventory;
  readonly machines: Machines;
  readonly mishaps: Mishaps;
  readonly paths: OneTimePaths;
  readonly storage: Storage;
  readonly view: ObjectView;
  /** Xen Orchestra restarts: all connections are cut, nothing listens for this long, then the pool is found again. */
  readonly restart: (seconds: number) => void;
  /** Takes one line for people. */
  readonly log: (line: string) => void;
}
