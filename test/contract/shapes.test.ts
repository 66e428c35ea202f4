/** Recorded: the objects' key sets and value types, and the states that a VM is seen in. */
import t from 'tap';
import type { XoObject } from '../../lab/json.ts';
import { testEndpoint } from './open-endpoint.ts';
import { everywhere } from './place.ts';
import { recordedObjects } from './recorded.ts';

/** Maps whose keys are data: only the types of their values are compared. */
const FREE_MAPS = new Set(['current_operations', 'otherConfig', 'other', 'other_config', 'device_config']);
const FREE_MAP = 'map of strings';

/** A value with its types in place of its values; lists by what is in them. */
function shape(value: unknown): unknown {
  if (value === null) return 'null';
  if (Array.isArray(value)) return value.length === 0 ? 'list' : ['list', shape(value[0])];
  if (typeof value !== 'object') return typeof value;
  const shaped: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value as object)) {
    shaped[key] = FREE_MAPS.has(key) ? FREE_MAP : shape(inner);
  }
  return shaped;
}

/** Where the recorded pool had something in a list or map and this one has not, or the other way round. */
function withoutContents(value: unknown): unknown {
  if (Array.isArray(value)) return 'list';
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutContents(inner)]));
}

const shapeOf = (object: unknown) => withoutContents(shape(object));

t.test('a template of somebody', async (t) => {
  const { the } = await testEndpoint(t);
  const name = 'VM-template (custom)';
  t.strictSame(shapeOf(await the({ isDefaultTemplate: false })), shapeOf(recordedObjects[name]), name);
});

everywhere('shapes', async (t, place) => {
  const { xo, the, shown, makeVm, until } = place;
  const same = (name: string, object: XoObject, recordedName = name) => {
    t.strictSame(shapeOf(object), shapeOf(recordedObjects[recordedName]), name);
  };
  const [sr, network, template] = [await place.sr(), await place.network(), await place.template()];
  same('SR', sr);
  same('network', network);
  same('VM-template (default)', template);
  const pool = await the({ id: sr.$pool });
  const [host] = await shown({ type: 'host', $pool: pool.id });
  const [pif] = await shown({ type: 'PIF', $network: network.id });
  const [pbd] = await shown({ type: 'PBD', SR: sr.id });
  for (const [type, object] of Object.entries({ pool, host, PIF: pif, PBD: pbd })) {
    if (object) same(type, object);
    else t.fail(`no ${type}`);
  }
  t.equal(template.id, `${pool.id}-${template.uuid}`, 'a default template has the id of its pool before its own');
  const { vm, vdi, mac } = await makeVm();
  await xo.call('vm.set', { id: vm, notes: 'demo', affinityHost: host?.id, coresPerSocket: 2 });
  await until({ id: vm }, ([object]) => object?.notes === 'demo');
  same('VM (halted, before its first start)', await the({ id: vm }));
  same('VDI (attached, halted)', await the({ id: vdi }));
  same('VBD (halted)', await the({ type: 'VBD', VM: vm }));
  same('VIF (halted)', await the({ type: 'VIF', $VM: vm }));
  await xo.call('vm.start', { id: vm });
  await until({ id: vm }, ([object]) => object?.power_state === 'Running');
  same('VM (running, without guest tools)', await the({ id: vm }));
  same('VBD (running)', await the({ type: 'VBD', VM: vm }));
  same('VIF (running)', await the({ type: 'VIF', $VM: vm }));
  await xo.call('vm.stop', { id: vm, force: true });
  await until({ id: vm }, ([object]) => object?.power_state === 'Halted');
  same('VM (halted again)', await the({ id: vm }));
  const snapshot = (await xo.call('vm.snapshot', { id: vm, name: place.name('before') })) as string;
  same('VM-snapshot', await the({ id: snapshot }));
  same('VDI-snapshot', await the({ type: 'VDI-snapshot', $snapshot_of: vdi }));
  const clone = (await xo.call('vm.clone', { id: vm, name: place.name('clone'), full_copy: false })) as string;
  t.not((await the({ type: 'VIF', $VM: clone })).MAC, mac, 'a clone gets a MAC of its own');
  await xo.call('vm.delete', { id: vm });
  await until({ id: snapshot }, (found) => found.length === 0);
});

everywhere('values that follow the life of a VM', async (t, place) => {
  const { xo, the, shown, makeVm, until } = place;
  const template = await place.template();
  const pool = await the({ id: template.$pool });
  const hosts = (await shown({ type: 'host', $pool: pool.id })).map(({ id }) => id);
  const { vm } = await makeVm();
  const halted = await the({ id: vm });
  t.match(halted, { startTime: null, xenTools: undefined, memory: { size: 2 ** 29 } });
  const container = String(halted.$container);
  t.ok([pool.id, ...hosts].includes(container), 'the pool, or the host of its local disk');
  t.match(halted.other, { base_template_name: template.name_label, default_template: undefined });
  const [short] = vm.split('-');
  const kept = JSON.parse(String((halted.other as Record<string, string>)[`xo:${short}`])) as unknown;
  t.strictSame(kept, { creation: halted.creation });
  t.match(await the({ type: 'VBD', VM: vm }), { device: null, attached: false, position: '0', bootable: true });
  await xo.call('vm.start', { id: vm });
  await until({ id: vm }, ([object]) => object?.power_state === 'Running');
  t.match(await the({ id: vm }), { xenTools: false, addresses: {}, startTime: Number });
  t.match(await the({ type: 'VBD', VM: vm }), { device: 'xvda', attached: true });
  const { residentVms } = await the({ id: String((await the({ id: vm })).$container) });
  t.ok((residentVms as readonly string[]).includes(vm));
  const bare = (await xo.call('vm.create', { name_label: place.name('no disk'), template: template.id })) as string;
  t.match(await the({ id: bare }), { $container: pool.id, VIFs: [], tags: [], name_description: /install media/ });
});
