/** A run that takes longer than its ticket lives: the place is held all the same. */
import t from 'tap';
import { openSession } from '../../../harness/xcpng/session.ts';
import { takeTicket } from '../../../harness/xcpng/ticket.ts';
import { minutesByHand } from './minutes-by-hand.ts';
import { openTestLab, within } from './test-lab.ts';

const lab = await openTestLab();
t.teardown(() => lab.close());
const { url, credential, tls } = lab.settings;
const one = await openSession({ url, credential, tls, deadline: within(5_000) });
t.teardown(() => one.close());
const { inventory } = lab.endpoint.world;
const poolId = inventory.pool.uuid;
const tags = () => inventory.poolTags;

t.test('it is held on when it is renewed', async (t) => {
  const { deadline, pass } = minutesByHand(50_000);
  const ways = { roomInMemory: () => true, onWait: () => undefined };
  const ticket = await takeTicket({
    session: one,
    poolId,
    runId: 'run-long',
    max: 1,
    settleMs: 100,
    ...ways,
    deadline,
  });
  const own = (): readonly string[] => tags().filter((tag) => tag.includes(';run-long;'));
  const [first = ''] = own();
  pass();
  await one.objects.waitFor(within(5_000), 'another ticket', 'XO_OBJECT_LATE', () =>
    own().includes(first) ? { seen: 'the first one' } : { done: true },
  );
  await one.objects.waitFor(within(5_000), 'the tags', 'XO_OBJECT_LATE', () =>
    String(one.objects.get('pool', poolId)?.tags) === String(tags()) ? { done: true } : { seen: 'older ones' },
  );
  t.equal(own().length, 1, 'renewed');
  await ticket.release(within(5_000));
  t.same(own(), []);
});
