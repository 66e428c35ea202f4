/** The operator's VM, while it is made ready: what others do to it meanwhile is found out before anything is booted. */
import t, { type Test } from 'tap';
import { Disposals } from '../../../harness/disposals.ts';
import type { Json } from '../../../harness/model.ts';
import { lockTag } from '../../../harness/xcpng/lock-tag.ts';
import { provisionFixed } from '../../../harness/xcpng/provision-fixed.ts';
import { openSession, type Session } from '../../../harness/xcpng/session.ts';
import type { FixedSettings } from '../../../harness/xcpng/settings.ts';
import { Slots } from '../../../harness/xcpng/slots.ts';
import { hurried, openTestLab, type TestLab, within } from './test-lab.ts';

const MIB = 1024 * 1024;

interface Theirs {
  readonly world: TestLab;
  readonly session: Session;
  readonly fixed: FixedSettings;
  readonly call: (method: string, params: Readonly<Record<string, unknown>>) => Promise<unknown>;
}

/** A VM with one disk, as an operator makes it. */
async function theirs(t: Test): Promise<Theirs> {
  const world = await openTestLab();
  const { url, credential, tls } = world.settings;
  const session = await openSession({ url, credential, tls, deadline: within(5_000) });
  t.teardown(async () => {
    await session.close();
    await world.close();
  });
  const call = (method: string, params: Readonly<Record<string, unknown>>): Promise<unknown> =>
    session.call(method, { ...params }, within(10_000));
  const { objects } = session;
  const [template] = objects.all('VM-template').filter(({ name }) => name === 'Other install media');
  const [sr] = objects.all('SR').filter(({ contentType }) => contentType !== 'iso');
  const [network] = objects.all('network');
  const VIFs = [{ network: network?.id, mac: '02:00:00:00:aa:01' }];
  const vm = String(await call('vm.create', { name_label: 'theirs', template: template?.id, VDIs: [], VIFs }));
  const vdi = String(await call('disk.create', { name: 'their disk', size: 8 * MIB, sr: sr?.id }));
  await call('vm.attachDisk', { vm, vdi, position: '0', bootable: true });
  await call('vm.setBootOrder', { vm, order: 'c' });
  await objects.waitFor(within(5_000), 'the VM with its disk', 'XO_OBJECT_LATE', () =>
    objects.all('VBD').some((vbd) => vbd.vm === vm) && objects.get('VM', vm)?.bootOrder === 'c'
      ? { done: true }
      : { seen: 'not yet' },
  );
  const fixed = { vm, vdi, leave: 'halted', control: false, lockWaitMs: 0, pad: false } as const;
  return { world, session, fixed, call };
}

/** Does `deed` when the disk is about to be overwritten. */
function provisioned({ world, session, fixed }: Theirs, deed: () => Promise<unknown>): Promise<unknown> {
  let done: Promise<unknown> | null = null;
  const disposals = new Disposals((entry: Readonly<Record<string, Json>>) => {
    if (entry.what === 'fixed-vm' && 'overwriting' in entry) done ??= deed();
  });
  const context = {
    ...{ session, settings: world.settings, slots: new Slots([]) },
    ...{ figuresMayLag: false, deadRuns: new Set<string>() },
  };
  const order = world.order({ disposals });
  return provisionFixed(context, fixed, order).finally(async () => {
    await done;
    t.same(await disposals.run(hurried(60_000)).then((left) => left.filter((each) => /lock/.test(each))), []);
  });
}

const CHANGES: readonly (readonly [string, (given: Theirs) => Promise<unknown>, RegExp])[] = [
  [
    'a second disk',
    async ({ session, fixed, call }) => {
      const [sr] = session.objects.all('SR').filter(({ contentType }) => contentType !== 'iso');
      const vdi = await call('disk.create', { name: 'rescue', size: MIB, sr: sr?.id });
      return call('vm.attachDisk', { vm: fixed.vm, vdi, position: '1' });
    },
    /while the disk was written: .*that disk only, disk \S+ at position 1 may boot, too/,
  ],
  ['a snapshot', ({ fixed, call }) => call('vm.snapshot', { id: fixed.vm }), /a VM without snapshots, given 1/],
  [
    'another boot order',
    ({ fixed, call }) => call('vm.setBootOrder', { vm: fixed.vm, order: 'n' }),
    /boot order c \(disk\) first, given "n"/,
  ],
  [
    'its lock taken away',
    async ({ world, fixed, call }) => {
      const vm = world.endpoint.world.inventory.vms.get(fixed.vm);
      const tags = [...(vm?.tags ?? [])].filter((tag) => tag.startsWith('bootwitness:lock='));
      for (const tag of tags) await call('tag.remove', { id: fixed.vm, tag });
    },
    /is not this run's any more: somebody took the tag of its lock away$/,
  ],
  [
    'its lock replaced by the one of another run',
    async ({ world, fixed, call }) => {
      const vm = world.endpoint.world.inventory.vms.get(fixed.vm);
      const tags = [...(vm?.tags ?? [])].filter((tag) => tag.startsWith('bootwitness:lock='));
      const theirs = { state: 'held', id: '0'.repeat(16), run: 'run-2', expiresMs: Date.now() + 600_000 } as const;
      await call('tag.add', { id: fixed.vm, tag: lockTag(theirs, 'elsewhere') });
      for (const tag of tags) await call('tag.remove', { id: fixed.vm, tag });
    },
    /took the tag of its lock away; held by run run-2 on elsewhere/,
  ],
];

for (const [name, deed, says] of CHANGES) {
  t.test(`${name} while the disk is written: not booted`, async (t) => {
    const given = await theirs(t);
    await t.rejects(
      provisioned(given, () => deed(given)),
      { code: 'FIXED_VM_CHANGED', message: says },
    );
    t.same(given.world.backend.started, [], 'nothing was started');
  });
}

t.test('nobody does anything: ready to boot', async (t) => {
  const given = await theirs(t);
  t.match(await provisioned(given, async () => undefined), { onlyDisk: true, imported: { readBack: true } });
});
