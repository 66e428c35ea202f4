/** What clients see lags behind the replies, in the order and in the half-states of a real pool. */
import t from 'tap';
import type { Notification } from 'xo-lib';
import type { XoObject } from '../../lab/json.ts';
import { testEndpoint } from '../contract/open-endpoint.ts';

type All = { readonly type: 'enter' | 'exit'; readonly items: Readonly<Record<string, XoObject | 0>> };

t.test('replies come before objects', async (t) => {
  const { xo, the, shown, makeVm, until } = await testEndpoint(t, { pollMs: 300 });
  const { vm, vdi } = await makeVm();
  t.equal(await xo.call('vm.start', { id: vm }), true);
  t.equal((await the({ id: vm })).power_state, 'Halted', 'started, and still shown as halted');
  await until({ id: vm }, ([object]) => object?.power_state === 'Running');
  t.equal(await xo.call('vm.stop', { id: vm, force: true }), true);
  t.equal((await the({ id: vm })).power_state, 'Running', 'stopped, and still shown as running');
  await until({ id: vm }, ([object]) => object?.power_state === 'Halted');
  t.equal(await xo.call('vm.delete', { id: vm }), true);
  t.equal((await shown({ id: vm })).length, 1, 'deleted, and still listed');
  await until({ id: vm }, (found) => found.length === 0);
  t.equal((await shown({ id: vdi })).length, 0);
});

t.test('notifications', async (t) => {
  const { xo, makeVm, newXo, until } = await testEndpoint(t);
  const told: All[] = [];
  xo.on('notification', ({ method, params }: Notification) => {
    if (method === 'all') told.push(params as All);
  });
  const stranger = await newXo();
  stranger.on('notification', () => t.fail('notifications go to those who have signed in'));
  const { vm } = await makeVm();
  await xo.call('vm.start', { id: vm });
  await xo.call('vm.delete', { id: vm });
  await until({ id: vm }, (found) => found.length === 0);
  const entered = told.flatMap(({ type, items }) => (type === 'enter' && vm in items ? [items[vm] as XoObject] : []));
  t.match(entered[0], { type: 'VM-template', VIFs: [], $VBDs: [] }, 'first seen as the clone of a template');
  t.match(entered[1], { type: 'VM', VIFs: [/./], $VBDs: [] }, 'then as a VM with its NICs');
  t.match(entered[2], { type: 'VM', VIFs: [/./], $VBDs: [/./] }, 'then with its disk');
  const exits = told.filter(({ type, items }) => type === 'exit' && vm in items);
  t.strictSame(
    exits.map(({ items }) => items[vm]),
    [0],
  );
});

t.test('an operation under way is shown', async (t) => {
  const { xo, makeVm, until, the, backend } = await testEndpoint(t, { pollMs: 300 });
  const { vm } = await makeVm();
  await xo.call('vm.start', { id: vm });
  await until({ id: vm }, ([object]) => object?.power_state === 'Running');
  const restarted = xo.call('vm.restart', { id: vm, force: true });
  await until({ id: vm }, ([object]) => Object.values(object?.current_operations ?? {}).includes('hard_reboot'));
  t.equal((await the({ id: vm })).power_state, 'Running');
  t.equal(await restarted, true);
  t.equal(backend.started[0]?.resets, 1);
  await until({ id: vm }, ([object]) => Object.keys(object?.current_operations ?? {}).length === 0);
});

t.test('a guest that powers itself off is shown as halted', async (t) => {
  const { xo, makeVm, until, backend, rest } = await testEndpoint(t);
  const { vm } = await makeVm('sleeper');
  await xo.call('vm.start', { id: vm });
  await until({ id: vm }, ([object]) => object?.power_state === 'Running');
  backend.started[0]?.powerOff();
  await until({ id: vm }, ([object]) => object?.power_state === 'Halted');
  t.equal((await rest(`/embedded/v0/vms/${vm}/serial`)).body.toString(), 'serial of sleeper\n', 'its last words stay');
  t.equal((await rest('/embedded/v0/vms/nobody/serial')).status, 404);
  t.equal((await rest(`/embedded/v0/vms/${vm}/serial`, { headers: { cookie: '' } })).status, 401);
  t.equal(await xo.call('vm.start', { id: vm }), true, 'and it can be started again');
});

t.test('ndjson', async (t) => {
  const { xo, url, shown } = await testEndpoint(t);
  const { $getFrom } = (await xo.call('xo.getAllObjects', { ndjson: true })) as { $getFrom: string };
  const lines = (await (await fetch(`${url}${$getFrom}`)).text()).trim().split('\n');
  t.equal(lines.length, (await shown({})).length);
  t.equal((await fetch(`${url}${$getFrom}`, { redirect: 'manual' })).status, 302, 'once');
  const found = (await xo.call('xo.getAllObjects', { filter: 'type:VM-template name_label:/^other/i' })) as object;
  t.equal(Object.keys(found).length, 1, 'search syntax');
});
