/** The store over notifications: order of first listing and news, waits, malformed objects, a pool that is lost. */
import t from 'tap';
import { ObjectStore } from '../../../harness/xcpng/objects.ts';
import { hurried, within } from './test-lab.ts';

const network = (name: string) => ({ type: 'network', uuid: 'N', name_label: name, $pool: 'P' });
const enter = (items: Record<string, unknown>) => ({ type: 'enter', items });

t.test('news that came before the first listing wins over it', async (t) => {
  const store = new ObjectStore();
  store.notify(enter({ n1: network('new') }));
  store.notify({ type: 'exit', items: { n2: 0 } });
  store.seed({ n1: network('old'), n2: network('gone'), n3: network('there') });
  t.same(
    store.all('network').map(({ name }) => name),
    ['new', 'there'],
  );
  store.notify({ type: 'exit', items: { n1: 0 } });
  t.equal(store.get('network', 'n1'), undefined);
  t.equal(store.has('n3'), true);
  t.equal(store.get('SR', 'n3'), undefined, 'another type is not there');
  store.notify({ type: 'unheard-of', items: { n3: 0 } });
  store.notify(null);
  t.equal(store.has('n3'), true, 'other notifications change nothing');
});

t.test('malformed objects name themselves and the field', async (t) => {
  const vm = {
    ...{ type: 'VM', uuid: 'U', name_label: 'x', $pool: 'P', power_state: 'Running', tags: [], $VBDs: [], VIFs: [] },
    addresses: {},
  };
  const cases: readonly (readonly [Record<string, unknown>, RegExp])[] = [
    [{ ...vm, power_state: 'Dancing' }, /VM v: power_state: expected Halted, Running.*given "Dancing"/],
    [{ ...vm, power_state: undefined }, /power_state: expected a string, given nothing/],
    [{ ...vm, tags: 'x' }, /tags: expected a list of strings/],
    [{ ...vm, VIFs: [1] }, /VIFs: expected a list of strings/],
    [{ ...vm, addresses: { a: 1 } }, /addresses: expected an object of strings/],
    [{ ...vm, startTime: 'noon' }, /startTime: expected a number, given "noon"/],
    [{ ...vm, uuid: 7 }, /uuid: expected a string, given 7/],
  ];
  for (const [raw, says] of cases) {
    const store = new ObjectStore();
    store.seed({ v: raw });
    t.throws(() => store.get('VM', 'v'), { code: 'XO_OBJECT_MALFORMED', message: says });
  }
  const store = new ObjectStore();
  store.seed({ v: { ...vm, unheardOf: true, startTime: null, mainIpAddress: null } });
  t.match(store.get('VM', 'v'), { powerState: 'Running', startTime: null }, 'what we do not read is ignored');
  t.throws(() => store.seed('all of them'), { code: 'XO_OBJECT_MALFORMED' });
  t.throws(() => store.seed({ v: null }), { code: 'XO_OBJECT_MALFORMED', message: /object v/ });
  store.notify(enter({ v: 'text' }));
  t.throws(() => store.all('VM'), { code: 'XO_OBJECT_MALFORMED' }, 'told to whoever looks next');
});

t.test('waits', async (t) => {
  const store = new ObjectStore();
  store.seed({});
  let looks = 0;
  const waiting = store.waitFor(within(60_000), 'a network', 'XO_OBJECT_LATE', () => {
    looks++;
    const [first] = store.all('network');
    return first === undefined ? { seen: 'none' } : { done: first.name };
  });
  t.equal(looks, 1, 'looked at once');
  store.notify(enter({ n: network('lan') }));
  t.equal(await waiting, 'lan');
  t.equal(looks, 2, 'and once per change: nothing runs in between');
  const late = store.waitFor(hurried(200), 'a miracle', 'XO_OBJECT_LATE', () => ({ seen: 'no sign of it' }));
  await t.rejects(late, { code: 'XO_OBJECT_LATE', message: /^a miracle: not within .*last seen: no sign of it$/ });
});

t.test('a pool is there only with a host of its own', async (t) => {
  const store = new ObjectStore();
  store.seed({ P: { type: 'pool', $pool: 'P' }, Q: { type: 'pool', $pool: 'Q' }, h: { type: 'host', $pool: 'Q' } });
  t.equal(store.poolPresent('P'), false);
  t.equal(store.poolPresent('Q'), true);
  store.notify({ type: 'exit', items: { Q: 0 } });
  t.equal(store.poolPresent('Q'), false);
});

t.test('a pool that is lost is missed, also where it left before anybody asked', async (t) => {
  const store = new ObjectStore();
  const pool = { P: { type: 'pool', $pool: 'P' }, h: { type: 'host', $pool: 'P' } };
  store.seed(pool);
  t.equal(await store.poolCameBack(hurried(60_000)), false, 'it was there all along');
  store.notify({ type: 'exit', items: { P: 0, h: 0 } });
  const back = store.poolCameBack(within(60_000));
  store.notify(enter(pool));
  t.equal(await back, true);
  store.notify({ type: 'exit', items: { P: 0, h: 0 } });
  await t.rejects(store.poolCameBack(hurried(2_000)), { code: 'XO_OBJECT_LATE', message: /pool P or its hosts/ });
});
