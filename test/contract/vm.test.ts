/** Recorded: what the life of a VM refuses. */
import t from 'tap';
import { testEndpoint } from './open-endpoint.ts';
import { everywhere } from './place.ts';
import { masked, outcome, recorded } from './recorded.ts';

const START_FAILURES = [
  'SR_BACKEND_FAILURE_46',
  'HOST_OFFLINE',
  'VM_REQUIRES_SR',
  'OTHER_OPERATION_IN_PROGRESS',
  'VM_HVM_REQUIRED',
  'INTERNAL_ERROR',
];

t.test('a halted VM', async (t) => {
  const { xo, the, makeVm, mishaps } = await testEndpoint(t);
  const { vm } = await makeVm();
  const same = async (name: string, call: Promise<unknown>) => {
    t.strictSame(masked(await outcome(call)), recorded('VM', name), name);
  };
  const template = await the({ isDefaultTemplate: true });
  await same('delete of a default template', xo.call('vm.delete', { id: template.id }));
  for (const code of START_FAILURES) {
    mishaps.set('start-fails', code);
    await same(`start, XAPI says ${code}`, xo.call('vm.start', { id: vm }));
  }
  mishaps.clear('start-fails');
  await same('more memory than the host has: vm.set', xo.call('vm.set', { id: vm, memory: '20 GiB' }));
  await same('more memory than the host has: start', xo.call('vm.start', { id: vm }));
});

everywhere('a halted VM refuses', async (t, { xo, makeVm }) => {
  const { vm } = await makeVm();
  const name = 'restart of a halted VM';
  const restarted = await outcome(xo.call('vm.restart', { id: vm, force: true }));
  t.strictSame(masked(restarted), recorded('VM', name), name);
  await t.rejects(xo.call('vm.set', { id: vm, memory: '1 MiB' }), {
    code: -32000,
    data: { code: 'MEMORY_CONSTRAINT_VIOLATION' },
  });
  await t.rejects(xo.call('vm.setBootOrder', { vm, order: 'x' }), { code: 10 });
  await t.rejects(xo.call('vm.stop', { id: vm, force: true }), {
    code: 13,
    message: 'VM state is halted but should be running',
    data: { objectId: vm, expected: 'running', actual: 'halted' },
  });
});

everywhere('a running VM', async (t, { xo, makeVm, until }) => {
  const { vm, vdi } = await makeVm();
  const same = async (name: string, call: Promise<unknown>) => {
    t.strictSame(masked(await outcome(call)), recorded('VM', name), name);
  };
  await xo.call('vm.start', { id: vm });
  await until({ id: vm }, ([object]) => object?.power_state === 'Running');
  await same('start of a running VM', xo.call('vm.start', { id: vm }));
  await same('stop without force, no guest tools (XAPI: VM_LACKS_FEATURE)', xo.call('vm.stop', { id: vm }));
  await same('restart without force, no guest tools', xo.call('vm.restart', { id: vm }));
  await same('change of memory while running', xo.call('vm.set', { id: vm, memory: '1 GiB' }));
  await same('attach a disk twice', xo.call('vm.attachDisk', { vm, vdi, position: '0' }));
  await same('setBootOrder', xo.call('vm.setBootOrder', { vm, order: 'c' }));
  await same('vm.delete of a VM which runs', xo.call('vm.delete', { id: vm }));
});

t.test('a VM whose MAC another running VM has', async (t) => {
  const { xo, makeVm } = await testEndpoint(t);
  await xo.call('vm.start', { id: (await makeVm()).vm });
  const { vm: twin } = await makeVm('twin');
  const name = 'start of a VM whose MAC another running VM has';
  t.strictSame(masked(await outcome(xo.call('vm.start', { id: twin }))), recorded('VM', name), name);
});

t.test('vm.create when something fails', async (t) => {
  const { xo, the, shown, mishaps, until } = await testEndpoint(t);
  const [template, sr] = [await the({ isDefaultTemplate: true }), await the({ type: 'SR' })];
  mishaps.set('start-fails', 'VM_HVM_REQUIRED');
  const booting = { name_label: 'boots', template: template.id, bootAfterCreate: true };
  t.match(await xo.call('vm.create', booting), /^[0-9a-f-]{36}$/, 'a failed boot after creation is only logged');
  await until({ name_label: 'boots' }, ([vm]) => vm?.power_state === 'Halted');
  mishaps.set('sr-full');
  const VDIs = [{ size: 2 ** 20, SR: sr.id, type: 'user', name_label: 'd' }];
  const failed = await outcome(xo.call('vm.create', { name_label: 'disk', template: template.id, VDIs }));
  const left = (await shown({ type: 'VM' })).filter((vm) => vm.name_label === 'disk').length;
  const name = 'vm.create when a disk cannot be made';
  t.strictSame(masked({ ...(failed as object), left }), recorded('VM', name), name);
});

everywhere('blocked operations', async (t, { xo, the, makeVm, until }) => {
  const { vm } = await makeVm();
  await xo.call('vm.set', { id: vm, blockedOperations: { destroy: 'precious', start: true } });
  await t.rejects(xo.call('vm.start', { id: vm }), {
    code: 5,
    message: 'forbidden operation: Start',
    data: { operation: 'Start', reason: 'true' },
  });
  const refused = await outcome(xo.call('vm.delete', { id: vm }));
  t.strictSame(refused, {
    error: {
      class: 'JsonRpcError',
      message: 'forbidden operation: destroy is blocked: precious',
      code: 5,
      data: { operation: 'destroy is blocked: precious' },
    },
  });
  await xo.call('vm.start', { id: vm, force: true });
  await until({ id: vm }, ([object]) => object?.power_state === 'Running');
  t.strictSame((await the({ id: vm })).blockedOperations, { destroy: 'precious' }, 'forcing unblocks for good');
  t.equal(await xo.call('vm.delete', { id: vm, forceBlockedOperation: true }), true);
});

everywhere('a VM with the same MAC twice', async (t, place) => {
  const { xo } = place;
  const [template, network] = [await place.template(), await place.network()];
  const vif = { network: network.id, mac: '02:00:00:00:aa:01' };
  const vm = await xo.call('vm.create', { name_label: place.name('x'), template: template.id, VIFs: [vif, vif] });
  await t.rejects(xo.call('vm.start', { id: vm }), { code: 21, data: { code: 'DUPLICATED_MAC_ADDRESS' } });
});

everywhere('a disk that another running VM has', async (t, { xo, makeVm }) => {
  const { vm, vdi } = await makeVm('one');
  const { vm: other } = await makeVm('other');
  await xo.call('vm.attachDisk', { vm: other, vdi });
  await xo.call('vm.start', { id: vm });
  await t.rejects(xo.call('vm.start', { id: other }), { code: -32000, data: { code: 'SR_BACKEND_FAILURE_46' } });
  await xo.call('vm.delete', { id: other });
  await xo.call('vm.stop', { id: vm, force: true });
  t.equal(await xo.call('vm.start', { id: vm }), true, 'the disk of the first has stayed');
});

t.test('a backend that cannot start it', async (t) => {
  const { xo, the, makeVm, backend } = await testEndpoint(t);
  const { vm } = await makeVm();
  backend.refusal = 'qemu: no such file';
  await t.rejects(xo.call('vm.start', { id: vm }), {
    code: -32000,
    message: 'INTERNAL_ERROR(xenopsd internal error: qemu: no such file)',
  });
  backend.refusal = null;
  t.match(await the({ id: vm }), { power_state: 'Halted' });
  t.equal(await xo.call('vm.start', { id: vm }), true);
});
