/** An object that changes goes out of sight for a moment: what was to be removed then is removed after all. */
import t from 'tap';
import { Secret } from '../../../harness/secrets.ts';
import { claimDescription, makeClaim } from '../../../harness/xcpng/claims.ts';
import { openSession, type Session } from '../../../harness/xcpng/session.ts';
import { sweep } from '../../../harness/xcpng/sweep.ts';
import { openTestLab, within } from './test-lab.ts';

t.test('out of sight when it was its turn', async (t) => {
  const world = await openTestLab();
  const { url, tls } = world.settings;
  const credential = { token: new Secret(world.token) };
  const session = await openSession({ url, credential, tls, deadline: within(5_000) });
  t.teardown(async () => {
    await session.close();
    await world.close();
  });
  const claim = makeClaim({ runId: 'a', caseId: 'c', xoNowMs: Date.now(), ttlMs: -3_600_000 });
  const sr = session.objects.all('SR').find(({ contentType }) => contentType !== 'iso')?.id ?? '';
  const disk = { name: 'bootwitness phase9-xcpng-boot-1', size: 2 ** 20, sr };
  const id = String(await session.call('disk.create', disk, within(10_000)));
  await session.call('vdi.set', { id, name_description: claimDescription(claim, id) }, within(10_000));
  let listings = 0;
  const blinking = {
    ...{ endpoint: session.endpoint, objects: session.objects, lost: null },
    call: async (...asked: Parameters<Session['call']>) => {
      const answer = await session.call(...asked);
      if (asked[0] !== 'xo.getAllObjects' || ++listings !== 2) return answer;
      return Object.fromEntries(Object.entries(answer as object).filter(([key]) => key !== id));
    },
  } as unknown as Session;
  const wish = { dead: [], only: null, dryRun: false, takesKept: false };
  await session.objects.waitFor(within(20_000), 'the disk', 'XO_OBJECT_LATE', () =>
    session.objects.raw(id)?.name_description === claimDescription(claim, id) ? { done: true } : { seen: 'older' },
  );
  const { removed, stayed } = await sweep(blinking, wish, within(60_000));
  t.same([removed.map((each) => each.id), stayed], [[id], []]);
  t.notOk(world.endpoint.world.inventory.vdis.has(id), 'by the books');
  t.ok(listings > 2);
});
