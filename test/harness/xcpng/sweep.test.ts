/**
 * What a sweep takes and what it never does: in a pool with hundreds of objects of other people, of which many look
 * like ours. The pool's own books are the referee.
 */
import t, { type Test } from 'tap';
import { Secret } from '../../../harness/workdir/secrets.ts';
import { claimDescription, makeClaim, selfTag } from '../../../harness/xcpng/claims.ts';
import { openSession, type Session } from '../../../harness/xcpng/session.ts';
import { sweep } from '../../../harness/xcpng/sweep.ts';
import type { SweepWish } from '../../../harness/xcpng/sweep-choice.ts';
import { openTestLab, recordCalls, type TestLab, within } from './test-lab.ts';

const LONG_AGO = -3 * 3_600_000;
const DEAD = '00000000-0000-4000-8000-00000000dead';
const ALIVE = '00000000-0000-4000-8000-0000000a11fe';
const EXPIRED = '00000000-0000-4000-8000-0000000e4e1d';

interface Opened {
  readonly world: TestLab;
  readonly session: Session;
  readonly make: Maker;
}

async function open(t: Test): Promise<Opened> {
  const world = await openTestLab();
  const { url, tls } = world.settings;
  const session = await openSession({
    url,
    credential: { token: new Secret(world.token) },
    tls,
    deadline: within(5_000),
  });
  t.teardown(async () => {
    await session.close();
    await world.close();
  });
  return { world, session, make: new Maker(session) };
}

/** Makes things in the pool as other people, or as a run of ours, would have left them. */
class Maker {
  readonly #session: Session;
  readonly #template: string;
  readonly #sr: string;
  constructor(session: Session) {
    this.#session = session;
    const { objects } = session;
    this.#template = objects.all('VM-template').find(({ name }) => name === 'Other install media')?.id ?? '';
    this.#sr = objects.all('SR').find(({ contentType }) => contentType !== 'iso')?.id ?? '';
  }
  async vm(name: string, tags: readonly string[]): Promise<string> {
    const params = { name_label: name, template: this.#template, VDIs: [], VIFs: [], tags };
    return String(await this.#session.call('vm.create', params, within(10_000)));
  }
  async disk(name: string, description: string): Promise<string> {
    const id = String(await this.#session.call('disk.create', { name, size: 2 ** 20, sr: this.#sr }, within(10_000)));
    await this.call('vdi.set', { id, name_description: description });
    return id;
  }
  call(method: string, params: Record<string, unknown>): Promise<unknown> {
    return this.#session.call(method, params, within(10_000));
  }
  /** A VM and its disk as a run of ours leaves them. */
  async ours(
    runId: string,
    ttlMs: number,
    name = 'bootwitness phase9-xcpng-boot-1',
  ): Promise<readonly [string, string]> {
    const claim = makeClaim({ runId, caseId: 'c', xoNowMs: Date.now(), ttlMs });
    const vm = await this.vm(name, claim.tags);
    await this.call('tag.add', { id: vm, tag: selfTag(vm) });
    const vdi = await this.disk(name, '');
    await this.call('vdi.set', { id: vdi, name_description: claimDescription(claim, vdi) });
    await this.call('vm.attachDisk', { vm, vdi, position: '0' });
    return [vm, vdi];
  }
}

const dead = (runId: string, more: Partial<SweepWish['dead'][number]> = {}): SweepWish['dead'][number] => ({
  ...{ runId, made: new Set<string>(), guests: new Map<string, string>() },
  ...more,
});
const wish = (changes: Partial<SweepWish> = {}): SweepWish => ({
  ...{ dead: [], only: null, dryRun: false, takesKept: false },
  ...changes,
});

/** Until XO's listing has all that the books have; it lags. */
const settled = async ({ world, session }: Opened): Promise<void> => {
  const { vms, vdis, vbds } = world.endpoint.world.inventory;
  const tagsOf = (id: string): unknown => session.objects.raw(id)?.tags;
  await session.objects.waitFor(within(20_000), 'the pool', 'XO_OBJECT_LATE', () => {
    const shown = [...vms.values()].every(
      ({ uuid, tags, kind }) => kind === 'template' || String(tagsOf(uuid)) === String(tags),
    );
    const disks = [...vdis.values()].every(({ uuid, nameDescription }) => {
      return session.objects.raw(uuid)?.name_description === nameDescription;
    });
    const all = shown && disks && [...vbds.keys()].every((id) => session.objects.has(id));
    return all ? { done: true } : { seen: 'an older state' };
  });
};

/** Every VM and disk of the pool, whoever's. */
const books = ({ world }: Opened): ReadonlySet<string> => {
  const { vms, vdis } = world.endpoint.world.inventory;
  return new Set([...vms.keys(), ...vdis.keys()]);
};

t.test('among 500 objects of other people', async (t) => {
  const opened = await open(t);
  const { make, session } = opened;
  const expiredClaim = makeClaim({ runId: EXPIRED, caseId: 'c', xoNowMs: Date.now(), ttlMs: LONG_AGO });
  const due = [...(await make.ours(EXPIRED, LONG_AGO)), ...(await make.ours(DEAD, 3_600_000))];
  const [vm = '', vdi = ''] = due;
  const inUse = await make.ours(ALIVE, 3_600_000);
  const crowd = Array.from({ length: 110 }, (_, i) => [
    make.vm(`bootwitness phase9-xcpng-boot-${i}`, []), // a name like ours
    make.vm(`web ${i}`, [...expiredClaim.tags, selfTag(vm)]), // a clone: the tags came with it
    make.vm(`db ${i}`, i % 2 ? ['bootwitness'] : ['bootwitness', `bootwitness:run=${DEAD}`]),
    make.disk(`bootwitness phase9-xcpng-boot-${i}`, claimDescription(expiredClaim, vdi)),
    make.disk(`data ${i}`, 'made for bootwitness, do not touch'),
  ]);
  await Promise.all(crowd.flat());
  const snapshot = String(await make.call('vm.snapshot', { id: inUse[0], name: 'bootwitness phase9-xcpng-boot-1' }));
  const before = books(opened);
  t.ok(before.size > 550, `${before.size} VMs and disks`);

  await settled(opened);
  const recording = recordCalls();
  const dry = await sweep(session, wish({ dead: [dead(DEAD)], dryRun: true }), within(60_000));
  recording.stop();
  t.same(new Set(dry.removed.map(({ id }) => id)), new Set(due));
  t.same([...new Set(recording.calls.map(({ method }) => method))], ['xo.getAllObjects'], 'a dry run only looks');
  t.same(books(opened), before);

  await settled(opened);
  const swept = await sweep(session, wish({ dead: [dead(DEAD)] }), within(60_000));
  t.same(new Set(swept.removed.map(({ id }) => id)), new Set(due));
  t.same(swept.stayed, []);
  t.same([...before].filter((id) => !books(opened).has(id)).sort(), [...due].sort(), 'exactly ours, by the books');
  t.ok(books(opened).has(snapshot));
  const again = await sweep(session, wish({ dead: [dead(DEAD)] }), within(60_000));
  t.same(again.removed, [], 'nothing more');
});

t.test('one run, expired or not', async (t) => {
  const opened = await open(t);
  const mine = await opened.make.ours(ALIVE, 3_600_000);
  const other = await opened.make.ours(EXPIRED, LONG_AGO);
  await settled(opened);
  const swept = await sweep(opened.session, wish({ only: [ALIVE] }), within(30_000));
  t.same(new Set(swept.removed.map(({ id }) => id)), new Set(mine));
  t.ok(other.every((id) => books(opened).has(id)));
});

t.test("what would take somebody else's things with it stays, and is told", async (t) => {
  const opened = await open(t);
  const { make, session } = opened;
  const [shot] = await make.ours(DEAD, 1);
  await make.call('vm.snapshot', { id: shot, name: 'before the update' });
  const [lent, disk] = await make.ours(DEAD, 1);
  const theirs = await make.vm('their own', []);
  await make.call('vm.attachDisk', { vm: theirs, vdi: disk, position: '0', mode: 'RO' });
  const [, alone] = await make.ours(DEAD, 1);
  const data = await make.disk('their data', 'precious');
  const [user] = await make.ours(DEAD, 1);
  await make.call('vm.attachDisk', { vm: user, vdi: data, position: '1' });
  await settled(opened);
  const swept = await sweep(session, wish({ dead: [dead(DEAD)] }), within(60_000));
  const stayed = new Map(swept.stayed.map(({ choice, why }) => [choice.id, why]));
  t.match(stayed.get(shot), /somebody made 1 snapshot/);
  t.match(stayed.get(disk), new RegExp(`attached to VM ${theirs}`));
  const left = books(opened);
  t.ok(left.has(shot) && left.has(disk) && left.has(theirs) && left.has(data), 'their disk outlives our VM');
  t.notOk(left.has(lent) || left.has(alone) || left.has(user));
});

t.test('half made: what does not name itself yet', async (t) => {
  const opened = await open(t);
  const { make, session } = opened;
  const claim = () => makeClaim({ runId: DEAD, caseId: 'c', xoNowMs: Date.now(), ttlMs: LONG_AGO });
  const [known, unseen, copied, stranger] = [claim(), claim(), claim(), claim()];
  const answered = await make.vm('ours', known.tags);
  const only = await make.vm('ours', unseen.tags);
  const twins = [await make.vm('ours', copied.tags), await make.vm('ours', copied.tags)];
  const renamed = await make.vm('somebody renamed it', stranger.tags);
  const guests = new Map([unseen, copied, stranger].map(({ guestTag }) => [guestTag, 'ours']));
  const run = dead(DEAD, { made: new Set([answered]), guests });
  await settled(opened);
  t.same((await sweep(session, wish(), within(30_000))).removed, [], 'expired, and nobody knows of it');
  await settled(opened);
  const swept = await sweep(session, wish({ dead: [run] }), within(30_000));
  t.same(new Set(swept.removed.map(({ id }) => id)), new Set([answered, only]));
  t.ok(
    [...twins, renamed].every((id) => books(opened).has(id)),
    'a copy cannot be told from it',
  );
});

t.test("locks of the dead on an operator's VM", async (t) => {
  const opened = await open(t);
  const { make, session, world } = opened;
  const lock = (run: string, ms: number) =>
    `bootwitness:lock=held;00000000deadbeef;${new Date(Date.now() + ms).toISOString()};${run};host`;
  const [expired, killed, held] = [lock(EXPIRED, LONG_AGO), lock(DEAD, 600_000), lock(ALIVE, 600_000)];
  const vm = await make.vm('the operator’s', ['precious', expired, killed, held, 'bootwitness:lock=typed by hand']);
  await settled(opened);
  const swept = await sweep(session, wish({ dead: [dead(DEAD)] }), within(30_000));
  t.same(new Set(swept.removed.map(({ tag }) => tag)), new Set([expired, killed]));
  const tags = world.endpoint.world.inventory.vms.get(vm)?.tags;
  t.same(tags, ['precious', held, 'bootwitness:lock=typed by hand'], 'the VM itself is never touched');
});

t.test('what stays is told', async (t) => {
  const opened = await open(t);
  const [vm, vdi] = await opened.make.ours(EXPIRED, LONG_AGO);
  await opened.make.call('vm.set', { id: vm, blockedOperations: { destroy: 'by an administrator' } });
  await settled(opened);
  const swept = await sweep(opened.session, wish(), within(30_000));
  t.same(swept.removed, []);
  const why = new Map(swept.stayed.map((each) => [each.choice.id, each.why]));
  t.match(why.get(vm), /OPERATION_BLOCKED|blocked/i);
  t.match(why.get(vdi), new RegExp(`attached to VM ${vm}`), 'a VM that stays keeps its disk');
  t.ok(books(opened).has(vm) && books(opened).has(vdi));
});

t.test('Xen Orchestra that shows no pool for a moment is waited for: nothing listed is not nothing left', async (t) => {
  const opened = await open(t);
  const mine = await opened.make.ours(DEAD, 3_600_000);
  await settled(opened);
  const { world, session } = opened;
  world.mishaps.set('vanish-pool', '1');
  await opened.make.call('vm.start', { id: mine[0] });
  await session.objects.waitFor(within(5_000), 'the pool to go', 'XO_OBJECT_LATE', () =>
    session.objects.all('pool').length === 0 ? { done: true } : { seen: 'still there' },
  );
  const swept = await sweep(session, wish({ dead: [dead(DEAD)] }), within(30_000));
  t.same(new Set(swept.removed.map(({ id }) => id)), new Set(mine));
  t.ok(mine.every((id) => !books(opened).has(id)));
});
