/** A guest's whole life on the wire, proven by listing, and how its ends are told apart. */
import t from 'tap';
import { Fault } from '../../../harness/faults/faults.ts';
import type { Guest } from '../../../harness/lab.ts';
import { Secret } from '../../../harness/workdir/secrets.ts';
import { openXoLab } from '../../../harness/xcpng/lab.ts';
import { openSession } from '../../../harness/xcpng/session.ts';
import { cleaned, codeOf, openLab } from './opened-lab.ts';
import { hurried, within } from './test-lab.ts';

t.test('a whole life', async (t) => {
  const opened = await openLab(t);
  const { world, lab } = opened;
  t.equal(lab.poolName, 'Embedded lab');
  t.match(lab.xoVersion, /^\d+\.\d+\.\d+/);
  const progress: number[] = [];
  const order = world.order({ onUpload: (done, total) => progress.push(done / total) });
  const guest: Guest = await lab.provision(order);

  t.same(guest.macs, ['02:00:00:00:aa:01']);
  t.equal(guest.onlyDisk, true);
  t.match(guest.imported, { path: 'rest-post-vdis', readBack: true });
  t.equal(guest.imported.bytes, 2048 + 2 * (512 + 2 * 1024 * 1024) + 512, 'only the blocks that hold something');
  t.equal(progress.at(-1), 1);
  t.ok(
    progress.every((done, i) => done > (progress[i - 1] ?? 0)),
    'progress only grows',
  );
  t.equal(guest.death(), null, 'a guest that was not started is not dead');

  const vm = world.endpoint.world.inventory.vms.get(guest.uuid);
  t.match(vm?.tags, [
    'bootwitness',
    'bootwitness:run=run-1',
    'bootwitness:case=case%201',
    /^bootwitness:guest=[0-9a-f]{16}$/,
    /^bootwitness:expires=20..-.*Z$/,
    `bootwitness:self=${guest.uuid}`,
  ]);
  t.equal(vm?.bootOrder, 'c');
  const [vdi] = world.endpoint.world.inventory.vdis.values();
  t.match(vdi?.nameDescription, new RegExp(`^bootwitness bootwitness:run=run-1 .* bootwitness:self=${vdi?.uuid}$`));
  const claimed = await lab.claimed('run-1', within(5_000));
  t.same(claimed.map((line) => line.split(' ')[0]).sort(), ['VDI', 'VM'], 'listed by claim while they are there');
  t.same(await lab.claimed('run-2', within(5_000)), [], 'and not by the claim of another run');

  await guest.start(within(5_000));
  t.equal(guest.death(), null);
  t.match(world.backend.started[0]?.order, {
    memoryBytes: 512 * 1024 * 1024,
    cpus: 1,
    firmware: 'bios',
    bootOrder: 'c',
  });
  t.same(await guest.address(within(5_000)), {
    host: '127.83.17.1',
    port: 2222,
    source: 'slot',
    sure: true,
    others: [],
  });
  t.match(await guest.console(), { source: 'serial', text: /^serial of bootwitness case 1/ });
  const events = world.journal.map(({ event, what }) => `${event} ${what}`);
  t.same(events.slice(0, 5), ['intent VDI', 'intent slot', 'intent VM', 'note VM', 'note VDI'], 'intent before deed');
  await cleaned(t, opened, order);
});

t.test('a name that fits nothing is refused with the candidates, before anything is made', async (t) => {
  const { world } = await openLab(t);
  const { sr, network } = world.endpoint.world.inventory;
  for (const [wrong, candidate] of [
    [{ sr: 'nowhere' }, sr],
    [{ network: 'nowhere' }, network],
  ] as const) {
    const opened = openXoLab({ ...world.settings, ...wrong }, within(5_000));
    await t.rejects(opened, { code: 'BAD_PLACEMENT', party: 'caller', message: new RegExp(candidate.uuid) });
  }
  t.same(world.left(), []);
});

t.test('a guest that powers itself off', async (t) => {
  const opened = await openLab(t);
  const order = opened.world.order();
  const guest = await opened.lab.provision(order);
  await guest.start(within(5_000));
  opened.world.backend.started[0]?.powerOff();
  while (guest.death() === null) await opened.world.endpoint.world.view.polled();
  t.match(guest.death(), { kind: 'halted', seen: /Halted/ });
  t.equal(await codeOf(guest.address(within(1_000))), 'ADDRESS_UNKNOWN');
  await cleaned(t, opened, order);
});

t.test('a VM that somebody removed, and a pool that XO lost, are told apart', async (t) => {
  const opened = await openLab(t);
  const { world, lab } = opened;
  const order = world.order({ deadline: hurried(200_000) });
  const guest = await lab.provision(order);
  await guest.start(within(5_000));
  world.endpoint.world.view.hideFor(300);
  while (guest.outOfSight() === null) await new Promise(setImmediate);
  t.match(guest.outOfSight(), /neither VM .* nor its pool/);
  t.equal(guest.death(), null, 'nobody can tell: no death');
  t.equal(
    await codeOf(lab.claimed('run-1', within(50))),
    'XO_OBJECT_LATE',
    'an empty list of a lost pool proves nothing',
  );
  t.same((await lab.claimed('run-1', within(5_000))).length, 2, 'the listing waits for the pool');
  t.equal(guest.outOfSight(), null, 'seen again');
  t.equal(guest.death(), null, 'and the guest was never dead');
  t.same(await order.disposals.run(within(10_000)), []);
  while (guest.death() === null) await new Promise(setImmediate);
  t.match(guest.death(), { kind: 'vanished' });
});

t.test('clean-up waits for a pool that XO has lost', async (t) => {
  const opened = await openLab(t);
  const order = opened.world.order();
  const guest = await opened.lab.provision(order);
  opened.world.mishaps.set('vanish-pool', '0.3');
  t.match(await codeOf(guest.start(within(5_000))), /nothing thrown/, 'start waits for the object, too');
  await cleaned(t, opened, order);
});

t.test('vm.delete that keeps the disk', async (t) => {
  const opened = await openLab(t);
  opened.world.mishaps.set('keep-disk');
  const order = opened.world.order();
  await opened.lab.provision(order);
  await cleaned(t, opened, order);
});

t.test('what stays is named', async (t) => {
  const opened = await openLab(t);
  const order = opened.world.order();
  const guest = await opened.lab.provision(order);
  const vm = opened.world.endpoint.world.inventory.vms.get(guest.uuid);
  if (vm) vm.blockedOperations.destroy = 'somebody wants to keep it';
  const stayed = await order.disposals.run(within(5_000));
  t.match(stayed[0], new RegExp(`^VM ${guest.uuid} bootwitness case 1: vm.delete: forbidden operation`));
  t.match(await opened.lab.claimed('run-1', within(5_000)), [`VM ${guest.uuid} bootwitness case 1`]);
});

t.test('slots', async (t) => {
  const opened = await openLab(t);
  const { world, lab } = opened;
  const first = world.order();
  await lab.provision(first);
  const second = world.order({ caseId: 'case 2' });
  t.equal(await codeOf(lab.provision(second)), 'NO_FREE_SLOT');
  t.same(await second.disposals.run(within(5_000)), []);
  await cleaned(t, opened, first);
  const third = world.order();
  await lab.provision(third);
  await cleaned(t, opened, third);
});

t.test('without slots the pool makes the MAC, and the guest must tell its address', async (t) => {
  const opened = await openLab(t, { slots: [], serialPath: null });
  const order = opened.world.order({ readBack: false });
  const guest = await opened.lab.provision(order);
  t.match(guest.macs[0], /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/);
  t.equal(guest.imported.readBack, false);
  await guest.start(within(5_000));
  await t.rejects(guest.address(within(100)), { code: 'ADDRESS_UNKNOWN', message: /guest-metrics knows none/ });
  t.equal(await guest.console(), undefined);
  await cleaned(t, opened, order);
});

t.test('image and control of one case are taken back apart', async (t) => {
  const slots = ['01', '02'].map((end) => ({ mac: `02:00:00:00:aa:${end}`, address: `127.83.17.${Number(end)}` }));
  const opened = await openLab(t, { slots });
  const [image, control] = [opened.world.order(), opened.world.order({ purpose: 'control' })];
  const guest = await opened.lab.provision(image);
  await opened.lab.provision(control);
  t.same(await control.disposals.run(within(5_000)), []);
  t.same(opened.world.left().slice(0, 2), ['VM bootwitness case 1', 'VDI bootwitness case 1']);
  await guest.start(within(5_000));
  await cleaned(t, opened, image);
});

t.test('an interrupt ends a wait with its own reason', async (t) => {
  const opened = await openLab(t, { slots: [] });
  const order = opened.world.order();
  const guest = await opened.lab.provision(order);
  await guest.start(within(5_000));
  const interrupt = new AbortController();
  const waiting = codeOf(guest.address(within(60_000, interrupt.signal)));
  interrupt.abort(new Fault('INTERRUPTED', 'SIGINT'));
  t.equal(await waiting, 'INTERRUPTED');
  await cleaned(t, opened, order);
});

t.test('a VM that XO half made is told, though it has no claim', async (t) => {
  const { world, lab } = await openLab(t);
  const { url, tls } = world.settings;
  const token = new Secret(world.token);
  const session = await openSession({ url, credential: { token }, tls, deadline: within(5_000) });
  t.teardown(() => session.close());
  const template = session.objects.all('VM-template').find(({ name }) => name === 'Other install media')?.id;
  const make = (name: string) =>
    session.call('vm.create', { name_label: name, template, VDIs: [], VIFs: [] }, within(5_000));
  const id = String(await make('bootwitness phase9-xcpng-boot-0123abcd'));
  await make('bootwitness phase9-xcpng-boot-ffffffff');
  await session.objects.waitFor(within(5_000), 'both', 'XO_OBJECT_LATE', () =>
    session.objects.all('VM').length === 2 ? { done: true } : { seen: 'not yet' },
  );
  const listed = await lab.claimed('0123abcd-0000-4000-8000-000000000000', within(5_000));
  t.same(listed, [`VM ${id} bootwitness phase9-xcpng-boot-0123abcd: half made, without our claim; delete it by hand`]);
});
