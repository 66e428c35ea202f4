/** Recorded: ids that name nothing, or something else. */
import t from 'tap';
import { testEndpoint } from './open-endpoint.ts';
import { masked, outcome, recorded } from './recorded.ts';

const NOBODY = '00000000-0000-0000-0000-000000000000';

t.test('objects', async (t) => {
  const { xo, the, shown, until } = await testEndpoint(t);
  const [sr, template] = [await the({ type: 'SR' }), await the({ isDefaultTemplate: true })];
  const { network } = { network: await the({ type: 'network' }) };
  const create = (parts: Record<string, unknown>) => [
    'vm.create',
    { name_label: 'x', template: template.id, ...parts },
  ];
  const trials: Readonly<Record<string, readonly unknown[]>> = {
    'unknown VM': ['vm.start', { id: NOBODY }],
    'an object of another type': ['vm.start', { id: sr.id }],
    'unknown SR': ['disk.create', { name: 'x', size: '1 MiB', sr: NOBODY }],
    'unknown network in vm.create': create({ VIFs: [{ network: NOBODY }] }),
    'unknown SR in the VDIs of vm.create': create({ VDIs: [{ size: 1, SR: NOBODY, type: 'user' }] }),
    'default template named by its uuid': ['vm.create', { name_label: 'x', template: template.uuid }],
    'malformed MAC in vm.create': create({ VIFs: [{ network: network.id, mac: 'zz' }] }),
  };
  for (const [name, [method, params]] of Object.entries(trials)) {
    const call = xo.call(String(method), params as Record<string, unknown>);
    t.strictSame(masked(await outcome(call)), recorded('objects', name), name);
  }
  await until({ type: 'VM-template' }, (templates) => templates.length === 2);
  t.strictSame(await shown({ type: 'VM' }), [], 'none left');
});

t.test('an opaque reference serves as an id', async (t) => {
  const { xo, the, makeVm } = await testEndpoint(t);
  const { vm } = await makeVm();
  const { _xapiRef } = await the({ id: vm });
  t.equal(await xo.call('vm.start', { id: _xapiRef }), true);
});

t.test('an object that is gone but still shown', async (t) => {
  const { xo, makeVm } = await testEndpoint(t, { pollMs: 300 });
  const { vm } = await makeVm();
  t.equal(await xo.call('vm.delete', { id: vm }), true);
  await t.rejects(xo.call('vm.start', { id: vm }), { code: -32000, data: { code: 'HANDLE_INVALID' } });
});
