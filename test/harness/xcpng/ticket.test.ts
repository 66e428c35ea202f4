/** Runs share a pool: never more than allowed, first come first served, and what the dead hold ends by itself. */
import { randomUUID } from 'node:crypto';
import t from 'tap';
import { Fault } from '../../../harness/faults/faults.ts';
import { openSession, type Session } from '../../../harness/xcpng/session.ts';
import { sweep } from '../../../harness/xcpng/sweep.ts';
import { type Ticket, takeTicket } from '../../../harness/xcpng/ticket.ts';
import {
  bornAfter,
  crowdBefore,
  crowded,
  describeCrowd,
  parseTicket,
  ticketTag,
} from '../../../harness/xcpng/ticket-tag.ts';
import { openTestLab, within } from './test-lab.ts';

const lab = await openTestLab();
t.teardown(() => lab.close());

async function open(): Promise<Session> {
  const { url, credential, tls } = lab.settings;
  const session = await openSession({ url, credential, tls, deadline: within(5_000) });
  t.teardown(() => session.close());
  return session;
}

const [one, two, three] = [await open(), await open(), await open()];
const { inventory } = lab.endpoint.world;
const poolId = inventory.pool.uuid;
const tags = () => inventory.poolTags;
const add = (tag: string) => one.call('tag.add', { id: poolId, tag }, within(5_000));
const remove = (tag: string) => one.call('tag.remove', { id: poolId, tag }, within(5_000));

interface Wish {
  readonly max?: number;
  readonly waitMs?: number;
  readonly signal?: AbortSignal;
  readonly roomInMemory?: (pending: number) => boolean;
  readonly onWait?: (crowd: string) => void;
}

const take = (session: Session, runId: string, wish: Wish = {}): Promise<Ticket> =>
  takeTicket({
    ...{ session, poolId, runId, max: 1, settleMs: 100, roomInMemory: () => true, onWait: () => undefined, ...wish },
    deadline: within(wish.waitMs ?? 30_000, wish.signal),
  });

const stamp = (ms: number): string => new Date(Date.now() + ms).toISOString();
const tagOf = (
  state: string,
  run: string,
  { created = -1_000, expires = 60_000, id = '00000000deadbeef' } = {},
): string => `bootwitness:ticket=${state};${id};${stamp(created)};${stamp(expires)};${run};some-host`;

/** Until all sessions see of the pool's tags what the pool has. */
const seen = () =>
  Promise.all(
    [one, two, three].map((session) =>
      session.objects.waitFor(within(5_000), 'the tags', 'XO_OBJECT_LATE', () =>
        String(session.objects.get('pool', poolId)?.tags) === String(tags()) ? { done: true } : { seen: 'older ones' },
      ),
    ),
  );

t.test('never more than allowed, whatever the moment; nothing stays', async (t) => {
  for (let round = 0; round < 6; round++) {
    const max = 1 + (round % 2);
    let [now, most] = [0, 0];
    const run = async (session: Session, nth: number): Promise<void> => {
      // Now and then one is a little later: anywhere within the time that notifications take to settle.
      await new Promise((resolve) => setTimeout(resolve, ((round * 7 + nth * 3) % 4) * 40));
      const ticket = await take(session, `run-${nth}`, { max });
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 20));
      now--;
      await ticket.release(within(5_000));
    };
    await Promise.all([one, two, three, one, two].map(run));
    t.ok(most <= max, `round ${round}: ${most} of ${max} at a time`);
    t.same(tags(), []);
  }
});

t.test('first come, first served', async (t) => {
  const holder = await take(one, 'run-0');
  const order: string[] = [];
  const waiting = async (session: Session, run: string): Promise<void> => {
    const ticket = await take(session, run);
    order.push(run);
    await ticket.release(within(5_000));
  };
  const first = waiting(two, 'run-1');
  await three.objects.waitFor(within(5_000), 'the claim', 'XO_OBJECT_LATE', () =>
    three.objects.get('pool', poolId)?.tags.some((tag) => tag.includes('run-1')) ? { done: true } : { seen: 'none' },
  );
  const second = waiting(three, 'run-2');
  await three.objects.waitFor(within(5_000), 'the claim', 'XO_OBJECT_LATE', () =>
    three.objects.get('pool', poolId)?.tags.some((tag) => tag.includes('run-2')) ? { done: true } : { seen: 'none' },
  );
  await holder.release(within(5_000));
  await Promise.all([first, second]);
  t.same(order, ['run-1', 'run-2']);
});

t.test('who waits in vain is told for whom, and leaves nothing', async (t) => {
  const holder = await take(one, 'run-one');
  const told: string[] = [];
  const refused = take(two, 'run-two', { waitMs: 1_000, onWait: (who) => told.push(who) });
  await t.rejects(refused, {
    code: 'NO_FREE_TICKET',
    message: /not its turn within 1 s; 1 of 1 guests: run run-one on /,
  });
  t.equal(told.length, 1);
  t.match(told[0], /^1 of 1 guests: run run-one on .*, until 20/);
  t.equal(tags().length, 1, 'but for the holder’s');
  const stop = new AbortController();
  const interrupted = take(two, 'run-two', { signal: stop.signal });
  setTimeout(() => stop.abort(new Fault('INTERRUPTED', 'stopped')), 300);
  await t.rejects(interrupted, { code: 'INTERRUPTED' });
  await holder.release(within(5_000));
  t.same(tags(), []);
});

t.test("what a dead run holds counts until it expires by XO's clock, and is cleared by the next", async (t) => {
  const alive = tagOf('held', 'run-dead');
  await add(alive);
  await seen();
  await t.rejects(take(two, 'run-two', { waitMs: 400 }), {
    code: 'NO_FREE_TICKET',
    message: /run run-dead on some-host/,
  });
  await remove(alive);
  const foreign = 'bootwitness:ticket=what somebody typed';
  for (const tag of [
    tagOf('held', 'run-dead', { expires: -60_000 }),
    tagOf('claim', 'run-dead', { expires: -60_000 }),
    foreign,
  ]) {
    await add(tag);
  }
  await seen();
  const ticket = await take(two, 'run-two');
  await ticket.release(within(5_000));
  t.same(tags(), [foreign], 'only what is ours and has expired');
  await remove(foreign);
});

t.test('a guest without a ticket takes a place, too, while it is on', async (t) => {
  const [template] = one.objects.all('VM-template').filter(({ name }) => name === 'Other install media');
  const vm = String(
    await one.call(
      'vm.create',
      {
        ...{ name_label: 'of a dead run', template: template?.id ?? '', VDIs: [], VIFs: [] },
        tags: ['bootwitness', 'bootwitness:run=run-killed'],
      },
      within(5_000),
    ),
  );
  await (await take(two, 'run-two')).release(within(5_000)); // halted: it takes nothing
  await one.call('vm.start', { id: vm }, within(5_000));
  await Promise.all(
    [one, two].map((session) =>
      session.objects.waitFor(within(5_000), 'the VM', 'XO_OBJECT_LATE', () =>
        session.objects.get('VM', vm)?.powerState === 'Running' ? { done: true } : { seen: 'not on' },
      ),
    ),
  );
  const refused = take(two, 'run-two', { waitMs: 400 });
  await t.rejects(refused, { code: 'NO_FREE_TICKET', message: /guest of a dead run \(.*\) without a ticket/ });
  await (await take(two, 'run-killed')).release(within(5_000)); // its own does not stand in its way
  await (await take(two, 'run-two', { max: 2 })).release(within(5_000));
  await one.call('vm.delete', { id: vm }, within(5_000));
});

t.test('memory is waited for while others have some of it', async (t) => {
  const alone = await take(one, 'run-one', { max: 3, roomInMemory: () => false });
  t.pass('who is alone is told by the pool itself');
  const asked: number[] = [];
  const short = take(two, 'run-two', { max: 3, waitMs: 400, roomInMemory: (pending) => asked.push(pending) < 0 });
  await t.rejects(short, { code: 'NO_FREE_TICKET', message: /no host has memory for one more beside run run-one on/ });
  t.same([...new Set(asked)], [1], 'run-one has a place and no guest yet');
  await alone.release(within(5_000));
});

t.test('a sweep takes the tickets of dead runs, and of nobody else', async (t) => {
  const [dead, other] = [randomUUID(), randomUUID()];
  const [own, others] = [tagOf('held', dead), tagOf('held', other, { id: '1111111111111111' })];
  await add(own);
  await add(others);
  await seen();
  const wish = {
    dead: [{ runId: dead, made: new Set<string>(), guests: new Map<string, string>() }],
    only: null,
    dryRun: false,
    takesKept: false,
  };
  const { removed, stayed } = await sweep(one, wish, within(10_000));
  t.same(
    removed.map(({ type, tag }) => [type, tag]),
    [['ticket', own]],
  );
  t.same([stayed, tags()], [[], [others]]);
  await remove(others);
});

t.test('tags, read and written', async (t) => {
  const ticket = { state: 'held', id: '0123456789abcdef', createdMs: 1_000, expiresMs: 2_000, run: 'r' } as const;
  const tag = ticketTag(ticket, 'a host;x');
  t.notMatch(tag, / /, 'tags stand in descriptions, too');
  t.match(parseTicket(tag), { ...ticket, tag, holder: 'run r on a_host_x, until 1970-01-01T00:00:02.000Z' });
  for (const broken of ['', 'bootwitness:ticket=', tag.replace('held', 'has'), tag.replace('1970', 'then')]) {
    t.equal(parseTicket(broken), null, broken);
  }
});

t.test('a ticket comes after all that it sees, whatever its clock says', async (t) => {
  const at = (createdMs: number) =>
    ticketTag({ state: 'claim', id: '1'.repeat(16), createdMs, expiresMs: 0, run: 'r' }, 'h');
  t.equal(bornAfter([], 5_000), 5_000);
  t.equal(bornAfter([at(4_000), 'precious'], 5_000), 5_000);
  t.equal(bornAfter([at(5_900), at(5_000)], 5_000), 5_901);
});

t.test('who is before whom', async (t) => {
  const own = { id: '5555555555555555', createdMs: 5_000, run: 'own' };
  const at = (state: 'claim' | 'held', run: string, createdMs: number, digit: string, expiresMs = 90_000) =>
    ticketTag({ state, id: digit.repeat(16), createdMs, expiresMs, run }, 'h');
  const crowd = (list: readonly string[], guests: Parameters<typeof crowdBefore>[1] = []) =>
    crowdBefore(list, guests, own, 10_000);
  t.equal(crowded(crowd([at('claim', 'a', 4_000, '9')])), 1, 'earlier');
  t.equal(crowded(crowd([at('claim', 'a', 6_000, '1')])), 0, 'later');
  t.equal(crowded(crowd([at('claim', 'a', 5_000, '4'), at('claim', 'b', 5_000, '6')])), 1, 'at once: the lower number');
  t.equal(crowded(crowd([at('held', 'a', 9_000, '9')])), 1, 'who holds has won, whenever it came');
  t.equal(crowded(crowd([at('claim', 'a', 4_000, '9'), at('held', 'a', 4_000, '9')])), 1, 'one ticket twice is one');
  t.equal(crowded(crowd([at('held', 'a', 4_000, '9', -21_000)])), 0, 'expired, beyond the grace');
  t.equal(crowded(crowd([at('held', 'a', 4_000, '9', -19_000)])), 1, 'within it');
  t.equal(crowded(crowd([at('held', 'a', 4_000, '9', 3_600_000)])), 1, 'a version that renews less often');
  t.equal(crowded(crowd([at('held', 'a', 4_000, '9', 4_000_000)])), 0, 'no ticket is written for so long');
  const guests = [
    { run: 'a', shown: 'x' },
    { run: 'own', shown: 'y' },
    { run: null, shown: 'z' },
  ];
  const both = crowd([at('held', 'a', 1_000, '9')], guests);
  t.equal(crowded(both), 2, 'a guest of a holder counts once, ours never');
  t.equal(describeCrowd(both), 'run a on h, until 1970-01-01T00:01:30.000Z; guest z without a ticket');
  t.equal(describeCrowd(crowd([])), 'nobody');
});
