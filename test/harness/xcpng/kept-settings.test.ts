/** What counts as a setting of an operator's VM: on the recorded objects of a VM that was started, used and halted. */
import t from 'tap';
import { compareSettings, type Settings, takeSettings } from '../../../harness/xcpng/kept-settings.ts';
import { ObjectStore } from '../../../harness/xcpng/objects.ts';
import { recordedObjects } from '../../contract/recorded.ts';

type Raw = Readonly<Record<string, unknown>>;

function take(...all: readonly Raw[]): Settings {
  const objects = new ObjectStore();
  objects.seed(Object.fromEntries(all.map((raw) => [String(raw.id), raw])));
  return takeSettings(objects, { vm: 'vm', vdi: 'vdi' }, (tag) => tag === 'ours');
}

const recorded = (name: string, changes: Raw = {}): Raw => ({ ...recordedObjects[name], ...changes });
/** The recordings are of several VMs: what names one is made the same. */
const asOne = {
  uuid: 'vm',
  id: 'vm',
  name_label: 'x',
  _xapiRef: 'r',
  $VBDs: ['vbd'],
  VIFs: ['vif'],
  tags: [],
  boot: {},
};
const oneVm = (name: string, changes: Raw = {}): Raw =>
  recorded(name, { ...asOne, creation: 0, name_description: '', other: {}, CPUs: {}, memory: { size: 1 }, ...changes });

t.test('what a start and a halt change is no setting', async (t) => {
  const names = [
    'VM (halted, before its first start)',
    'VM (running, without guest tools)',
    'VM (running, with guest tools)',
    'VM (halted again)',
  ];
  const [first, ...others] = names.map((name) => take(oneVm(name)));
  if (first === undefined) throw new Error('nothing recorded');
  for (const [index, other] of others.entries()) t.same(compareSettings(first, other), [], String(names[index + 1]));
  const drive = { id: 'vbd', _xapiRef: 'r', uuid: 'vbd', VDI: 'vdi', VM: 'vm' };
  const [halted, running] = ['VBD (halted)', 'VBD (running)'].map((name) =>
    take(oneVm('VM (halted again)'), recorded(name, drive)),
  );
  if (halted && running) t.same(compareSettings(halted, running), [], 'of a drive too');
});

t.test('what somebody changed is told, field by field', async (t) => {
  const vm: Record<string, unknown> = { ...oneVm('VM (halted again)') };
  const vdi = recorded('VDI (attached, halted)', { id: 'vdi', uuid: 'vdi', size: 100, tags: [] });
  const vif = recorded('VIF (halted)', { id: 'vif', MAC: 'aa' });
  vm.tags = ['b', 'a'];
  vm.$VBDs = ['vbd', 'cd'];
  const before = take(vm, vdi, vif);
  const cases: readonly (readonly [Raw, Raw, Raw, readonly RegExp[]])[] = [
    [vm, vdi, vif, []],
    [{ ...vm, tags: ['a', 'ours', 'b'] }, vdi, vif, []],
    [{ ...vm, $VBDs: ['cd', 'vbd'] }, vdi, vif, []],
    [{ ...vm, bios_strings: { 'bios-vendor': 'Xen' } }, vdi, vif, []],
    [{ ...vm, other: { last_shutdown_time: '20261126T03:00:00Z', last_shutdown_reason: 'halted' } }, vdi, vif, []],
    [{ ...vm, other: { auto_poweron: 'true' } }, vdi, vif, [/^VM vm other: \{\} → \{"auto_poweron":"true"\}$/]],
    [{ ...vm, tags: ['a', 'theirs'] }, vdi, vif, [/^VM vm tags: \["a","b"\] → \["a","theirs"\]$/]],
    [{ ...vm, boot: { order: 'n' } }, vdi, vif, [/^VM vm boot: \{\} → \{"order":"n"\}$/]],
    [{ ...vm, memory: { size: 2 } }, vdi, vif, []],
    [{ ...vm, memory: { size: 1, dynamic: [0, 1] } }, vdi, vif, [/^VM vm memory: /]],
    [vm, { ...vdi, size: 200, usage: 7 }, vif, [/^VDI vdi size: 100 → 200$/]],
    [vm, { ...vdi, other_config: { 'xo:import:task': '1' } }, vif, []],
    [vm, { ...vdi, other_config: { theirs: '1' } }, vif, [/^VDI vdi other_config: /]],
    [vm, vdi, { ...vif, MAC: 'bb' }, [/^VIF vif MAC: "aa" → "bb"$/]],
    [{ ...vm, VIFs: [] }, vdi, vif, [/^VM vm VIFs: /, /^VIF vif is not there any more$/]],
    [{ ...vm, added: 1 }, vdi, vif, [/^VM vm added: absent → 1$/]],
  ];
  for (const [a, b, c, told] of cases) {
    const differences = compareSettings(before, take(a, b, c));
    t.equal(differences.length, told.length, differences.join('; '));
    for (const [index, pattern] of told.entries()) t.match(differences[index], pattern);
  }
});
