/** What becomes of a guest when the lab misbehaves on the wire: the fault that is told, and that nothing stays. */
import t from 'tap';
import { Disposals } from '../../../harness/disposals.ts';
import { Fault } from '../../../harness/faults/faults.ts';
import { openXoLab } from '../../../harness/xcpng/lab.ts';
import { losingAnswers } from './listening.ts';
import { cleaned, codeOf, openLab } from './opened-lab.ts';
import { hurried, withholdReplies, within } from './test-lab.ts';

t.test('upload', async (t) => {
  await t.test('cut in the middle', async (t) => {
    const opened = await openLab(t);
    opened.world.mishaps.set('upload-cut', '0.5');
    const order = opened.world.order({ deadline: hurried(200_000) });
    t.equal(await codeOf(opened.lab.provision(order)), 'UPLOAD_INTERRUPTED');
    const retries = opened.world.journal.filter(({ what }) => what === 'retry');
    t.equal(retries.length, 2, 'it was tried again, from the start');
    await cleaned(t, opened, order);
  });
  await t.test('cut once', async (t) => {
    const opened = await openLab(t);
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
      const opened = await openLab(t);
      opened.world.mishaps.set(mishap);
      const order = opened.world.order();
      await t.rejects(opened.lab.provision(order), { code: 'UPLOAD_REFUSED', message: says });
      await cleaned(t, opened, order);
    }
  });
  await t.test('a disk that is not what was sent', async (t) => {
    const opened = await openLab(t);
    const { world, lab } = opened;
    const order = world.order({ image: { ...world.image, sha256: '0'.repeat(64) } });
    await t.rejects(lab.provision(order), { code: 'READ_BACK_DIFFERS', message: /expected sha256 0000/ });
    await cleaned(t, opened, order);
  });
});

t.test('upload, once more: other ways, other moments', async (t) => {
  await t.test('cut once, on the way of an older Xen Orchestra', async (t) => {
    const opened = await openLab(t);
    const { world } = opened;
    world.mishaps.set('no-rest-post');
    world.mishaps.set('upload-cut', '0.5:once');
    const totals: number[] = [];
    const order = world.order({
      deadline: hurried(200_000),
      onUpload: (done) => void totals.push(done),
    });
    const guest = await opened.lab.provision(order);
    t.match(guest.imported, { path: 'disk-import', readBack: true });
    t.ok(totals.indexOf(totals[0] ?? -1, 1) > 0, 'from the start again');
    t.equal(world.left().filter((each) => each.startsWith('VDI')).length, 1, 'of the broken one nothing stays');
    await cleaned(t, opened, order);
  });
  await t.test('taken whole, but the answer is lost: the first disk goes before the second comes', async (t) => {
    const opened = await openLab(t);
    const { world } = opened;
    const way = await losingAnswers(t, Number(new URL(world.endpoint.url).port), / 201 /, 1);
    const session = await openXoLab({ ...world.settings, url: way }, within(5_000));
    t.teardown(() => session.close());
    const order = world.order({ deadline: hurried(200_000) });
    const guest = await session.provision(order);
    t.equal(guest.imported.path, 'rest-post-vdis');
    const retries = world.journal.filter(({ what }) => what === 'retry');
    t.match(retries, [{ code: 'UPLOAD_INTERRUPTED' }]);
    t.equal(world.left().filter((each) => each.startsWith('VDI')).length, 1, world.left().join('; '));
    await cleaned(t, opened, order);
  });
});

t.test('start', async (t) => {
  for (const [mishap, value, code] of [
    ['no-memory', undefined, 'NO_HOST_AVAILABLE'],
    ['start-fails', 'SR_BACKEND_FAILURE_46', 'VM_START_REFUSED'],
    ['start-fails', 'HOST_OFFLINE', 'VM_START_REFUSED'],
    ['stall', 'vm.start', 'XO_CALL_TIMEOUT'],
    ['drop-session-after', 'vm.start', 'nothing thrown'],
  ] as const) {
    const opened = await openLab(t);
    const order = opened.world.order();
    const guest = await opened.lab.provision(order);
    opened.world.mishaps.set(mishap, value);
    t.equal(await codeOf(guest.start(within(mishap === 'stall' ? 300 : 5_000))), code, `${mishap}=${value}`);
    await cleaned(t, opened, order);
  }
});

t.test('a create call whose answer is lost or never comes', async (t) => {
  for (const mishap of ['drop-session-after', 'stall'] as const) {
    const opened = await openLab(t);
    opened.world.mishaps.set(mishap, 'vm.create');
    const order = opened.world.order({ deadline: within(mishap === 'stall' ? 700 : 5_000) });
    const code = await codeOf(opened.lab.provision(order));
    t.equal(code, mishap === 'stall' ? 'XO_CALL_TIMEOUT' : 'nothing thrown', 'what was made is found by its claim');
    if (mishap === 'drop-session-after') {
      await cleaned(t, opened, order);
      continue;
    }
    // Nothing answers, nothing was made: clean-up waits for the reply as long as its own budget allows.
    t.same(await order.disposals.run(hurried(200_000)), []);
    t.same(opened.world.left(), []);
  }
});

t.test('a VM whose creation timed out, and came all the same, is found by its claim', async (t) => {
  const opened = await openLab(t);
  const unanswered = withholdReplies('vm.create');
  t.teardown(unanswered);
  const order = opened.world.order({ deadline: within(1_500) });
  t.equal(await codeOf(opened.lab.provision(order)), 'XO_CALL_TIMEOUT');
  t.match(opened.world.left(), [/^VM bootwitness case 1$/, /^VIF/], 'it is there, and nobody told us its uuid');
  t.notOk(opened.world.journal.some(({ what, uuid }) => what === 'VM' && uuid !== undefined));
  await cleaned(t, opened, order);
});

t.test('made, but the run ends before XO lists it: waited for and taken back', async (t) => {
  const opened = await openLab(t);
  opened.world.mishaps.set('late-objects', '0.3');
  let full = false;
  const disposals = new Disposals(({ what, uuid }) => {
    full ||= what === 'VM' && uuid !== undefined;
    if (full) throw new Fault('OUTPUT_UNWRITABLE', 'no room for the journal');
  });
  const order = opened.world.order({ disposals });
  t.equal(await codeOf(opened.lab.provision(order)), 'OUTPUT_UNWRITABLE');
  await cleaned(t, opened, order);
});

t.test('deleted, but the reply was lost and XO lists it for a while: gone, not left behind', async (t) => {
  const opened = await openLab(t);
  const order = opened.world.order();
  await opened.lab.provision(order);
  opened.world.mishaps.set('late-objects', '1');
  opened.world.mishaps.set('drop-session-after', 'vm.delete:once');
  await cleaned(t, opened, order);
});

t.test('objects that come late are waited for', async (t) => {
  const opened = await openLab(t);
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

t.test('an interrupt while the VM is being started: deletion waits for the operation', async (t) => {
  const opened = await openLab(t);
  const { world, lab } = opened;
  const order = world.order();
  const guest = await lab.provision(order);
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const start = world.backend.start.bind(world.backend);
  world.backend.start = (vm) => released.then(() => start(vm));
  const interrupt = new AbortController();
  const starting = codeOf(guest.start(within(5_000, interrupt.signal)));
  const { inventory, view } = world.endpoint.world;
  while (inventory.vms.get(guest.uuid)?.operations.size === 0) await new Promise(setImmediate);
  interrupt.abort(new Fault('INTERRUPTED', 'SIGINT'));
  t.equal(await starting, 'INTERRUPTED');
  const cleaning = cleaned(t, opened, order);
  for (let polls = 0; polls < 5; polls++) await view.polled();
  release();
  await cleaning;
});
