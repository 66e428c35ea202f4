/** A guest's whole life on the wire, proven by listing; then what happens when the lab misbehaves. */
import t, { type Test } from 'tap';
import { Fault } from '../../../harness/faults.ts';
import type { Guest, GuestOrder, Lab } from '../../../harness/lab.ts';
import { openXoLab } from '../../../harness/xcpng/lab.ts';
import { hurried, openTestLab, type TestLab, within } from './test-lab.ts';

interface Opened {
  readonly world: TestLab;
  readonly lab: Lab;
}

async function open(t: Test, changes: Partial<TestLab['settings']> = {}): Promise<Opened> {
  const world = await openTestLab();
  const lab = await openXoLab({ ...world.settings, ...changes }, within(10_000));
  t.teardown(async () => {
    await lab.close();
    await world.close();
  });
  return { world, lab };
}

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'nothing thrown',
    (error: unknown) => (error instanceof Fault ? error.code : String(error)),
  );

/** Clean-up with its own budget; then the pool's own books, not XO's word. */
async function cleaned(t: Test, { world, lab }: Opened, order: GuestOrder): Promise<void> {
  t.same(await order.disposals.run(hurried(200_000)), [], 'clean-up says that nothing stayed');
  t.same(world.left(), [], 'the pool agrees');
  t.same(await lab.claimed(order.runId, within(5_000)), [], 'a listing by claim agrees');
}

t.test('a whole life', async (t) => {
  const opened = await open(t);
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
  t.same(await guest.address(within(5_000)), { host: '127.83.17.1', port: 2222, source: 'slot', others: [] });
  t.match(await guest.console(), { source: 'serial', text: /^serial of bootwitness case 1/ });
  const events = world.journal.map(({ event, what }) => `${event} ${what}`);
  t.same(events.slice(0, 5), ['intent slot', 'intent VDI', 'note VDI', 'intent VM', 'note VM'], 'intent before deed');
  await cleaned(t, opened, order);
});

t.test('a guest that powers itself off', async (t) => {
  const opened = await open(t);
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
  const opened = await open(t);
  const { world, lab } = opened;
  const order = world.order();
  const guest = await lab.provision(order);
  await guest.start(within(5_000));
  world.endpoint.world.view.hideFor(300);
  while (guest.death() === null) await new Promise(setImmediate);
  t.match(guest.death(), { kind: 'lab-lost', seen: /neither VM .* nor its pool/ });
  t.equal(await codeOf(guest.address(within(1_000))), 'VM_LOST');
  t.equal(
    await codeOf(lab.claimed('run-1', within(50))),
    'XO_OBJECT_LATE',
    'an empty list of a lost pool proves nothing',
  );
  t.same((await lab.claimed('run-1', within(5_000))).length, 2, 'the listing waits for the pool');
  t.equal(guest.death(), null, 'and the guest was never dead');
  t.same(await order.disposals.run(within(10_000)), []);
  while (guest.death() === null) await new Promise(setImmediate);
  t.match(guest.death(), { kind: 'vanished' });
});

t.test('clean-up waits for a pool that XO has lost', async (t) => {
  const opened = await open(t);
  const order = opened.world.order();
  const guest = await opened.lab.provision(order);
  opened.world.mishaps.set('vanish-pool', '0.3');
  t.match(await codeOf(guest.start(within(5_000))), /nothing thrown/, 'start waits for the object, too');
  await cleaned(t, opened, order);
});

t.test('upload', async (t) => {
  await t.test('cut in the middle', async (t) => {
    const opened = await open(t);
    opened.world.mishaps.set('upload-cut', '0.5');
    const order = opened.world.order({ deadline: hurried(200_000) });
    t.equal(await codeOf(opened.lab.provision(order)), 'UPLOAD_INTERRUPTED');
    const retries = opened.world.journal.filter(({ what }) => what === 'retry');
    t.equal(retries.length, 2, 'it was tried again, from the start');
    await cleaned(t, opened, order);
  });
  await t.test('cut once', async (t) => {
    const opened = await open(t);
    opened.world.mishaps.set('upload-cut', '0.5');
    let cuts = 0;
    const order = opened.world.order({
      deadline: hurried(200_000),
      onUpload: () => {
        if (++cuts === 3) opened.world.mishaps.clear('upload-cut');
      },
    });
    t.equal(await codeOf(opened.lab.provision(order)), 'nothing thrown', 'the second try passes');
    await cleaned(t, opened, order);
  });
  await t.test('refused: the error of the pool is quoted', async (t) => {
    for (const [mishap, says] of [
      ['sr-full', /SR_BACKEND_FAILURE_44.*insufficient space/],
      ['transfer-fails', /VDI_IO_ERROR/],
    ] as const) {
      const opened = await open(t);
      opened.world.mishaps.set(mishap);
      const order = opened.world.order();
      await t.rejects(opened.lab.provision(order), { code: 'UPLOAD_REFUSED', message: says });
      await cleaned(t, opened, order);
    }
  });
  await t.test('a disk that is not what was sent', async (t) => {
    const opened = await open(t);
    const { world, lab } = opened;
    const order = world.order({ image: { ...world.image, sha256: '0'.repeat(64) } });
    await t.rejects(lab.provision(order), { code: 'READ_BACK_DIFFERS', message: /expected sha256 0000/ });
    await cleaned(t, opened, order);
  });
});

t.test('start', async (t) => {
  for (const [mishap, value, code] of [
    ['no-memory', undefined, 'NO_HOST_AVAILABLE'],
    ['start-fails', 'SR_BACKEND_FAILURE_46', 'VM_START_REFUSED'],
    ['start-fails', 'HOST_OFFLINE', 'VM_START_REFUSED'],
    ['stall', 'vm.start', 'XO_CALL_TIMEOUT'],
    ['drop-session-after', 'vm.start', 'XO_SESSION_LOST'],
  ] as const) {
    const opened = await open(t);
    const order = opened.world.order();
    const guest = await opened.lab.provision(order);
    opened.world.mishaps.set(mishap, value);
    t.equal(await codeOf(guest.start(within(300))), code, `${mishap}=${value}`);
    await cleaned(t, opened, order);
  }
});

t.test('a create call without an answer is found by its claim', async (t) => {
  for (const mishap of ['drop-session-after', 'stall'] as const) {
    const opened = await open(t);
    opened.world.mishaps.set(mishap, 'vm.create');
    const order = opened.world.order({ deadline: within(mishap === 'stall' ? 700 : 5_000) });
    const code = await codeOf(opened.lab.provision(order));
    t.equal(code, mishap === 'stall' ? 'XO_CALL_TIMEOUT' : 'XO_SESSION_LOST');
    if (mishap === 'drop-session-after') {
      await cleaned(t, opened, order);
      continue;
    }
    // Nothing answers, nothing was made: clean-up waits for the reply as long as its own budget allows.
    t.same(await order.disposals.run(hurried(200_000)), []);
    t.same(opened.world.left(), []);
  }
});

t.test('objects that come late are waited for', async (t) => {
  const opened = await open(t);
  opened.world.mishaps.set('late-objects', '0.3');
  const order = opened.world.order();
  const guest = await opened.lab.provision(order);
  await guest.start(within(5_000));
  t.equal(guest.death(), null);
  await cleaned(t, opened, order);
  opened.world.mishaps.set('late-objects', '30');
  const late = opened.world.order({ deadline: within(1_000) });
  await t.rejects(opened.lab.provision(late), { code: 'XO_OBJECT_LATE', message: /last seen: not listed/ });
});

t.test('vm.delete that keeps the disk', async (t) => {
  const opened = await open(t);
  opened.world.mishaps.set('keep-disk');
  const order = opened.world.order();
  await opened.lab.provision(order);
  await cleaned(t, opened, order);
});

t.test('what stays is named', async (t) => {
  const opened = await open(t);
  const order = opened.world.order();
  const guest = await opened.lab.provision(order);
  const vm = opened.world.endpoint.world.inventory.vms.get(guest.uuid);
  if (vm) vm.blockedOperations.destroy = 'somebody wants to keep it';
  const stayed = await order.disposals.run(within(5_000));
  t.match(stayed[0], new RegExp(`^VM ${guest.uuid} bootwitness case 1: vm.delete: forbidden operation`));
  t.match(await opened.lab.claimed('run-1', within(5_000)), [`VM ${guest.uuid} bootwitness case 1`]);
});

t.test('slots', async (t) => {
  const opened = await open(t);
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
  const opened = await open(t, { slots: [], serialPath: null });
  const order = opened.world.order({ readBack: false });
  const guest = await opened.lab.provision(order);
  t.match(guest.macs[0], /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/);
  t.equal(guest.imported.readBack, false);
  await guest.start(within(5_000));
  await t.rejects(guest.address(within(100)), { code: 'ADDRESS_UNKNOWN', message: /reports no address/ });
  t.equal(await guest.console(), undefined);
  await cleaned(t, opened, order);
});

t.test('image and control of one case are taken back apart', async (t) => {
  const slots = ['01', '02'].map((end) => ({ mac: `02:00:00:00:aa:${end}`, address: `127.83.17.${Number(end)}` }));
  const opened = await open(t, { slots });
  const [image, control] = [opened.world.order(), opened.world.order({ purpose: 'control' })];
  const guest = await opened.lab.provision(image);
  await opened.lab.provision(control);
  t.same(await control.disposals.run(within(5_000)), []);
  t.same(opened.world.left().slice(0, 2), ['VM bootwitness case 1', 'VDI bootwitness case 1']);
  await guest.start(within(5_000));
  await cleaned(t, opened, image);
});

t.test('an interrupt ends a wait with its own reason', async (t) => {
  const opened = await open(t, { slots: [] });
  const order = opened.world.order();
  const guest = await opened.lab.provision(order);
  await guest.start(within(5_000));
  const interrupt = new AbortController();
  const waiting = codeOf(guest.address(within(60_000, interrupt.signal)));
  interrupt.abort(new Fault('INTERRUPTED', 'SIGINT'));
  t.equal(await waiting, 'INTERRUPTED');
  await cleaned(t, opened, order);
});
