/** Recorded: what users without administrator rights may do, and how little they are told. */
import t from 'tap';
import { testEndpoint } from './open-endpoint.ts';
import { masked, outcome, recorded } from './recorded.ts';

t.test('without any right', async (t) => {
  const { newXo, the, makeVm } = await testEndpoint(t);
  const { vm } = await makeVm();
  const [sr, template] = [await the({ type: 'SR' }), await the({ isDefaultTemplate: true })];
  const xo = await newXo();
  await xo.signIn({ email: 'limited', password: 'right' });
  const objects = (await xo.call('xo.getAllObjects', {})) as object;
  t.ok(Object.keys(objects).length > 5, 'reading is not restricted');
  const trials: Readonly<Record<string, readonly unknown[]>> = {
    'server.getAll': ['server.getAll', {}],
    'vm.start, without any right': ['vm.start', { id: vm }],
    'disk.create, without any right': ['disk.create', { name: 'x', size: 1, sr: sr.id }],
    'vm.create, without any right': ['vm.create', { name_label: 'x', template: template.id }],
  };
  for (const [name, [method, params]] of Object.entries(trials)) {
    const call = xo.call(String(method), params as Record<string, unknown>);
    t.strictSame(masked(await outcome(call)), recorded('limited user', name), name);
  }
});

t.test('admin of the pool', async (t) => {
  const { newXo, the, makeVm, mishaps, until } = await testEndpoint(t);
  const { vm } = await makeVm();
  const [sr, template] = [await the({ type: 'SR' }), await the({ isDefaultTemplate: true })];
  const xo = await newXo();
  await xo.signIn({ email: 'poolAdmin', password: 'right' });
  const created = await xo.call('vm.create', { name_label: 'x', template: template.id });
  t.type(created, 'string');
  const order = { name: 'x', sr: sr.id, type: 'iso' };
  t.strictSame(Object.keys((await xo.call('disk.import', order)) as object), ['$sendTo']);
  const same = async (name: string, method: string, params: Record<string, unknown>) => {
    t.strictSame(masked(await outcome(xo.call(method, params))), recorded('limited user', name), name);
  };
  await same('vm.start, admin of the pool', 'vm.start', { id: vm });
  await same('vm.start of a running VM', 'vm.start', { id: vm });
  await until({ id: vm }, ([object]) => object?.power_state === 'Running');
  await same('vm.stop', 'vm.stop', { id: vm, force: true });
  mishaps.set('start-fails', 'VM_HVM_REQUIRED');
  await same('a failure of the XAPI without an XO code', 'vm.start', { id: vm });
  await same('tag.add', 'tag.add', { id: vm, tag: 'x' });
  await same('vm.delete', 'vm.delete', { id: vm });
});
