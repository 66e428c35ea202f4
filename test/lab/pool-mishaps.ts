/** Trials of the mishaps that a pool shows in its objects: hosts, SR and templates that are not as one would like. */
import type { Test } from 'tap';
import type { XoObject } from '../../lab/json.ts';
import { poolTemplates } from '../../lab/templates.ts';
import type { TestEndpoint } from '../contract/open-endpoint.ts';

type Trial = (t: Test, ends: TestEndpoint) => Promise<unknown>;

/** Mishaps change no record, so the poll that shows them is asked for. */
async function set({ mishaps, endpoint }: TestEndpoint, name: string, value?: string): Promise<void> {
  mishaps.set(name, value);
  await endpoint.world.view.polled();
}

async function hostNamed({ shown }: TestEndpoint, name: string): Promise<XoObject> {
  const found = (await shown({ type: 'host' })).find((each) => each.name_label === name);
  if (found === undefined) throw new Error(`no host ${name}`);
  return found;
}

export const POOL_TRIALS = {
  async tell(t, { mishaps, xo, logged }) {
    mishaps.set('tell', 'system.getVersion:2');
    const told = (): number => logged.filter((line) => /^mishap tell: system.getVersion arrived$/.test(line)).length;
    for (const times of [0, 1, 1]) {
      t.ok(await xo.call('system.getVersion', {}));
      t.equal(told(), times);
    }
  },
  async 'tell-upload'(t, { mishaps, rest, the, logged }) {
    const sr = await the({ type: 'SR' });
    const send = () => rest(`/rest/v0/srs/${sr.id}/vdis?raw=true`, { method: 'POST', headers, body });
    const headers = { 'content-type': 'application/octet-stream' };
    const body = Buffer.alloc(2 ** 20, 1);
    mishaps.set('tell-upload', '1');
    t.equal((await send()).status, 201);
    t.equal(logged.filter((line) => line === 'mishap tell-upload: 1048576 bytes arrived').length, 1);
    t.equal((await send()).status, 201);
    t.equal(logged.filter((line) => line.startsWith('mishap tell-upload')).length, 1, 'once');
  },
  async 'sr-size'(t, ends) {
    await set(ends, 'sr-size', '3');
    t.match(await ends.the({ type: 'SR' }), { size: 3 * 2 ** 20, physical_usage: 0, allocationStrategy: 'thin' });
  },
  async 'sr-thick'(t, ends) {
    await set(ends, 'sr-thick');
    await set(ends, 'sr-size', '10');
    const sr = await ends.the({ type: 'SR' });
    t.match(sr, { allocationStrategy: 'thick', SR_type: 'lvm' });
    await ends.xo.call('disk.create', { name: 'x', size: 6 * 2 ** 20, sr: sr.id });
    await ends.until({ id: sr.id }, ([object]) => object?.physical_usage === 6 * 2 ** 20);
    const second = ends.xo.call('disk.create', { name: 'y', size: 6 * 2 ** 20, sr: sr.id });
    await t.rejects(second, { message: /^SR_BACKEND_FAILURE_44/ }, 'an empty disk takes its room, too');
  },
  async 'sr-maintenance'(t, ends) {
    await set(ends, 'sr-maintenance');
    t.equal((await ends.the({ type: 'SR' })).inMaintenanceMode, true);
  },
  async 'sr-detached'(t, ends) {
    await set(ends, 'sr-detached');
    t.equal((await ends.the({ type: 'PBD' })).attached, false);
  },
  async 'host-free'(t, ends) {
    await set(ends, 'host-free', '100');
    const { memory } = (await ends.the({ type: 'host' })) as unknown as { memory: { size: number; usage: number } };
    t.equal(memory.size - memory.usage, 100 * 2 ** 20);
    const { vm } = await ends.makeVm();
    await t.rejects(ends.xo.call('vm.start', { id: vm }), { code: 7 });
    const host = (await ends.the({ type: 'host' })).id;
    const there = ends.xo.call('vm.start', { id: vm, host });
    await t.rejects(there, { message: /^HOST_NOT_ENOUGH_FREE_MEMORY/ }, 'on one that is named');
  },
  async 'host-disabled'(t, ends) {
    await set(ends, 'host-disabled');
    const { id: host, enabled } = await ends.the({ type: 'host' });
    t.equal(enabled, false);
    const { vm } = await ends.makeVm();
    await t.rejects(ends.xo.call('vm.start', { id: vm }), { code: 7 });
    await t.rejects(ends.xo.call('vm.start', { id: vm, host }), { message: /^HOST_DISABLED/ });
  },
  async 'second-host'(t, ends) {
    const { xo, the, shown, until } = ends;
    const { vm } = await ends.makeVm();
    await set(ends, 'second-host', 'local');
    const [sr, ownSr] = await shown({ type: 'SR' });
    t.equal(ownSr?.name_label, sr?.name_label, 'each host has local storage of that name');
    const [first, second] = [await hostNamed(ends, 'embedded-host'), await hostNamed(ends, 'embedded-host-2')];
    t.same([sr?.$container, ownSr?.$container], [first.id, second.id]);
    const refused = xo.call('vm.start', { id: vm, host: second.id });
    await t.rejects(refused, { message: /^VM_REQUIRES_SR/ }, 'its disk is on the other');
    await set(ends, 'second-host', 'shared');
    t.match(await the({ type: 'SR' }), { shared: true, $container: first.$pool });
    await xo.call('vm.start', { id: vm, host: second.id });
    await until({ id: vm }, ([object]) => object?.$container === second.id);
    await until({ id: second.id }, ([object]) => String(object?.residentVms) === vm);
  },
  async 'placed-elsewhere'(t, ends) {
    const { vm } = await ends.makeVm();
    await set(ends, 'second-host', 'shared');
    await set(ends, 'placed-elsewhere');
    const [first, second] = [await hostNamed(ends, 'embedded-host'), await hostNamed(ends, 'embedded-host-2')];
    t.equal(await ends.xo.call('vm.start', { id: vm, host: first.id }), true, 'said yes');
    await ends.until({ id: vm }, ([object]) => object?.$container === second.id);
  },
  async 'no-default-template'(t, { mishaps }) {
    // It is looked at when the lab starts: see `templates.ts`.
    mishaps.set('no-default-template');
    const names = poolTemplates(mishaps.has('no-default-template')).map(({ nameLabel }) => nameLabel);
    t.notOk(names.includes('Other install media'));
    t.ok(poolTemplates().some(({ nameLabel }) => nameLabel === 'Other install media'));
  },
} satisfies Readonly<Record<string, Trial>>;
