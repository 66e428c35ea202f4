/** What goes from the image cache when it is full, and when chains grow. */
import t from 'tap';
import { markTag } from '../../../harness/xcpng/cache/entry-tags.ts';
import { type CacheLab, once, openCacheLab } from './cache-lab.ts';
import { anotherImage, within } from './test-lab.ts';

const inventoryOf = ({ world }: CacheLab) => world.endpoint.world.inventory;

t.test('what was not used for longest goes; never what is being cloned', async (t) => {
  // A new entry counts with its two blocks of 2 MiB, one that is there with the 128 KiB that this SR allots to it.
  const opened = await openCacheLab(t, { bytesMax: 2 * 2 ** 21 * 1.002 + 200_000 });
  const { world } = opened;
  const images = [world.image, await anotherImage(world.image, 1), await anotherImage(world.image, 2)] as const;
  for (const [index, image] of images.slice(0, 2).entries()) {
    t.equal((await once(t, opened, { image, runId: `run-${index}` })).cache, 'made');
  }
  await opened.settled();
  t.equal((await once(t, opened, { image: images[0], runId: 'again' })).cache, 'hit', 'now the second is older');
  await opened.settled();
  const old = opened.entries().find(({ digest }) => digest === images[1].sha256);
  const mark = markTag('using', 'run-alive', Date.now() + 60_000);
  inventoryOf(opened).vm(String(old?.id)).tags.push(mark);
  inventoryOf(opened).touch();
  await opened.settled();
  const told: string[] = [];
  const onNote = (line: string): void => void told.push(line);
  t.equal((await once(t, opened, { image: images[2], runId: 'run-3', onNote })).cache, 'made');
  t.match(told, [new RegExp(`${images[0].sha256.slice(0, 12)}\\) was removed`)], 'the other one is being cloned');
  await opened.settled();
  t.same(new Set(opened.entries().map(({ digest }) => digest)), new Set([images[1].sha256, images[2].sha256]));
  t.match(opened.entries(), [{ leaving: [] }, { leaving: [] }]);
});

t.test('an image that failed stays for whoever looks, until its time is over', async (t) => {
  const bytesMax = 2 * 2 ** 21 * 1.002 + 200_000;
  for (const [keepFailedMs, stays] of [
    [60_000, true],
    [0, false],
    [1, false],
  ] as const) {
    const opened = await openCacheLab(t, { bytesMax, keepFailedMs });
    const { world } = opened;
    const images = [world.image, await anotherImage(world.image, 1), await anotherImage(world.image, 2)] as const;
    for (const [index, image] of images.slice(0, 2).entries()) {
      await once(t, opened, { image, runId: `run-${index}` });
      await opened.settled();
    }
    for (const run of ['run-0', 'run-again']) {
      await opened.lab.keepFailed(run, images[0], within(5_000));
      await opened.settled();
    }
    const marks = opened.entries().flatMap(({ failed }) => failed.map(({ run }) => run));
    t.same(marks, keepFailedMs === 0 ? [] : ['run-again'], 'the newest alone');
    t.equal((await once(t, opened, { image: images[2], runId: 'run-3' })).cache, 'made');
    await opened.settled();
    const gone = stays ? images[1] : images[0];
    t.notOk(
      opened.entries().some(({ digest }) => digest === gone.sha256),
      `${keepFailedMs} ms`,
    );
    t.equal(opened.entries().length, 2);
  }
});

t.test('an image that the cache cannot hold is sent as without one', async (t) => {
  const opened = await openCacheLab(t, { bytesMax: 2 ** 20 });
  const told: string[] = [];
  const imported = await once(t, opened, { onNote: (line) => told.push(line) });
  t.match(imported, { cache: 'miss', entry: null, path: 'rest-post-vdis' });
  t.match(told, [/cache: not used: the image takes 0\.00 GiB, and cache\.gib allows 0\.00 GiB/]);
  t.same(opened.world.left(), []);
});

t.test('a chain that nears its limit: the entry is renewed, nothing fails', async (t) => {
  for (const [limit, says] of [
    ['chain_max', /chain has 3 disks, and 3 are allowed/],
    ['the SR', /the SR says that its copy-on-write chain is too long/],
  ] as const) {
    const opened = await openCacheLab(t, { chainMax: limit === 'chain_max' ? 3 : 20 });
    opened.world.mishaps.set('no-coalesce');
    if (limit === 'the SR') opened.world.mishaps.set('sr-chain-max', '3');
    const told: string[] = [];
    const ways: string[] = [];
    for (let run = 1; run <= 4; run++) {
      await opened.settled();
      ways.push((await once(t, opened, { runId: `run-${run}`, onNote: (line) => told.push(line) })).cache);
    }
    t.same(ways, ['made', 'hit', 'made', 'hit'], limit);
    t.match(told.join('\n'), says);
    await opened.settled();
    t.equal(opened.entries().length, limit === 'chain_max' ? 1 : 2);
  }
});
