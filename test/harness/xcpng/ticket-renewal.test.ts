/** A run that takes longer than its ticket lives: the place is held all the same. */
import t from 'tap';
import { type Clock, Deadline, systemClock } from '../../../harness/deadline.ts';
import { openSession } from '../../../harness/xcpng/session.ts';
import { takeTicket } from '../../../harness/xcpng/ticket.ts';
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
  let renew = (): void => undefined;
  // A minute passes when we say so.
  const sleep: Clock['sleep'] = (ms, signal) => {
    if (ms < 60_000) return systemClock.sleep(ms, signal);
    return new Promise((resolve) => {
      renew = resolve;
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve());
    });
  };
  const deadline = Deadline.after(50_000, new AbortController().signal, { ...systemClock, sleep });
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
  renew();
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
