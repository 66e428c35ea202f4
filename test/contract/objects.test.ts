/** Recorded: ids that name nothing, or something else. */
import t from 'tap';
import { testEndpoint } from './open-endpoint.ts';
import { everywhere } from './place.ts';
import { masked, outcome, recorded } from './recorded.ts';

const NOBODY = '00000000-0000-0000-0000-000000000000';

everywhere('objects', async (t, place) => {
  const { xo, shown, until } = place;
  const [sr, template, network] = [await place.sr(), await place.template(), await place.network()];
  const name_label = place.name('x');
  const create = (parts: Record<string, unknown>) => ['vm.create', { name_label, template: template.id, ...parts }];
  const trials: Readonly<Record<string, readonly unknown[]>> = {
    'unknown VM': ['vm.start', { id: NOBODY }],
    'an object of another type': ['vm.start', { id: sr.id }],
    'unknown SR': ['disk.create', { name: name_label, size: '1 MiB', sr: NOBODY }],
    'unknown network in vm.create': create({ VIFs: [{ network: NOBODY }] }),
    'unknown SR in the VDIs of vm.create': create({ VDIs: [{ size: 1, SR: NOBODY, type: 'user' }] }),
    'default template named by its uuid': ['vm.create', { name_label, template: template.uuid }],
    'malformed MAC in vm.create': create({ VIFs: [{ network: network.id, mac: 'zz' }] }),
  };
  for (const [name, [method, params]] of Object.entries(trials)) {
    const call = xo.call(String(method), params as Record<string, unknown>);
    t.strictSame(masked(await outcome(call)), recorded('objects', name), name);
  }
  // A VM is shown as a template at first.
  await until({ name_label }, (found) => found.length === 0);
  t.strictSame(await shown({ type: 'VM', name_label }), [], 'none left');
});

everywhere('an opaque reference serves as an id', async (t, { xo, the, makeVm }) => {
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
