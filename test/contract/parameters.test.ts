/** Recorded: what the schemas refuse, with ajv's errors field by field. */
import t from 'tap';
import { testEndpoint } from './open-endpoint.ts';
import { everywhere } from './place.ts';
import { masked, outcome, recorded } from './recorded.ts';

const NOBODY = '00000000-0000-0000-0000-000000000000';

everywhere('parameters', async (t, { xo, sr, name, newXo }) => {
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
    ['unreadable size', 'disk.create', { name: name('x'), size: 'much', sr: (await sr()).id }],
    ['params as an array', 'vm.start', [NOBODY]],
  ];
  for (const [what, method, params] of trials) {
    const call = xo.call(method, params as Record<string, unknown>);
    t.strictSame(masked(await outcome(call)), recorded('parameters', what), what);
  }
  const unsigned = await newXo();
  await t.rejects(unsigned.call('vm.frobnicate', {}), { code: -32601 }, 'unknown comes before not allowed');
});

t.test('an unknown method is loud', async (t) => {
  const { xo, logged } = await testEndpoint(t);
  await t.rejects(xo.call('vm.frobnicate', {}), { code: -32601 });
  t.ok(logged.some((line) => line.includes('UNKNOWN METHOD vm.frobnicate')));
});

everywhere('a key marked as ignorable is used where the method knows it', async (t, { xo }) => {
  await t.rejects(xo.call('vm.start', { id: NOBODY, 'host?': 1 }), { code: 10 });
  await t.rejects(xo.call('vm.start', { id: NOBODY, 'force?': true }), { code: 1 });
});

everywhere('vm.create ignores what it does not know, vm.set does not', async (t, { xo, template, name, makeVm }) => {
  const { id } = await template();
  t.type(await xo.call('vm.create', { name_label: name('x'), template: id, mispelt: 1 }), 'string');
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
