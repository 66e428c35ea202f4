/** Recorded: what the schemas refuse, with ajv's errors field by field. */
import t from 'tap';
import { testEndpoint } from './open-endpoint.ts';
import { masked, outcome, recorded } from './recorded.ts';

const NOBODY = '00000000-0000-0000-0000-000000000000';

t.test('parameters', async (t) => {
  const { xo, the, logged, newXo } = await testEndpoint(t);
  const sr = await the({ type: 'SR' });
  const trials: readonly (readonly [string, string, unknown])[] = [
    ['unknown method', 'vm.frobnicate', {}],
    ['missing', 'vm.start', {}],
    ['additional', 'vm.start', { id: NOBODY, foo: 1 }],
    ['additional, marked ignorable', 'vm.start', { id: NOBODY, 'foo?': 1 }],
    ['wrong type', 'vm.start', { id: 1 }],
    ['empty string', 'vm.start', { id: '' }],
    ['two faults at once', 'vm.start', { id: 1, host: 1 }],
    ['vm= instead of id=', 'vm.start', { vm: NOBODY }],
    ['null for an optional string', 'vm.start', { id: NOBODY, host: null }],
    ['unreadable size', 'disk.create', { name: 'x', size: 'much', sr: sr.id }],
    ['params as an array', 'vm.start', [NOBODY]],
  ];
  for (const [name, method, params] of trials) {
    const call = xo.call(method, params as Record<string, unknown>);
    t.strictSame(masked(await outcome(call)), recorded('parameters', name), name);
  }
  t.ok(
    logged.some((line) => line.includes('UNKNOWN METHOD vm.frobnicate')),
    'an unknown method is loud',
  );
  const unsigned = await newXo();
  await t.rejects(unsigned.call('vm.frobnicate', {}), { code: -32601 }, 'unknown comes before not allowed');
});

t.test('a key marked as ignorable is used where the method knows it', async (t) => {
  const { xo } = await testEndpoint(t);
  await t.rejects(xo.call('vm.start', { id: NOBODY, 'host?': 1 }), { code: 10 });
  await t.rejects(xo.call('vm.start', { id: NOBODY, 'force?': true }), { code: 1 });
});

t.test('vm.create ignores what it does not know, vm.set does not', async (t) => {
  const { xo, the, makeVm } = await testEndpoint(t);
  const template = await the({ isDefaultTemplate: true });
  t.type(await xo.call('vm.create', { name_label: 'x', template: template.id, mispelt: 1 }), 'string');
  const { vm } = await makeVm();
  await t.rejects(xo.call('vm.set', { id: vm, mispelt: 1 }), { code: 10 });
});

t.test('the methods say what they take', async (t) => {
  const { xo } = await testEndpoint(t);
  const info = (await xo.call('system.getMethodsInfo', {})) as Record<string, unknown>;
  t.match(info['vm.start'], { params: { id: { type: 'string' } } });
  const { METHODS } = await import('../../lab/methods/index.ts');
  t.strictSame(Object.keys(info).sort(), Object.keys(METHODS).sort(), 'described are exactly those that are there');
});
