/** Time and tickets: a place is held longer than a ticket lives, who waits keeps its turn, what the dead hold ends. */
import t from 'tap';
import { Deadline, systemClock } from '../../../harness/deadline.ts';
import { openXoLab } from '../../../harness/xcpng/lab.ts';
import { openSession, type Session } from '../../../harness/xcpng/session.ts';
import { takeTicket } from '../../../harness/xcpng/ticket.ts';
import { parseTicket, TICKET_GRACE_MS, ticketTag } from '../../../harness/xcpng/ticket-tag.ts';
import { minutesByHand } from './minutes-by-hand.ts';
import { openTestLab, within } from './test-lab.ts';

const lab = await openTestLab();
t.teardown(() => lab.close());
const { url, credential, tls } = lab.settings;

async function open(): Promise<Session> {
  const session = await openSession({ url, credential, tls, deadline: within(5_000) });
  t.teardown(() => session.close());
  return session;
}

const [one, two, three] = [await open(), await open(), await open()];
const { inventory } = lab.endpoint.world;
const poolId = inventory.pool.uuid;
const tags = () => inventory.poolTags;
const tagsOf = (run: string): readonly string[] => tags().filter((tag) => tag.includes(`;${run};`));

const take = (
  session: Session,
  runId: string,
  deadline: Deadline = within(30_000),
  onWait: () => void = () => undefined,
) =>
  takeTicket({
    ...{ session, poolId, runId, max: 1, settleMs: 100, deadline, onWait },
    roomInMemory: () => true,
  });

/** Until the pool has what is looked for, as one of the sessions sees it. */
const seen = (what: string, look: () => boolean) =>
  one.objects.waitFor(within(10_000), what, 'XO_OBJECT_LATE', () => {
    const shown = String(one.objects.get('pool', poolId)?.tags) === String(tags());
    return shown && look() ? { done: true } : { seen: String(tags()) };
  });

t.test('it is held on when it is renewed', async (t) => {
  const { deadline, pass } = minutesByHand(50_000);
  const ticket = await take(one, 'run-long', deadline);
  const [first = ''] = tagsOf('run-long');
  pass();
  await seen('another ticket', () => !tagsOf('run-long').includes(first));
  t.equal(tagsOf('run-long').length, 1, 'renewed');
  await ticket.release(within(5_000));
  t.same(tags(), []);
});

t.test('who waits for longer than a ticket lives renews it, and keeps its turn', async (t) => {
  let laterMs = 0;
  const clock = { ...systemClock, nowMs: () => systemClock.nowMs() + laterMs };
  const order: string[] = [];
  const ended: Promise<void>[] = [];
  const waiting = (session: Session, run: string): Promise<void> =>
    new Promise((waits) => {
      const deadline = Deadline.after(600_000, new AbortController().signal, clock);
      const taken = take(session, run, deadline, waits).then(async (ticket) => {
        order.push(run);
        await ticket.release(within(5_000));
      });
      ended.push(taken);
    });
  const holder = await take(one, 'run-holds');
  await waiting(two, 'run-first');
  await waiting(three, 'run-second');
  const before = tagsOf('run-first').map(parseTicket);
  laterMs = 61_000;
  // Any change makes those who wait look at their clocks.
  await one.call('tag.add', { id: poolId, tag: 'news' }, within(5_000));
  await seen(
    'a claim anew',
    () => tagsOf('run-first').length === 1 && parseTicket(tagsOf('run-first')[0] ?? '')?.tag !== before[0]?.tag,
  );
  const [renewed] = tagsOf('run-first').map(parseTicket);
  t.match(renewed, { state: 'claim', id: before[0]?.id, createdMs: before[0]?.createdMs });
  t.ok((renewed?.expiresMs ?? 0) > (before[0]?.expiresMs ?? 0));
  await one.call('tag.remove', { id: poolId, tag: 'news' }, within(5_000));
  await holder.release(within(5_000));
  await Promise.all(ended);
  t.same(order, ['run-first', 'run-second']);
  t.same(tags(), []);
});

t.test('what a dead run holds ends for whoever waits, though nothing on the pool changes', async (t) => {
  const endsMs = Date.now() + 2_000;
  const [createdMs, expiresMs] = [endsMs - 200_000, endsMs - TICKET_GRACE_MS];
  const dead = ticketTag({ state: 'held', id: 'd'.repeat(16), run: 'run-dead', createdMs, expiresMs }, 'some-host');
  await one.call('tag.add', { id: poolId, tag: dead }, within(5_000));
  await seen('it', () => tagsOf('run-dead').length === 1);
  const ticket = await take(two, 'run-two');
  t.ok(Date.now() >= endsMs - 1_000, "XO's clock is told to the second");
  t.same(tagsOf('run-dead'), [], 'and its tag is cleared');
  await ticket.release(within(5_000));
});

t.test(
  'memory as the lab counts it: of all hosts that could run the guest, less who has a place and no guest yet',
  async (t) => {
    const settings = { ...lab.settings, tickets: { max: 3, waitMs: 1_500 } };
    const [mine, theirs] = [await openXoLab(settings, within(5_000)), await openXoLab(settings, within(5_000))];
    t.teardown(() => Promise.all([mine.close(), theirs.close()]));
    const admit = (of: typeof mine, run: string) =>
      of.admit(run, 30_000, new AbortController().signal, () => undefined);
    const [first, second] = [await admit(mine, 'run-one'), await admit(theirs, 'run-two')];
    await second?.release(within(5_000));
    t.pass('4 GiB are room for two of 512 MiB');
    const free = async (mib: string) => {
      lab.mishaps.set('host-free', mib);
      inventory.touch();
      await lab.endpoint.world.view.polled();
    };
    await free('900');
    await t.rejects(admit(theirs, 'run-two'), {
      code: 'NO_FREE_TICKET',
      message: /no host has memory for one more beside run run-one on/,
    });
    await free('1100');
    const third = await admit(theirs, 'run-two');
    await third?.release(within(5_000));
    await first?.release(within(5_000));
    t.same(tags(), []);
  },
);
