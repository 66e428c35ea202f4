/** Names of the settings become exactly one object each, or a fault that lists what there is. */
import t from 'tap';
import { Fault } from '../../../harness/faults/faults.ts';
import { ObjectStore } from '../../../harness/xcpng/objects.ts';
import { resolvePlacement } from '../../../harness/xcpng/placement.ts';
import type { XoLabSettings } from '../../../harness/xcpng/settings.ts';

type Raw = Readonly<Record<string, unknown>>;
type Wish = Partial<Pick<XoLabSettings, 'template' | 'sr' | 'network' | 'host' | 'shape'>>;

const HVM = { isDefaultTemplate: true, $VBDs: [], virtualizationMode: 'hvm' };

/** A pool with one SR, two networks of which one is for management, and the default template. */
function pool(id: string, changes: Readonly<Record<string, Raw | null>> = {}): Record<string, Raw> {
  const of = (type: string, name: string, more: Raw = {}): Raw => {
    const uuid = `${id}-${name}`;
    return { type, uuid, name_label: name, $pool: id, ...more };
  };
  const all: Record<string, Raw | null> = {
    [id]: of('pool', `Pool ${id}`, { default_SR: `${id}-disks` }),
    [`${id}-host`]: of('host', 'host', { enabled: true, power_state: 'Running' }),
    [`${id}-pbd`]: { type: 'PBD', host: `${id}-host`, SR: `${id}-disks`, attached: true },
    [`${id}-disks`]: of('SR', 'disks', { content_type: 'user', size: 100 }),
    [`${id}-isos`]: of('SR', 'isos', { content_type: 'iso', size: 100 }),
    [`${id}-lan`]: of('network', 'lan'),
    [`${id}-internal`]: of('network', 'internal'),
    [`${id}-pif`]: { type: 'PIF', $pool: id, $network: `${id}-lan`, $host: `${id}-host`, management: true },
    [`${id}-uuid-of-template`]: of('VM-template', 'Other install media', HVM),
    ...changes,
  };
  return Object.fromEntries(Object.entries(all).flatMap(([key, raw]) => (raw === null ? [] : [[key, raw]])));
}

function resolve(objects: Record<string, Raw>, wish: Wish = {}): unknown {
  const store = new ObjectStore();
  store.seed(objects);
  const shape = { firmware: null, memoryMiB: 512, cpus: 1, nic: null };
  const settings = { template: null, sr: null, network: null, host: null, shape, ...wish } as XoLabSettings;
  try {
    const { pool: chosen, host, templateId, srId, networkId } = resolvePlacement(store, settings);
    return { pool: chosen.id, ...{ templateId, srId, networkId }, ...(host === null ? {} : { host: host.id }) };
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
  t.match(
    resolve(two),
    /BAD_PLACEMENT: expected SR, network, template and host to name one pool, 2 match.*Pool a.*Pool b/,
  );
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
  const media = { template: 'Other install media' };
  t.match(
    resolve(pool('a', custom), media),
    /BAD_PLACEMENT.*template.*found 2; there is: .*a-other install media\).*a-own/,
  );
  t.same(resolve(pool('a', custom)), found('a'), "not named: the pool's own");
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

const template = (name: string, more: Raw = {}): Raw => ({
  ...{ type: 'VM-template', uuid: `uuid-of-${name}`, name_label: name, $pool: 'a', ...HVM },
  ...{ memory: { static: [128 * 2 ** 20, 2 ** 30] }, boot: { firmware: 'bios' }, ...more },
});

t.test('a pool without "Other install media"', async (t) => {
  const others = {
    'a-uuid-of-template': null,
    w: template('A Windows', { viridian: true }),
    big: template('Big', { memory: { static: [2 ** 30, 2 ** 30] } }),
    d: template('Debian'),
    pv: template('Ancient', { virtualizationMode: 'pv' }),
    own: template('A user made this', { isDefaultTemplate: false }),
    disk: template('AA with a disk', { $VBDs: ['v1'] }),
    v1: { type: 'VBD', VM: 'x', VDI: 'y', position: '0', is_cd_drive: false, read_only: false },
  };
  t.match(resolve(pool('a', others)), { templateId: 'd' }, 'the plainest default one for HVM, without disks');
  const none = { ...others, w: null, big: null, d: null };
  t.match(resolve(pool('a', none)), /BAD_PLACEMENT: .*no template "Other install media", or another default HVM .*"An/);
});

t.test('a template that does not do', async (t) => {
  const own = {
    pv: template('Ancient', { virtualizationMode: 'pv' }),
    big: template('Big', { memory: { static: [2 ** 30] } }),
  };
  t.match(
    resolve(pool('a', own), { template: 'Ancient' }),
    /BAD_PLACEMENT: .*"Ancient" .* is pv: expected one for HVM/,
  );
  t.match(
    resolve(pool('a', own), { template: 'Big' }),
    /BAD_PLACEMENT: .*needs 1024 MiB of memory, memory_mib gives 512/,
  );
});

t.test('firmware: what is ordered, else the template says', async (t) => {
  const store = new ObjectStore();
  store.seed(pool('a', { u: template('With UEFI', { boot: { firmware: 'uefi' } }) }));
  const firmware = (name: string | null, ordered: 'bios' | 'uefi' | null) => {
    const shape = { firmware: ordered, memoryMiB: 512, cpus: 1, nic: null };
    const settings = { template: name, sr: null, network: null, host: null, shape } as XoLabSettings;
    return resolvePlacement(store, settings).firmware;
  };
  t.equal(firmware(null, null), 'bios');
  t.equal(firmware('With UEFI', null), 'uefi');
  t.equal(firmware('With UEFI', 'bios'), 'bios');
  t.equal(firmware(null, 'uefi'), 'uefi');
});

/** Two hosts with local storage of the same name each; both on the network. */
function twoHosts(changes: Readonly<Record<string, Raw | null>> = {}): Record<string, Raw> {
  return pool('a', {
    'a-host2': {
      type: 'host',
      uuid: 'a-host2',
      name_label: 'host2',
      $pool: 'a',
      enabled: true,
      power_state: 'Running',
    },
    'a-disks2': { type: 'SR', uuid: 'a-disks2', name_label: 'disks', $pool: 'a', content_type: 'user', size: 100 },
    'a-pbd2': { type: 'PBD', host: 'a-host2', SR: 'a-disks2', attached: true },
    'a-pif2': { type: 'PIF', $pool: 'a', $network: 'a-lan', $host: 'a-host2', management: true },
    ...changes,
  });
}

t.test('a host', async (t) => {
  t.match(resolve(twoHosts(), { host: 'host' }), { host: 'a-host', srId: 'a-disks' });
  t.match(resolve(twoHosts(), { host: 'A-HOST' }), { host: 'a-host' }, 'by uuid');
  t.match(
    resolve(twoHosts(), { host: 'host2', sr: 'disks' }),
    { host: 'a-host2', srId: 'a-disks2' },
    'the SR of that name',
  );
  t.match(resolve(twoHosts(), { sr: 'disks' }), /BAD_PLACEMENT.*found 2/, 'without a host the name is no name');
  t.match(
    resolve(twoHosts(), { host: 'host2' }),
    /BAD_PLACEMENT: host "host2" \(a-host2\): it does not see the SR "disks" \(a-disks\)/,
    "the pool's default SR is the other host's",
  );
  t.match(resolve(twoHosts(), { host: 'host2', sr: 'a-disks' }), /BAD_PLACEMENT: .*does not see the SR/);
  t.match(
    resolve(twoHosts({ 'a-pif2': null }), { host: 'host2', sr: 'disks' }),
    /BAD_PLACEMENT: .*no NIC on the network "lan"/,
  );
  t.match(
    resolve(twoHosts({ 'a-pif2': null }), { host: 'host2', sr: 'disks', network: 'internal' }),
    { networkId: 'a-internal' },
    'an internal network is on every host',
  );
  t.match(
    resolve(twoHosts(), { host: 'host3' }),
    /BAD_PLACEMENT: .*host of the pool.*"host3", found 0; there is: "host" /,
  );
  const twin = { 'a-host2': { ...twoHosts()['a-host2'], name_label: 'host' } };
  t.match(
    resolve(twoHosts(twin), { host: 'host' }),
    /BAD_PLACEMENT: .*found 2; there is: "host" \(a-host\), "host" \(a-host2\)/,
  );
  const disabled = { 'a-host': { ...pool('a')['a-host'], enabled: false } };
  t.match(resolve(twoHosts(disabled), { host: 'host' }), { host: 'a-host' }, "its state is the lab's, looked at later");
});

t.test('no host that has both', async (t) => {
  const apart = { 'a-pif': { ...pool('a')['a-pif'], $host: 'a-host2' } };
  t.match(
    resolve(twoHosts({ ...apart, 'a-pif2': null }), { sr: 'a-disks', network: 'lan' }),
    /BAD_PLACEMENT: no host has both .*"host" .*no NIC on the network "lan".*"host2" .*does not see the SR/,
  );
});
