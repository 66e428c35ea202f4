/** The image cache against the embedded lab's endpoint: what is sent when, what is used, what goes. */
import t from 'tap';
import { selfTag } from '../../../harness/xcpng/claims.ts';
import { openXoLab } from '../../../harness/xcpng/lab.ts';
import { CACHE, guestOf, once, openCacheLab } from './cache-lab.ts';
import { hurried, within } from './test-lab.ts';

t.test('the first run sends and keeps, the second sends nothing', async (t) => {
  const opened = await openCacheLab(t);
  const first = await once(t, opened);
  t.match(first, { path: 'rest-post-vdis', cache: 'made', readBack: true, onlyDisk: true });
  t.ok(first.bytes > 0);
  t.equal(opened.sent(), first.bytes);
  await opened.settled();
  const [entry, ...more] = opened.entries();
  t.same(more, []);
  t.match(entry, { state: 'ready', digest: opened.world.image.sha256, bytes: opened.world.image.sizeBytes });
  t.match(entry, { id: String(first.entry), namesItself: true, using: [], leaving: [], alive: '0' });
  t.same(opened.world.left(), [`VM bootwitness cache ${opened.world.image.sha256.slice(0, 12)}`, ...disks(opened)]);

  const { guest, order } = await guestOf(opened, opened.lab, { runId: 'run-2' });
  t.match(guest.imported, { path: 'cache-clone', bytes: 0, cache: 'hit', readBack: true, entry: entry?.id });
  t.ok(guest.onlyDisk);
  t.equal(opened.sent(), first.bytes, 'not a byte');
  const { inventory } = opened.world.endpoint.world;
  const [vbd] = inventory.vbdsOf(guest.uuid);
  const disk = inventory.vdi(vbd?.vdi ?? '');
  t.match(
    disk.nameDescription,
    /^bootwitness bootwitness:run=run-2 .*bootwitness:self=/,
    "the run's claim, not the entry's",
  );
  t.ok(disk.nameDescription.endsWith(selfTag(disk.uuid)));
  t.ok(disk.parent, 'a copy-on-write clone');
  t.notMatch(inventory.vm(guest.uuid).tags.join(), /cache=|ready=/);
  await guest.start(within(5_000));
  t.same(await order.disposals.run(hurried(200_000)), []);
  await opened.settled();
  t.match(opened.entries(), [{ state: 'ready', using: [], chain: { length: 1 } }]);
});

const disks = ({ world }: Awaited<ReturnType<typeof openCacheLab>>): readonly string[] =>
  world.left().filter((each) => /^(VDI|VBD)/.test(each));

t.test('a control image comes from the cache, too, of the same entry where it is the same image', async (t) => {
  const opened = await openCacheLab(t);
  t.equal((await once(t, opened)).cache, 'made');
  t.equal((await once(t, opened, { purpose: 'control' })).cache, 'hit');
  t.equal(opened.entries().length, 1);
});

t.test('off: nothing is kept', async (t) => {
  const opened = await openCacheLab(t);
  const lab = await openXoLab(opened.world.settings, within(5_000));
  t.teardown(() => lab.close());
  const imported = await once(t, { ...opened, lab });
  t.match(imported, { cache: 'off', entry: null });
  t.same(opened.world.left(), []);
});

t.test('--read-back always reads the clone, too', async (t) => {
  const opened = await openCacheLab(t);
  await once(t, opened);
  await opened.settled();
  const { inventory } = opened.world.endpoint.world;
  const [kept] = [...inventory.vdis.values()];
  // Somebody wrote to the disk of the entry: nothing that XO shows tells.
  const { writeFile } = await import('node:fs/promises');
  await writeFile(String(kept?.path), 'forged', { flag: 'r+' });
  t.match(await once(t, opened, { runId: 'run-2' }), { cache: 'hit' });
  const order = opened.world.order({ runId: 'run-3', readBackClone: true });
  await t.rejects(opened.lab.provision(order), { code: 'READ_BACK_DIFFERS' });
  t.same(await order.disposals.run(hurried(200_000)), []);
});

t.test('an entry that is not what it says is not used, and that is told', async (t) => {
  const breaks: readonly (readonly [RegExp, (opened: Awaited<ReturnType<typeof openCacheLab>>) => unknown])[] = [
    [/has \d+ bytes, not/, ({ world }) => Object.assign(first(world.endpoint.world.inventory.vdis), { size: 2 ** 24 })],
    [
      /does not say that it is the disk/,
      ({ world }) => Object.assign(first(world.endpoint.world.inventory.vdis), { nameDescription: 'x' }),
    ],
    [/its disks are none/, ({ world }) => world.endpoint.world.inventory.vbds.clear()],
  ];
  for (const [says, breakIt] of breaks) {
    const opened = await openCacheLab(t);
    await once(t, opened);
    breakIt(opened);
    opened.world.endpoint.world.inventory.touch();
    await opened.settled();
    t.match(opened.entries(), [{ state: 'broken' }]);
    const told: string[] = [];
    const again = await once(t, opened, { runId: 'run-2', onNote: (line) => told.push(line) });
    t.equal(again.cache, 'made', 'sent again');
    t.match(told.join('\n'), says);
  }
});

const first = <T>(map: ReadonlyMap<string, T>): T => {
  for (const value of map.values()) return value;
  throw new Error('empty');
};

t.test('another template, another entry: hardware settings come with it', async (t) => {
  const opened = await openCacheLab(t);
  await once(t, opened);
  const settings = { ...opened.world.settings, cache: CACHE, template: 'Embedded custom template' };
  const lab = await openXoLab(settings, within(5_000));
  t.teardown(() => lab.close());
  t.equal((await once(t, { ...opened, lab }, { runId: 'run-2' })).cache, 'made');
});

t.test('the SR of the cache is the SR of the guests', async (t) => {
  const { world } = await openCacheLab(t);
  const { sr } = world.endpoint.world.inventory;
  const same = await openXoLab({ ...world.settings, sr: sr.uuid, cache: CACHE }, within(5_000));
  await same.close();
  const nowhere = openXoLab({ ...world.settings, cache: { ...CACHE, sr: 'nowhere' } }, within(5_000));
  await t.rejects(nowhere, { code: 'BAD_PLACEMENT', message: /SR for disks named "nowhere"/ });
});
