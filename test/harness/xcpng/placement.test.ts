/** Names of the settings become exactly one object each, or a fault that lists what there is. */
import t from 'tap';
import { Fault } from '../../../harness/faults.ts';
import { ObjectStore } from '../../../harness/xcpng/objects.ts';
import { resolvePlacement } from '../../../harness/xcpng/placement.ts';
import type { XoLabSettings } from '../../../harness/xcpng/settings.ts';

type Raw = Readonly<Record<string, unknown>>;
type Wish = Partial<Pick<XoLabSettings, 'template' | 'sr' | 'network'>>;

/** A pool with one SR, two networks of which one is for management, and the default template. */
function pool(id: string, changes: Readonly<Record<string, Raw | null>> = {}): Record<string, Raw> {
  const of = (type: string, name: string, more: Raw = {}): Raw => {
    const uuid = `${id}-${name}`;
    return { type, uuid, name_label: name, $pool: id, ...more };
  };
  const all: Record<string, Raw | null> = {
    [id]: of('pool', `Pool ${id}`, { default_SR: `${id}-disks` }),
    [`${id}-host`]: of('host', 'host', { enabled: true }),
    [`${id}-disks`]: of('SR', 'disks', { content_type: 'user', size: 100 }),
    [`${id}-isos`]: of('SR', 'isos', { content_type: 'iso', size: 100 }),
    [`${id}-lan`]: of('network', 'lan'),
    [`${id}-internal`]: of('network', 'internal'),
    [`${id}-pif`]: { type: 'PIF', $pool: id, $network: `${id}-lan`, management: true },
    [`${id}-uuid-of-template`]: of('VM-template', 'Other install media', { isDefaultTemplate: true, $VBDs: [] }),
    ...changes,
  };
  return Object.fromEntries(Object.entries(all).flatMap(([key, raw]) => (raw === null ? [] : [[key, raw]])));
}

function resolve(objects: Record<string, Raw>, wish: Wish = {}): unknown {
  const store = new ObjectStore();
  store.seed(objects);
  const settings = { template: null, sr: null, network: null, ...wish } as XoLabSettings;
  try {
    const { pool: chosen, ...ids } = resolvePlacement(store, settings);
    return { pool: chosen.id, ...ids };
  } catch (error) {
    return error instanceof Fault ? `${error.code}: ${error.message}` : error;
  }
}

const found = (id: string) => ({
  pool: id,
  templateId: `${id}-uuid-of-template`,
  srId: `${id}-disks`,
  networkId: `${id}-lan`,
});

t.test('defaults and names', async (t) => {
  t.same(resolve(pool('a')), found('a'));
  t.same(resolve(pool('a'), { sr: 'disks', network: 'lan', template: 'Other install media' }), found('a'));
  t.same(
    resolve(pool('a'), { network: 'A-INTERNAL' }),
    { ...found('a'), networkId: 'a-internal' },
    'by uuid, any case',
  );
  t.same(resolve(pool('a', { 'a-internal': null, 'a-pif': null })), found('a'), 'the only network');
});

t.test('several pools', async (t) => {
  const two = { ...pool('a'), ...pool('b') };
  t.match(resolve(two), /BAD_PLACEMENT: expected SR, network and template to name one pool, 2 match.*Pool a.*Pool b/);
  t.same(resolve(two, { sr: 'b-disks' }), found('b'), 'a uuid tells which pool is meant');
});

t.test('no match, or two', async (t) => {
  t.match(resolve(pool('a'), { sr: 'nvme' }), /BAD_PLACEMENT: .*SR for disks named "nvme", found 0; there is: "disks"/);
  t.match(resolve(pool('a'), { sr: 'isos' }), /BAD_PLACEMENT.*"isos", found 0/, 'an ISO library holds no disks');
  const twins = { 'a-lan2': { type: 'network', uuid: 'a-lan2', name_label: 'lan', $pool: 'a' } };
  t.match(resolve(pool('a', twins), { network: 'lan' }), /BAD_PLACEMENT.*found 2; there is: .*a-lan\).*a-lan2/);
  const second = { ...pool('a')['a-disks'], uuid: 'a-disks2' };
  const disks2 = { 'a-disks2': second };
  t.match(resolve(pool('a', disks2), { sr: 'disks' }), /BAD_PLACEMENT.*SR.*found 2; there is: .*a-disks\).*a-disks2/);
  t.match(resolve(pool('a', disks2), { sr: 'a-disks' }), { srId: 'a-disks' }, 'a uuid names one of them');
  const custom = { 'a-own': { ...pool('a')['a-uuid-of-template'], uuid: 'a-own', isDefaultTemplate: false } };
  t.match(resolve(pool('a', custom)), /BAD_PLACEMENT.*template.*found 2; there is: .*a-other install media\).*a-own/);
  t.match(resolve(pool('a'), { template: 'Debian' }), /BAD_PLACEMENT.*template named "Debian"/);
  t.match(resolve(pool('a', { 'a-pif': null })), /BAD_PLACEMENT: which network/);
  const bare = { a: { type: 'pool', uuid: 'a', name_label: 'A', $pool: 'a' } };
  t.match(resolve(pool('a', bare)), /BAD_PLACEMENT.*no default SR; name one of: "disks"/);
  t.match(resolve({}), /XO_OBJECT_LATE: .*no pool/);
});

t.test('a template with a disk of its own', async (t) => {
  const own = {
    'a-uuid-of-template': {
      ...pool('a')['a-uuid-of-template'],
      $VBDs: ['v1'],
    },
    v1: { type: 'VBD', VM: 'x', VDI: 'y', position: '0', is_cd_drive: false, read_only: false },
  };
  t.match(resolve(pool('a', own)), /BAD_PLACEMENT.*has 1 disk\(s\) of its own/);
  const cd = { ...own, v1: { ...own.v1, is_cd_drive: true } };
  t.same(resolve(pool('a', cd)), found('a'), 'a CD drive is no disk');
});
