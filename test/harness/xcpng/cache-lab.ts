/** For tests: a lab whose cache is on, and what the pool's own books say of the entries in it. */
import type { Test } from 'tap';
import type { Guest, GuestOrder } from '../../../harness/lab.ts';
import { type Entry, readEntries } from '../../../harness/xcpng/cache/entries.ts';
import { openXoLab } from '../../../harness/xcpng/lab.ts';
import type { CacheSettings, XoLabSettings } from '../../../harness/xcpng/settings.ts';
import { type Opened, openLab } from './opened-lab.ts';
import { hurried, within } from './test-lab.ts';

export const CACHE: CacheSettings = {
  ...{ sr: 'Embedded local storage', bytesMax: 2 ** 30, chainMax: 20 },
  keepFailedMs: 60_000,
};

export interface CacheLab extends Opened {
  /** Another client of the same pool. */
  another(): Promise<Opened['lab']>;
  /** Entries as XO shows them by now. */
  entries(): readonly Entry[];
  /** Until XO shows what is in the books. */
  settled(): Promise<void>;
  /** Bytes of disks that were sent since the beginning. */
  sent(): number;
}

export async function openCacheLab(
  t: Test,
  cache: Partial<CacheSettings> = {},
  more: Partial<XoLabSettings> = {},
): Promise<CacheLab> {
  const changes = { cache: { ...CACHE, ...cache }, ...more };
  const opened = await openLab(t, changes);
  const { view } = opened.world.endpoint.world;
  return {
    ...opened,
    another: async () => {
      const lab = await openXoLab({ ...opened.world.settings, ...changes }, within(10_000));
      t.teardown(() => lab.close());
      return lab;
    },
    entries: () => readEntries(new Map(view.all().map((object) => [object.id, object]))),
    settled: async () => {
      for (let polls = 0; polls < 3; polls++) await view.polled();
    },
    sent: () => opened.world.uploads.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** A guest with its order, which has taken nothing back yet. */
export async function guestOf(
  { world }: Opened,
  lab: Opened['lab'],
  changes: Partial<GuestOrder> = {},
): Promise<{ readonly guest: Guest; readonly order: GuestOrder }> {
  const order = world.order({ deadline: within(20_000), ...changes });
  return { guest: await lab.provision(order), order };
}

/** Provisions, starts nothing, takes back. @returns how the disk came in */
export async function once(
  t: Test,
  opened: Opened,
  changes: Partial<GuestOrder> = {},
): Promise<Guest['imported'] & { readonly onlyDisk: boolean }> {
  const { guest, order } = await guestOf(opened, opened.lab, changes);
  t.same(await order.disposals.run(hurried(200_000)), [], 'nothing of the guest stays');
  t.same(await opened.lab.claimed(order.runId, within(5_000)), [], 'a listing agrees');
  return { ...guest.imported, onlyDisk: guest.onlyDisk };
}
