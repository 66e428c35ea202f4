/** The image cache among other runs: who makes an entry, who waits, what goes, and what a copy never is. */
import t from 'tap';
import { markTag } from '../../../harness/xcpng/cache/entry-tags.ts';
import { runTag, selfTag } from '../../../harness/xcpng/claims.ts';
import { type CacheLab, guestOf, once, openCacheLab } from './cache-lab.ts';
import { anotherImage, hastened, hurried, within } from './test-lab.ts';

const inventoryOf = ({ world }: CacheLab) => world.endpoint.world.inventory;
/** The next tag on an entry is never written, from the moment on when it is a template: that is its ready mark. */
function stallReadyMark(opened: CacheLab): void {
  const { mishaps } = opened.world;
  inventoryOf(opened).onChange(() => {
    const made = [...inventoryOf(opened).vms.values()].some(
      ({ kind, tags }) => kind === 'template' && tags.some((tag) => tag.includes(':cache=')) && !isReady(tags),
    );
    if (made && !mishaps.has('stall') && !over.has(opened)) mishaps.set('stall', 'tag.add');
  });
}
const isReady = (tags: readonly string[]): boolean => tags.some((tag) => tag.includes(':ready='));
const over = new Set<CacheLab>();
const goOn = (opened: CacheLab): void => {
  over.add(opened);
  opened.world.mishaps.clear('stall');
};

const kinds = ({ world }: CacheLab): readonly string[] => world.left().map((each) => each.split(' ', 3).join(' '));

t.test('two that start at once send once', async (t) => {
  const opened = await openCacheLab(t, {}, { slots: [] });
  const other = await opened.another();
  const both = await Promise.all([
    guestOf(opened, opened.lab, { runId: 'run-a' }),
    guestOf(opened, other, { runId: 'run-b' }),
  ]);
  t.same(both.map(({ guest }) => guest.imported.cache).sort(), ['hit', 'made']);
  t.equal(opened.world.uploads.length, 1, 'one upload');
  for (const { order } of both) t.same(await order.disposals.run(hurried(200_000)), []);
  await opened.settled();
  t.match(opened.entries(), [{ state: 'ready', using: [], chain: { length: 1 } }]);
  t.equal(opened.entries().length, 1);
});

t.test('an entry in the making is awaited; a maker without a sign of life is not', async (t) => {
  const opened = await openCacheLab(t);
  const { world } = opened;
  // A maker that stops after its VM: its upload is never answered.
  world.mishaps.set('stall', 'vm.convertToTemplate');
  const stop = new AbortController();
  const maker = world.order({ runId: 'run-dead', deadline: within(60_000, stop.signal) });
  const making = opened.lab.provision(maker).catch((error: unknown) => error);
  while (world.uploads.length === 0) await opened.settled();
  stop.abort(new Error('killed'));
  await making;
  world.mishaps.clear('stall');
  await opened.settled();
  t.match(opened.entries(), [{ state: 'making', maker: 'run-dead', namesItself: true }]);
  const told: string[] = [];
  const other = await opened.another();
  const deadline = hastened(60, 60 * 200_000);
  const next = world.order({ runId: 'run-2', deadline, onNote: (line) => told.push(line) });
  const guest = await other.provision(next);
  t.equal(guest.imported.cache, 'made', 'it makes its own');
  t.match(told.join('\n'), /run run-dead is sending the same image; waiting[\s\S]*run run-dead does not get on/);
  t.match(
    opened
      .entries()
      .map(({ state }) => state)
      .sort(),
    ['making', 'ready'],
  );
  t.same(await next.disposals.run(hurried(200_000)), []);
  t.same(await maker.disposals.run(hurried(200_000)), [], "the maker's own clean-up takes what it left");
  await opened.settled();
  t.match(opened.entries(), [{ state: 'ready', maker: 'run-2' }]);
});

t.test('an interrupt while an entry is made leaves nothing', async (t) => {
  for (const point of ['disk.import', 'vm.attachDisk', 'vm.convertToTemplate', 'vdi.set', 'the ready mark']) {
    const opened = await openCacheLab(t);
    const { world } = opened;
    if (point === 'disk.import') world.mishaps.set('no-rest');
    if (point === 'the ready mark') stallReadyMark(opened);
    else world.mishaps.set('stall', point);
    const stop = new AbortController();
    const order = world.order({ deadline: within(60_000, stop.signal) });
    const provisioning = opened.lab.provision(order).catch((error: unknown) => error);
    while (!opened.entries().some(({ namesItself }) => namesItself)) await opened.settled();
    for (let polls = 0; polls < 5; polls++) await opened.settled();
    stop.abort(new Error('interrupted'));
    t.match(await provisioning, { message: 'interrupted' });
    goOn(opened);
    t.same(await order.disposals.run(hurried(200_000)), [], point);
    t.same(world.left(), [], `${point}: the pool agrees`);
    t.same(await opened.lab.claimed(order.runId, within(5_000)), []);
  }
});

t.test('what stays of an unfinished entry is a leak; a finished one is none', async (t) => {
  const opened = await openCacheLab(t);
  await once(t, opened, { runId: 'run-a' });
  t.same(await opened.lab.claimed('run-a', within(5_000)), []);
  await opened.settled();
  const vm = inventoryOf(opened).vm(String(opened.entries()[0]?.id));
  vm.tags = vm.tags.filter((tag) => !tag.includes(':ready='));
  inventoryOf(opened).touch();
  await opened.settled();
  t.match(await opened.lab.claimed('run-a', within(5_000)), [/^VM-template .* bootwitness cache/, /^VDI /]);
});

t.test('a clone in the making has its tags, and is never taken for it', async (t) => {
  const opened = await openCacheLab(t);
  await once(t, opened);
  await opened.settled();
  const [entry] = opened.entries();
  opened.world.mishaps.set('late-objects', '1');
  const cloning = guestOf(opened, opened.lab, { runId: 'run-2' });
  const vms = inventoryOf(opened).vms;
  let seen = 0;
  const stop = new AbortController();
  void cloning.finally(() => stop.abort());
  while (!stop.signal.aborted) {
    const copies = [...vms.values()].filter(
      ({ uuid, tags }) => uuid !== entry?.id && tags.includes(selfTag(entry?.id ?? '')),
    );
    if (copies.length > 0) seen++;
    const templates = [...vms.values()].filter(({ kind }) => kind === 'template').map(({ uuid }) => uuid);
    for (const { id } of opened.entries()) t.ok(id === entry?.id, `${id} of ${templates.length} templates`);
    await opened.world.endpoint.world.view.polled();
  }
  const { guest, order } = await cloning;
  t.equal(guest.imported.cache, 'hit');
  t.ok(seen > 0, 'it was there to be mistaken');
  // The lag stays on: cleared in the middle, an older state would be shown after a newer one.
  t.same(await order.disposals.run(within(20_000)), []);
});

t.test("somebody's clone of the entry is no entry, and no left-over of ours", async (t) => {
  const opened = await openCacheLab(t);
  await once(t, opened);
  await opened.settled();
  const [entry] = opened.entries();
  const { endpoint } = opened.world;
  const { cloneVm } = await import('../../../lab/vm-parts.ts');
  const source = inventoryOf(opened).vm(String(entry?.id));
  const copy = await cloneVm(endpoint.world, source, { kind: 'template', nameLabel: 'theirs', snapshot: undefined });
  inventoryOf(opened).vms.get(source.uuid)?.tags.splice(0);
  inventoryOf(opened).touch();
  await opened.settled();
  t.same(opened.entries(), []);
  t.equal((await once(t, opened, { runId: 'run-2' })).cache, 'made');
  const dead = [{ runId: 'run-1', made: new Set([copy.uuid]), guests: new Map() }];
  const swept = await opened.lab.sweepDead(dead, within(30_000));
  t.same(swept.removed, []);
  t.match(
    swept.stayed,
    [/an unfinished entry of the cache; but VM .* has it/],
    "a disk of ours in somebody's template",
  );
  t.match(swept.left, [/a copy of a cache entry/, /a copy of a cache entry/]);
});

t.test('an entry that goes at the moment of its use: another one is made', async (t) => {
  const opened = await openCacheLab(t);
  await once(t, opened);
  await opened.settled();
  const { inventory, storage } = opened.world.endpoint.world;
  const id = String(opened.entries()[0]?.id);
  const { destroyVm } = await import('../../../lab/vm-parts.ts');
  const onNote = (): void => undefined;
  const order = opened.world.order({ runId: 'run-2', onNote, deadline: within(20_000) });
  const provisioning = opened.lab.provision(order);
  // The harness has read its objects; the books lose the template before the call comes.
  await destroyVm(opened.world.endpoint.world, inventory.vm(id), false);
  for (const vdi of [...inventory.vdis.values()]) await storage.destroy(vdi);
  t.equal((await provisioning).imported.cache, 'made');
  t.same(await order.disposals.run(hurried(200_000)), []);
});

t.test('sweep: what a maker that died left goes; ready entries and those in the making stay', async (t) => {
  const opened = await openCacheLab(t);
  const { world } = opened;
  await once(t, opened, { runId: 'run-1' });
  await opened.settled();
  stallReadyMark(opened);
  const stop = new AbortController();
  const image = await anotherImage(world.image, 1);
  const order = world.order({ runId: 'run-dead', image, deadline: within(60_000, stop.signal) });
  const making = opened.lab.provision(order).catch(() => undefined);
  while (!world.mishaps.has('stall')) await opened.settled();
  await opened.settled();
  stop.abort(new Error('killed'));
  await making;
  goOn(opened);
  const ready = opened.entries().find(({ state }) => state === 'ready');
  inventoryOf(opened)
    .vm(String(ready?.id))
    .tags.push(markTag('using', 'run-dead', Date.now() + 60_000));
  inventoryOf(opened).touch();
  await opened.settled();
  const of = (runId: string) => [{ runId, made: new Set<string>(), guests: new Map<string, string>() }];
  const alive = await opened.lab.sweepDead(of('run-other'), within(30_000));
  t.same(alive.removed, [], 'its maker may live');
  const swept = await opened.lab.sweepDead(of('run-dead'), within(30_000));
  t.match([...swept.removed].sort(), [
    /^VDI .*: of run run-dead: an unfinished entry of the cache/,
    /^VM .*: of run run-dead: an unfinished entry of the cache/,
    /^lock on VM/,
  ]);
  t.same(swept.stayed, []);
  await opened.settled();
  t.match(opened.entries(), [{ state: 'ready', using: [], maker: 'run-1' }]);
  t.equal(opened.entries().length, 1);
  t.match(
    await opened.lab.sweepDead(of('run-1'), within(30_000)),
    { removed: [], left: [] },
    'a ready one is nobody’s',
  );
  t.notMatch(kinds(opened).join(), runTag('run-1'));
});

t.test('a mark of the dead alone: it has gone from the listing, too, when the sweep says so', async (t) => {
  const opened = await openCacheLab(t);
  await once(t, opened, { runId: 'run-1' });
  await opened.settled();
  const [ready] = opened.entries();
  inventoryOf(opened)
    .vm(String(ready?.id))
    .tags.push(markTag('using', 'run-dead', Date.now() + 60_000));
  inventoryOf(opened).touch();
  await opened.settled();
  const dead = [{ runId: 'run-dead', made: new Set<string>(), guests: new Map<string, string>() }];
  const swept = await opened.lab.sweepDead(dead, within(30_000));
  t.match(swept, { removed: [/^lock on VM/], stayed: [] });
  t.match(opened.entries(), [{ state: 'ready', using: [] }]);
});
