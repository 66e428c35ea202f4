/**
 * A VM becomes a template with a disk, and VMs are cloned from it: calls as recorded in the schemas, behaviour as read
 * in the source of xo-server 5.207.2 (`xapi/mixins/vm.mjs`, `xapi-object-to-xo.mjs`). Chains are the lab's.
 */
import t from 'tap';
import type { XoObject } from '../../lab/json.ts';
import { testEndpoint } from './open-endpoint.ts';
import { everywhere, type Place } from './place.ts';
import { recordedObjects } from './recorded.ts';

/** A template of ours with one disk. */
async function makeTemplate({ xo, makeVm, until }: Place, label = 'source'): Promise<{ vm: string; vdi: string }> {
  const { vm, vdi } = await makeVm(label);
  await xo.call('tag.add', { id: vm, tag: 'of the template' });
  await xo.call('vdi.set', { id: vdi, name_description: "the template's disk" });
  await until({ id: vdi }, ([disk]) => disk?.name_description === "the template's disk");
  if ((await xo.call('vm.convertToTemplate', { id: vm })) !== true) throw new Error('expected true');
  await until({ id: vm }, ([template]) => template?.type === 'VM-template');
  return { vm, vdi };
}

const keysOf = (object: XoObject | undefined): readonly string[] => Object.keys(object ?? {}).sort();

everywhere('a template with a disk, and a VM made of it', async (t, place) => {
  const { xo, the, shown, until, name } = place;
  const { vm: template, vdi } = await makeTemplate(place);
  t.match(await the({ id: template }), { isDefaultTemplate: false, uuid: template }, 'its id is its uuid');
  await t.rejects(xo.call('vm.start', { id: template }), { code: 1 }, 'it is no VM any more');
  await t.rejects(xo.call('vm.convertToTemplate', { id: template }), { code: 1 });
  const vm = (await xo.call('vm.create', {
    ...{ name_label: name('clone'), template, VDIs: [], VIFs: [], tags: ['own'], clone: true },
    existingDisks: { 0: { name_label: name('its disk'), name_description: 'a claim' }, 7: { name_label: 'nobody' } },
  })) as string;
  await until({ id: vm }, ([one]) => one?.type === 'VM');
  t.match(await the({ id: vm }), { tags: ['own'], VIFs: [] }, "the template's tags and VIFs are not kept");
  const vbds = await shown({ type: 'VBD', VM: vm });
  t.equal(vbds.length, 1, 'a position without a disk is ignored');
  t.match(vbds[0], { position: '0', bootable: true });
  const disk = await the({ id: String(vbds[0]?.VDI) });
  t.not(disk.id, vdi, 'a disk of its own');
  t.match(disk, { name_label: name('its disk'), name_description: 'a claim', size: (await the({ id: vdi })).size });
  t.match(await the({ id: vdi }), { name_description: "the template's disk" });
  t.equal(await xo.call('vm.delete', { id: template }), true, 'a template is deleted like a VM, also one with clones');
  await until({ id: template }, (found) => found.length === 0);
  await until({ id: vdi }, (found) => found.length === 0);
  t.equal((await shown({ id: disk.id })).length, 1);
});

t.test('only who administers the pool makes a template', async (t) => {
  const ends = await testEndpoint(t);
  const { vm } = await ends.makeVm();
  const limited = await ends.newXo();
  await limited.signIn({ email: 'limited', password: 'right' });
  await t.rejects(limited.call('vm.convertToTemplate', { id: vm }), { code: 2 });
  await ends.xo.call('vm.start', { id: vm });
  await t.rejects(ends.xo.call('vm.convertToTemplate', { id: vm }), { code: 13 }, 'a running VM stays one');
});

t.test('the shape of a template that was a VM is that of a recorded one', async (t) => {
  const ends = await testEndpoint(t);
  const { vm } = await makeTemplate(ends);
  t.same(keysOf(await ends.the({ id: vm })), keysOf(recordedObjects['VM-template (custom)'] as unknown as XoObject));
});

t.test('clones share a hidden base copy with their source; full copies share nothing', async (t) => {
  const ends = await testEndpoint(t);
  const { xo, the, shown, until } = ends;
  const { vm: template, vdi } = await makeTemplate(ends);
  const made = async (clone: boolean): Promise<XoObject> => {
    const order = { name_label: 'made', template, VDIs: [], VIFs: [], clone };
    const vm = (await xo.call('vm.create', order)) as string;
    return the({ id: String((await the({ type: 'VBD', VM: vm })).VDI) });
  };
  const copy = await made(false);
  t.equal(copy.parent, undefined);
  t.same(await shown({ type: 'VDI-unmanaged' }), []);
  const clone = await made(true);
  const base = { ...(await the({ type: 'VDI-unmanaged' })), parent: 'of the first one: none' };
  t.match(base, { name_label: 'base copy', $VBDs: [], size: clone.size });
  t.same([...keysOf(base), 'chainPhysicalUsage'].sort(), [...keysOf(copy), 'parent'].sort(), 'as any disk');
  t.equal(clone.parent, base.id);
  t.equal((await the({ id: vdi })).parent, base.id);
  await xo.call('vdi.delete', { id: clone.id });
  await until({ id: base.id }, (found) => found.length === 0);
  t.equal((await the({ id: vdi })).parent, undefined, 'a base copy with one child is coalesced');
});

t.test('a template that is being cloned is not deleted', async (t) => {
  const ends = await testEndpoint(t);
  const { vm: template } = await makeTemplate(ends);
  const cloning = ends.xo.call('vm.create', { name_label: 'made', template, VDIs: [], VIFs: [] });
  const deleting = ends.xo.call('vm.delete', { id: template });
  await t.rejects(deleting, { code: -32000, message: /OTHER_OPERATION_IN_PROGRESS/ });
  t.match(await cloning, /^[0-9a-f-]{36}$/);
});

t.test('what existingDisks cannot be', async (t) => {
  const ends = await testEndpoint(t);
  const { vm: template, vdi } = await makeTemplate(ends);
  const made = (change: object): Promise<unknown> =>
    ends.xo.call('vm.create', { name_label: 'x', template, VDIs: [], VIFs: [], existingDisks: { 0: change } });
  await t.rejects(made({ size: 2 ** 20 }), { message: /smaller VDI size/ });
  await t.rejects(made({ $SR: 'no SR' }), { code: 1 });
  await ends.until({ type: 'VDI' }, (found) => found.length === 1 && found[0]?.id === vdi);
  const vm = (await made({ size: 2 ** 22 })) as string;
  const disk = String((await ends.the({ type: 'VBD', VM: vm })).VDI);
  await ends.until({ id: disk }, ([one]) => one?.size === 2 ** 22);
});
