/** Recorded: disks made, grown and deleted by calls. */
import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import { testEndpoint } from './open-endpoint.ts';
import { everywhere } from './place.ts';
import { masked, outcome, recorded } from './recorded.ts';

t.test('an SR that is full', async (t) => {
  const { xo, sr, mishaps } = await testEndpoint(t);
  mishaps.set('sr-full');
  const name = 'disk.create, SR full';
  const call = xo.call('disk.create', { name: 'x', size: '1 MiB', sr: (await sr()).id });
  t.strictSame(masked(await outcome(call)), recorded('disk', name), name);
});

everywhere('disks', async (t, { xo, the, makeVm, until, name }) => {
  const { vm, vdi } = await makeVm();
  const same = async (what: string, call: Promise<unknown>) => {
    t.strictSame(masked(await outcome(call)), recorded('disk', what), what);
  };
  await same('vdi.set, smaller size', xo.call('vdi.set', { id: vdi, size: '1 MiB' }));
  await xo.call('vdi.set', { id: vdi, size: '3 MiB', name_label: name('grown'), name_description: 'claim' });
  await until({ id: vdi }, ([one]) => one?.size === 4 * 2 ** 20);
  t.match(await the({ id: vdi }), { name_label: name('grown'), name_description: 'claim' });
  await xo.call('vm.start', { id: vm });
  await same('vdi.set, size while running', xo.call('vdi.set', { id: vdi, size: '10 MiB' }));
  t.strictSame(await outcome(xo.call('vdi.delete', { id: vdi })), {
    error: { class: 'JsonRpcError', message: 'VDI in use', code: 17, data: { objectId: vdi, operation: 'destroy' } },
  });
  const attached = (await the({ type: 'VBD', VM: vm })).id;
  await t.rejects(xo.call('vbd.delete', { id: attached }), { code: 11 });
  await xo.call('vm.stop', { id: vm, force: true });
  t.equal(await xo.call('vbd.delete', { id: attached }), true);
  await until({ id: vm }, ([one]) => isDeepStrictEqual(one?.$VBDs, []));
  await t.rejects(xo.call('vm.attachDisk', { vm, vdi, mode: 'ro' }), { code: -32000, message: /FIELD_TYPE_ERROR/ });
  await t.rejects(xo.call('vm.attachDisk', { vm, vdi, position: 'a' }), { code: -32000, message: /INVALID_DEVICE/ });
  await xo.call('vm.attachDisk', { vm, vdi, mode: 'RO' });
  await until({ type: 'VBD', VM: vm }, ([vbd]) => vbd?.read_only === true);
  t.equal(await xo.call('vdi.delete', { id: vdi }), true, 'of a halted VM the disk goes, and its VBD');
  await until({ type: 'VBD', VM: vm }, (found) => found.length === 0);
});

t.test('a disk in use is tried for long, and deleted when it is free', async (t) => {
  const { xo, makeVm, until } = await testEndpoint(t, { destroyRetryMs: 20 });
  const { vm, vdi } = await makeVm();
  await xo.call('vm.start', { id: vm });
  const deleted = xo.call('vdi.delete', { id: vdi });
  await xo.call('vm.stop', { id: vm, force: true });
  t.equal(await deleted, true);
  await until({ id: vdi }, (found) => found.length === 0);
});

everywhere('vm.delete and its disks', async (t, { xo, makeVm, until, shown }) => {
  const kept = await makeVm('kept');
  await xo.call('vm.delete', { id: kept.vm, deleteDisks: false });
  await until({ id: kept.vm }, (found) => found.length === 0);
  await until({ id: kept.vdi }, ([vdi]) => isDeepStrictEqual(vdi?.$VBDs, []));
  const shared = await makeVm('shared');
  const other = await makeVm('other');
  await xo.call('vm.attachDisk', { vm: other.vm, vdi: shared.vdi });
  await xo.call('vm.delete', { id: shared.vm });
  await xo.call('vdi.delete', { id: kept.vdi });
  await until({ id: shared.vm }, (found) => found.length === 0);
  await until({ id: kept.vdi }, (found) => found.length === 0);
  t.equal((await shown({ id: shared.vdi })).length, 1, 'a disk that another VM has, too, stays');
  t.equal((await shown({ id: other.vdi })).length, 1);
});
