/** Two runs and one VM: never both, whatever the moment; who holds it is told; a lock of the dead expires. */
import t from 'tap';
import { Fault } from '../../../harness/faults/faults.ts';
import { lockVm } from '../../../harness/xcpng/lock.ts';
import { openSession, type Session } from '../../../harness/xcpng/session.ts';
import { minutesByHand } from './minutes-by-hand.ts';
import { openTestLab, within } from './test-lab.ts';

const lab = await openTestLab();
t.teardown(() => lab.close());

async function open(): Promise<Session> {
  const { url, credential, tls } = lab.settings;
  const session = await openSession({ url, credential, tls, deadline: within(5_000) });
  t.teardown(() => session.close());
  return session;
}

const [one, two] = [await open(), await open()];
const [template] = one.objects.all('VM-template').filter(({ name }) => name === 'Other install media');
const made = await one.call(
  'vm.create',
  { name_label: 'one VM', template: template?.id ?? '', VDIs: [], VIFs: [], tags: ['precious'] },
  within(5_000),
);
const vmUuid = String(made);
for (const { objects } of [one, two]) {
  await objects.waitFor(within(5_000), 'the VM', 'XO_OBJECT_LATE', () =>
    objects.get('VM', vmUuid) ? { done: true } : { seen: 'not yet' },
  );
}

const take = (session: Session, runId: string, waitMs: number, dead: readonly string[] = []) =>
  lockVm({
    ...{ session, vmUuid, runId, waitMs, settleMs: 100, deadline: within(60_000), onWait: () => undefined },
    deadRuns: new Set(dead),
  });

/** Until `session` sees of the VM's tags what the pool has. */
const seenBy = (session: Session) =>
  session.objects.waitFor(within(5_000), 'the tags', 'XO_OBJECT_LATE', () =>
    String(session.objects.get('VM', vmUuid)?.tags) === String(tags()) ? { done: true } : { seen: 'older ones' },
  );

const tags = () => lab.endpoint.world.inventory.vms.get(vmUuid)?.tags ?? [];

t.test('at the same moment only one gets it, and the other is told who', async (t) => {
  const winners = new Set<number>();
  for (let round = 0; round < 12; round++) {
    // Now and then one is a little later: anywhere within the time that notifications take to settle.
    const late = new Promise<void>((resolve) => setTimeout(resolve, (round % 4) * 40));
    const both = await Promise.allSettled([take(one, 'run-one', 0), late.then(() => take(two, 'run-two', 0))]);
    const held = both.filter((each) => each.status === 'fulfilled');
    t.ok(held.length <= 1, `round ${round}: never both`);
    for (const [index, each] of both.entries()) {
      if (each.status === 'fulfilled') {
        winners.add(index);
        await each.value.release(within(5_000));
      } else {
        t.ok(each.reason instanceof Fault && each.reason.code === 'VM_LOCKED', String(each.reason));
        t.match(String(each.reason), /is held by run run-(one|two) on .*, until \d{4}-/);
      }
    }
    t.same(tags(), ['precious'], 'nothing of ours stays');
  }
  t.ok(winners.size > 0, 'and mostly one has it');
});

t.test('who waits gets it when it is free', async (t) => {
  const first = await take(one, 'run-one', 0);
  let got = false;
  const second = take(two, 'run-two', 30_000).then((lock) => {
    got = true;
    return lock;
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  t.equal(got, false);
  await first.release(within(5_000));
  await (await second).release(within(5_000));
  t.same(tags(), ['precious']);
});

t.test("the lock of a run that was killed holds until it expires by XO's clock", async (t) => {
  const stamp = (ms: number) => new Date(Date.now() + ms).toISOString();
  const add = (tag: string) => one.call('tag.add', { id: vmUuid, tag }, within(5_000));
  const left = `bootwitness:lock=held;00000000deadbeef;${stamp(60_000)};run-dead;some-host`;
  await add(left);
  await seenBy(two);
  await t.rejects(take(two, 'run-two', 0), { code: 'VM_LOCKED', message: /run run-dead on some-host/ });
  const known = await take(two, 'run-two', 0, ['run-dead']);
  t.notOk(tags().includes(left), 'unless this machine knows that it is dead: what it asked for last came late');
  await known.release(within(5_000));
  const expired = `bootwitness:lock=held;00000000deadbeef;${stamp(-180_000)};run-dead;some-host`;
  const notALock = 'bootwitness:lock=what somebody typed';
  await add(expired);
  await add(notALock);
  await seenBy(two);
  const lock = await take(two, 'run-two', 0);
  t.notOk(tags().includes(expired), 'cleared by the next holder');
  await lock.release(within(5_000));
  t.same(tags(), ['precious', notALock], 'what is no lock of ours is left alone');
});

t.test('it is held on when it is renewed, and when it is kept', async (t) => {
  const { deadline, pass } = minutesByHand(50_000);
  const wish = {
    deadRuns: new Set<string>(),
    session: one,
    vmUuid,
    runId: 'run-one',
    waitMs: 0,
    settleMs: 100,
    onWait: () => undefined,
  };
  const lock = await lockVm({ ...wish, deadline });
  t.teardown(() => lock.release(within(5_000)));
  const locks = (): readonly string[] => tags().filter((tag) => tag.includes(';run-one;'));
  const [first] = locks();
  pass();
  await one.objects.waitFor(within(5_000), 'another tag', 'XO_OBJECT_LATE', () =>
    locks().includes(first ?? '') ? { seen: 'the first one' } : { done: true },
  );
  await seenBy(one);
  t.equal(locks().length, 1, 'renewed');
  t.equal(lock.lost(), null);
  const until = new Date(Date.now() + 7_200_000).toISOString();
  await lock.keepUntil(until, within(5_000));
  t.match(locks(), [new RegExp(`held;[0-9a-f]{16};${until};run-one;`)], 'kept');
  t.equal(locks().length, 1);
  await lock.release(within(5_000));
  t.same(locks(), []);
});
