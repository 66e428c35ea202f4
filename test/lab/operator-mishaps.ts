/** Trials of the mishaps that an operator's Xen Orchestra shows: its session, its clock, its age, stuck objects. */
import type { Test } from 'tap';
import { ask } from '../contract/http.ts';
import { type TestEndpoint, USERS } from '../contract/open-endpoint.ts';
import { makeVhd } from './make-vhd.ts';

type Trial = (t: Test, ends: TestEndpoint) => Promise<unknown>;

const CLOSED = { message: 'connection has been closed' };

async function again({ xo }: TestEndpoint): Promise<void> {
  await xo.open();
  await xo.signIn({ email: USERS[0].email, password: USERS[0].password });
}

export const OPERATOR_TRIALS = {
  async 'drop-session-before'(t, ends) {
    const { mishaps, xo, makeVm, the } = ends;
    const { vm } = await makeVm();
    mishaps.set('drop-session-before', 'vm.start:once');
    await t.rejects(xo.call('vm.start', { id: vm }), CLOSED);
    await again(ends);
    t.equal((await the({ id: vm })).power_state, 'Halted', 'not carried out');
    t.equal(await xo.call('vm.start', { id: vm }), true, 'once');
  },
  async 'drop-session-replied'(t, { mishaps, xo }) {
    mishaps.set('drop-session-replied', 'system.getVersion');
    t.ok(await xo.call('system.getVersion', {}), 'answered');
    await t.rejects(xo.call('system.getVersion', {}));
  },
  async 'revoke-token'(t, { mishaps, newXo, token }) {
    mishaps.set('revoke-token', 'system.getVersion');
    const xo = await newXo();
    await xo.signIn({ token });
    await t.rejects(xo.call('system.getVersion', {}), CLOSED, 'no reply');
    await t.rejects((await newXo()).signIn({ token }), { code: 3 });
  },
  async restart(t, ends) {
    const { mishaps, xo, the, url } = ends;
    mishaps.set('restart', 'system.getVersion:0.2');
    await t.rejects(xo.call('system.getVersion', {}), CLOSED);
    await t.rejects(ask(url, { method: 'HEAD' }), { code: 'ECONNREFUSED' });
    for (let back = false; !back; ) back = await ask(url, { method: 'HEAD' }).then(Boolean, () => false);
    await again(ends);
    t.same(await xo.call('xo.getAllObjects', {}), {}, 'its pool is not there yet');
    await ends.until({ type: 'pool' }, (found) => found.length === 1);
    t.ok(await the({ type: 'host' }));
  },
  async 'start-fails-late'(t, { mishaps, xo, makeVm, the }) {
    const { vm } = await makeVm();
    mishaps.set('start-fails-late');
    t.equal(await xo.call('vm.start', { id: vm }), true);
    t.equal((await the({ id: vm })).power_state, 'Halted');
  },
  async 'start-comes-late'(t, { mishaps, xo, makeVm, the, until }) {
    const { vm } = await makeVm();
    mishaps.set('start-comes-late', '0.3');
    t.equal(await xo.call('vm.start', { id: vm }), true);
    t.equal((await the({ id: vm })).power_state, 'Halted');
    await until({ id: vm }, ([object]) => object?.power_state === 'Running');
  },
  async 'deleted-before'(t, { mishaps, xo, makeVm, until }) {
    const { vm, vdi } = await makeVm();
    mishaps.set('deleted-before', 'vm.start:2');
    t.equal(await xo.call('vm.start', { id: vm }), true, 'not the first call');
    await t.rejects(xo.call('vm.start', { id: vm }), { code: -32000, data: { code: 'HANDLE_INVALID' } });
    await until({ id: vdi }, (found) => found.length === 0);
    await t.rejects(xo.call('vm.start', { id: vm }), { code: 1 });
  },
  async 'halted-before'(t, { mishaps, xo, makeVm }) {
    const { vm } = await makeVm();
    await xo.call('vm.start', { id: vm });
    mishaps.set('halted-before', 'vm.stop:once');
    await t.rejects(xo.call('vm.stop', { id: vm, force: true }), { code: 13 });
  },
  async 'upload-restart'(t, ends) {
    const { mishaps, rest, the, url } = ends;
    const sr = await the({ type: 'SR' });
    mishaps.set('upload-restart', '0.5:0.2');
    const path = `/rest/v0/srs/${sr.id}/vdis?raw=true`;
    const asked = { method: 'POST', headers: { 'content-type': 'application/octet-stream' } };
    await t.rejects(rest(path, { ...asked, body: Buffer.alloc(4 * 2 ** 20, 'x') }));
    await t.rejects(ask(url, { method: 'HEAD' }), { code: 'ECONNREFUSED' });
    for (let back = false; !back; ) back = await ask(url, { method: 'HEAD' }).then(Boolean, () => false);
    await again(ends);
    await ends.until({ type: 'SR' }, (found) => found.length > 0);
    t.equal((await rest(path, { ...asked, body: Buffer.alloc(1024, 'x') })).status, 201, 'once');
  },
  async 'stuck-power-state'(t, { mishaps, xo, makeVm, until, the }) {
    const { vm } = await makeVm();
    await xo.call('vm.start', { id: vm });
    await until({ id: vm }, ([object]) => object?.power_state === 'Running');
    mishaps.set('stuck-power-state', '0.3');
    t.equal(await xo.call('vm.stop', { id: vm, force: true }), true);
    t.equal((await the({ id: vm })).power_state, 'Running');
    await until({ id: vm }, ([object]) => object?.power_state === 'Halted');
  },
  async 'blocked-operation'(t, { mishaps, xo, makeVm }) {
    mishaps.set('blocked-operation', 'destroy');
    const { vm } = await makeVm();
    await t.rejects(xo.call('vm.delete', { id: vm }), { code: 5 });
  },
  async 'no-clean-shutdown'(t, { mishaps, xo, makeVm }) {
    const { vm } = await makeVm();
    await xo.call('vm.start', { id: vm });
    await t.rejects(xo.call('vm.stop', { id: vm }), { code: 14 });
    mishaps.set('no-clean-shutdown', '10');
    await t.rejects(xo.call('vm.stop', { id: vm }), { code: 10 });
  },
  async 'vdi-in-use'(t, { mishaps, xo, makeVm }) {
    const { vdi } = await makeVm();
    mishaps.set('vdi-in-use', '11');
    await t.rejects(xo.call('vdi.delete', { id: vdi }), { code: 17 });
    t.equal(await xo.call('vdi.delete', { id: vdi }), true);
  },
  async 'clock-offset'(t, { mishaps, url }) {
    mishaps.set('clock-offset', '3600');
    const { headers } = await ask(url, { method: 'HEAD' });
    t.ok(Math.abs(Date.parse(String(headers.date)) - Date.now() - 3_600_000) < 5_000);
  },
  async 'no-rest-post'(t, { mishaps, rest, the }) {
    mishaps.set('no-rest-post');
    const sr = await the({ type: 'SR' });
    const answer = await rest(`/rest/v0/srs/${sr.id}/vdis`, { method: 'POST', body: Buffer.from('x') });
    t.match(answer, { status: 404, headers: { 'content-type': /html/ } });
    t.equal((await rest('/rest/v0/vms')).status, 200);
  },
  async 'no-rest'(t, { mishaps, rest }) {
    mishaps.set('no-rest');
    t.equal((await rest('/rest/v0/vms')).status, 302);
  },
  async 'guest-metrics'(t, { mishaps, xo, makeVm, until }) {
    const { vm } = await makeVm();
    mishaps.set('guest-metrics', '169.254.1.1,2001:db8::7@0.2');
    await xo.call('vm.start', { id: vm });
    await until({ id: vm }, ([object]) => object?.mainIpAddress === '169.254.1.1');
    await until({ id: vm }, ([object]) => object?.mainIpAddress === '2001:db8::7');
    await until({ id: vm, addresses: { '0/ipv6/0': '2001:db8::7' } }, (found) => found.length === 1);
    await xo.call('vm.stop', { id: vm, force: true });
    await until({ id: vm }, ([object]) => object?.mainIpAddress === undefined);
    t.pass('step by step, and nothing when it is off');
  },
  async 'keep-old-blocks'(t, { mishaps, rest, makeVm }) {
    const { vdi } = await makeVm();
    const put = (format: string, body: Buffer) => rest(`/rest/v0/vdis/${vdi}.${format}`, { method: 'PUT', body });
    t.equal((await put('raw', Buffer.alloc(1024, 'old'))).status, 204);
    mishaps.set('keep-old-blocks');
    t.equal((await put('vhd', makeVhd(Buffer.alloc(2 ** 20)))).status, 204);
    const { body } = await rest(`/rest/v0/vdis/${vdi}.raw`);
    t.match(String(body).slice(0, 9), 'oldoldold');
  },
  async 'sr-chain-max'(t, { mishaps, xo, makeVm }) {
    const { vm } = await makeVm();
    mishaps.set('sr-chain-max', '2');
    const clone = (): Promise<unknown> => xo.call('vm.clone', { id: vm, name: 'clone', full_copy: false });
    await clone();
    await t.rejects(clone(), { code: -32000, data: { code: 'SR_BACKEND_FAILURE_109' } });
  },
  async 'no-coalesce'(t, { mishaps, xo, makeVm, the, until, shown }) {
    const { vm, vdi } = await makeVm();
    mishaps.set('no-coalesce');
    for (const links of [1, 2]) {
      const clone = await xo.call('vm.clone', { id: vm, name: 'clone', full_copy: false });
      await xo.call('vm.delete', { id: clone });
      await until({ type: 'VDI' }, (found) => found.length === 1);
      t.equal((await shown({ type: 'VDI-unmanaged' })).length, links);
    }
    t.ok((await the({ id: vdi })).parent);
  },
} as const satisfies Readonly<Record<string, Trial>>;
