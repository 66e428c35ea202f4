/** Each mishap does what its sentence says, and no other name or value is taken. */
import { randomBytes } from 'node:crypto';
import t, { type Test } from 'tap';
import { MISHAPS } from '../../lab/mishap-table.ts';
import { Mishaps } from '../../lab/mishaps.ts';
import { ask } from '../contract/http.ts';
import { type TestEndpoint, testEndpoint, USERS } from '../contract/open-endpoint.ts';
import { OPERATOR_TRIALS } from './operator-mishaps.ts';
import { POOL_TRIALS } from './pool-mishaps.ts';

const BINARY = { 'content-type': 'application/octet-stream' };

/** One trial per mishap: compiles only while all of them are here. */
const TRIALS: Readonly<Record<keyof typeof MISHAPS, (t: Test, ends: TestEndpoint) => Promise<unknown>>> = {
  ...OPERATOR_TRIALS,
  ...POOL_TRIALS,
  async 'upload-cut'(t, { mishaps, rest, the, until }) {
    mishaps.set('upload-cut', '0.5');
    const sr = await the({ type: 'SR' });
    const body = randomBytes(4 * 2 ** 20);
    await t.rejects(rest(`/rest/v0/srs/${sr.id}/vdis?raw=true`, { method: 'POST', headers: BINARY, body }));
    await until({ type: 'VDI' }, (found) => found.length === 0);
  },
  async 'transfer-fails'(t, { mishaps, rest, the, until }) {
    mishaps.set('transfer-fails');
    const sr = await the({ type: 'SR' });
    const asked = { method: 'POST', headers: BINARY, body: randomBytes(1024) };
    t.equal((await rest(`/rest/v0/srs/${sr.id}/vdis?raw=true`, asked)).status, 500);
    await until({ type: 'VDI' }, (found) => found.length === 0);
  },
  async 'sr-full'(t, { mishaps, xo, the }) {
    mishaps.set('sr-full');
    const sr = await the({ type: 'SR' });
    await t.rejects(xo.call('disk.create', { name: 'x', size: 1, sr: sr.id }), { code: -32000 });
  },
  async 'no-memory'(t, { mishaps, xo, makeVm }) {
    const { vm } = await makeVm();
    mishaps.set('no-memory');
    await t.rejects(xo.call('vm.start', { id: vm }), { code: 7, message: 'no hosts available' });
  },
  async 'dead-network'(t, { mishaps, xo, makeVm, backend }) {
    const { vm } = await makeVm();
    mishaps.set('dead-network');
    await xo.call('vm.start', { id: vm });
    t.match(backend.started[0]?.order.nics, [{ mac: '02:00:00:00:aa:01', dead: true }]);
  },
  async 'drop-session-after'(t, { mishaps, xo, newXo, makeVm, until, endpoint }) {
    const { vm } = await makeVm();
    mishaps.set('drop-session-after', 'vm.start:once');
    await t.rejects(xo.call('vm.start', { id: vm }), { message: 'connection has been closed' });
    await xo.open();
    await xo.signIn({ email: USERS[0].email, password: USERS[0].password });
    await until({ id: vm }, ([object]) => object?.power_state === 'Running');
    t.pass('the call itself was carried out');
    await t.rejects(xo.call('vm.start', { id: vm }), { code: 13 }, 'once');
    mishaps.set('drop-session-after', 'system.getVersion');
    for (const _ of [1, 2]) await t.rejects((await newXo()).call('system.getVersion', {}), { message: /closed/ });
    t.ok(endpoint.world.inventory.vms.has(vm));
  },
  async 'start-fails'(t, { mishaps, xo, makeVm }) {
    const { vm } = await makeVm();
    mishaps.set('start-fails', 'VM_HVM_REQUIRED');
    await t.rejects(xo.call('vm.start', { id: vm }), { code: -32000, data: { code: 'VM_HVM_REQUIRED' } });
  },
  async stall(t, { mishaps, xo }) {
    mishaps.set('stall', 'system.getVersion');
    let answered = false;
    const answer = () => {
      answered = true;
    };
    xo.call('system.getVersion', {}).then(answer, () => undefined);
    for (let turn = 0; turn < 5; turn++) await xo.call('system.getServerVersion', {});
    t.notOk(answered, 'later calls have their answers, this one has none');
  },
  async 'keep-disk'(t, { mishaps, xo, makeVm, until }) {
    const { vm, vdi } = await makeVm();
    mishaps.set('keep-disk');
    t.equal(await xo.call('vm.delete', { id: vm }), true);
    await until({ id: vm }, (found) => found.length === 0);
    await until({ id: vdi }, (found) => found.length === 1);
  },
  async 'vanish-pool'(t, { mishaps, xo, makeVm, until }) {
    const { vm } = await makeVm();
    mishaps.set('vanish-pool', '1');
    t.equal(await xo.call('vm.start', { id: vm }), true);
    await until({}, (found) => found.length === 0);
    await t.rejects(xo.call('vm.start', { id: vm }), { code: 1 });
    t.match(await xo.call('server.getAll', {}), [{ status: 'connecting' }]);
    await until({ id: vm }, ([object]) => object?.power_state === 'Running');
    t.match(await xo.call('server.getAll', {}), [{ status: 'connected' }]);
    await xo.call('vm.stop', { id: vm, force: true });
    await until({ id: vm }, ([object]) => object?.power_state === 'Halted');
    await xo.call('vm.start', { id: vm });
    await until({ id: vm }, ([object]) => object?.power_state === 'Running');
  },
  async 'late-objects'(t, { mishaps, xo, makeVm, the, until }) {
    const { vm } = await makeVm();
    mishaps.set('late-objects', '1');
    const before = Date.now();
    await xo.call('vm.start', { id: vm });
    t.equal((await the({ id: vm })).power_state, 'Halted');
    await until({ id: vm }, ([object]) => object?.power_state === 'Running');
    t.ok(Date.now() - before >= 1000);
  },
  async 'sign-in-throttle'(t, { mishaps, newXo, token }) {
    mishaps.set('sign-in-throttle');
    const xo = await newXo();
    const refusal = { code: -32000, message: 'unknown error from the peer' };
    await t.rejects(xo.signIn({ token }), refusal);
    await t.rejects(xo.signIn({ token }), refusal, 'nor at once again');
  },
};

for (const [name, trial] of Object.entries(TRIALS)) {
  t.test(name, async (t) => {
    await trial(t, await testEndpoint(t));
  });
}

t.test('switched on while it runs', async (t) => {
  const { rest, url, token, mishaps } = await testEndpoint(t);
  const post = (body: string) => rest('/embedded/v0/mishaps', { method: 'POST', body: Buffer.from(body) });
  t.equal((await post('{"name":"start-fails","value":"HOST_OFFLINE"}')).status, 204);
  t.equal(mishaps.get('start-fails'), 'HOST_OFFLINE');
  t.equal((await post('{"name":"start-fails","value":null}')).status, 204);
  t.notOk(mishaps.has('start-fails'));
  for (const wrong of ['{"name":"earthquake"}', '{"name":"stall"}', '{"name":"no-memory","value":"1"}', '[]', '{']) {
    t.equal((await post(wrong)).status, 422, wrong);
  }
  t.ok(token.length > 0);
  t.equal((await ask(`${url}/embedded/v0/mishaps`, { method: 'POST', body: Buffer.from('{}') })).status, 401);
});

t.test('the pool can be lost at a call, at an upload, and whenever asked', async (t) => {
  const { mishaps, xo, rest, the, until } = await testEndpoint(t);
  const sr = await the({ type: 'SR' });
  const backAgain = () => until({ type: 'SR' }, (found) => found.length > 0);
  mishaps.set('vanish-pool', '0.2@vdi.delete');
  await t.rejects(xo.call('vdi.delete', { id: 'x' }), { code: 1 });
  t.same(await xo.call('xo.getAllObjects', {}), {});
  await backAgain();
  mishaps.set('vanish-pool', '0.2@upload');
  const asked = { method: 'POST', headers: BINARY, body: Buffer.alloc(1024) };
  t.match(await rest(`/rest/v0/srs/${sr.id}/vdis?raw=true`, asked), {
    status: 404,
    headers: { 'content-type': /json/ },
  });
  await backAgain();
  t.equal((await rest('/embedded/v0/lose-pool?seconds=0.2', { method: 'POST', body: Buffer.alloc(0) })).status, 204);
  t.same(await xo.call('xo.getAllObjects', {}), {});
  await backAgain();
});

t.test('which calls', (t) => {
  const mishaps = new Mishaps();
  const hits = () => [1, 2, 3].map(() => mishaps.hits('stall', 'vm.start'));
  mishaps.set('stall', 'vm.start');
  t.same(hits(), [true, true, true]);
  mishaps.set('stall', 'vm.start:once');
  t.same(hits(), [true, false, false]);
  mishaps.set('stall', 'vm.start:2');
  t.notOk(mishaps.hits('stall', 'vm.stop'), 'others do not count');
  t.same(hits(), [false, true, false]);
  t.throws(() => mishaps.set('stall', 'vm.start:0'));
  mishaps.set('upload-cut', '0.25:once');
  mishaps.set('upload-restart', '0.5:3');
  t.same(mishaps.uploadEnds(), { fraction: 0.5, restartSeconds: 3 });
  t.same(mishaps.uploadEnds(), { fraction: 0.25, restartSeconds: null });
  t.equal(mishaps.uploadEnds(), null);
  t.end();
});

t.test('names and values', (t) => {
  const mishaps = new Mishaps();
  t.throws(() => mishaps.set('earthquake'), { message: /unknown mishap "earthquake"; known: upload-cut/ });
  t.throws(() => mishaps.set('upload-cut', '1.5'), {
    message: /expected fraction from 0 to 1, or fraction:once, given: 1.5/,
  });
  t.throws(() => mishaps.set('stall'), { message: /expected method, method:once, .*, given: nothing/ });
  for (const { sentence } of Object.values(MISHAPS)) t.match(sentence, /^\S.*\.$/);
  t.end();
});
