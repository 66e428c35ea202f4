/** Who wins the chain of addresses, and when it refuses to guess. */
import t from 'tap';
import { chooseAddress, reportedAddresses, type Saying, sayingsOfXo } from '../../../harness/xcpng/address.ts';

const vm = (addresses: Record<string, string>, mainIpAddress: string | null = null) => ({ addresses, mainIpAddress });

t.test('what the guest reports', async (t) => {
  const all = vm({
    '10/ipv4/0': '198.51.100.10',
    '2/ipv4/0': '198.51.100.2',
    '0/ipv6/0': '2001:db8::7',
    '0/ipv4/0': '169.254.3.4',
    '0/ipv6/1': 'fe80::1',
  });
  t.same(reportedAddresses(all), ['198.51.100.2', '198.51.100.10', '2001:db8::7'], 'IPv4 first, devices as numbers');
  t.same(reportedAddresses(vm({}, '198.51.100.7 198.51.100.8')), ['198.51.100.7', '198.51.100.8']);
  t.same(reportedAddresses(vm({ '0/ipv4/0': 'not an address' }, '')), []);
});

const said = (source: string, addresses: readonly string[], sure = true): Saying => ({
  ...{ source, addresses: addresses.map((address) => ({ address, sure })), failed: null },
});
const chosen = (raw: Parameters<typeof sayingsOfXo>[0], slot: string | null, ...more: readonly Saying[]) =>
  chooseAddress([...sayingsOfXo(raw, slot), ...more]);

t.test('the chain', async (t) => {
  const reports = vm({ '0/ipv4/0': '198.51.100.7', '0/ipv6/0': '2001:db8::7' });
  t.match(chosen(reports, null), { host: '198.51.100.7', source: 'guest-metrics', others: Array });
  t.same(chosen(vm({}), '198.51.100.9'), {
    state: 'found',
    host: '198.51.100.9',
    source: 'slot',
    sure: true,
    others: [],
  });
  t.same(chosen(reports, '198.51.100.7'), {
    state: 'found',
    host: '198.51.100.7',
    source: 'guest-metrics',
    sure: true,
    others: ['guest-metrics=2001:db8::7', 'slot=198.51.100.7'],
  });
  t.match(chosen(vm({ '0/ipv6/0': '2001:db8::7' }), '198.51.100.9'), {
    source: 'slot',
    others: ['guest-metrics=2001:db8::7'],
  });
  const two = vm({ '0/ipv4/0': '198.51.100.6', '1/ipv4/0': '198.51.100.7' });
  t.match(chosen(two, '198.51.100.7'), {
    host: '198.51.100.7',
    others: ['guest-metrics=198.51.100.6', 'slot=198.51.100.7'],
  });
});

t.test('sources of the lab file', async (t) => {
  const none = vm({});
  const table = said('neighbour-table', ['198.51.100.7']);
  t.match(chosen(none, null, table), { host: '198.51.100.7', source: 'neighbour-table', others: [] });
  const both = chosen(none, null, table, said('command', ['198.51.100.7']));
  t.match(both, { source: 'neighbour-table', others: ['command=198.51.100.7'] });
  const old = said('neighbour-table', ['198.51.100.5'], false);
  t.match(chosen(none, null, old), { host: '198.51.100.5', sure: false }, 'better than nothing');
  t.match(chosen(none, null, old, said('command', ['198.51.100.7'])), {
    ...{ state: 'found', host: '198.51.100.7', source: 'command', others: ['neighbour-table=198.51.100.5 (old)'] },
  });
  t.match(chosen(none, null, said('command', ['169.254.1.1'])), { state: 'none' }, 'link-local is never taken');
  const failed = { source: 'command', addresses: [], failed: 'exit 3' };
  t.match(chosen(none, '198.51.100.9', failed), { state: 'found', others: ['command failed: exit 3'] });
  t.match(chosen(none, null, failed), { state: 'none', seen: /command failed: exit 3/ });
});

t.test('it says no', async (t) => {
  const conflict = chosen(vm({ '0/ipv4/0': '198.51.100.7' }), '198.51.100.9');
  t.match(conflict, { state: 'conflict', seen: 'guest-metrics says 198.51.100.7, slot says 198.51.100.9' });
  const disagree = chosen(vm({}), '198.51.100.9', said('command', ['198.51.100.7']));
  t.match(disagree, { state: 'conflict', seen: 'slot says 198.51.100.9, command says 198.51.100.7' });
  t.match(chosen(vm({}), null), { state: 'none', seen: /^guest-metrics knows none$/ });
  t.match(chosen(vm({ '0/ipv4/0': '169.254.1.1' }), null), { state: 'none' });
});

t.test('link-local and unspecified addresses are never taken, in no spelling and from no source', async (t) => {
  const nobodys = [
    ...['169.254.3.4', 'fe80::1', 'FE80::1', 'febf::1', 'fe80::1%em0', 'fe80:0:0::1'],
    ...['::ffff:169.254.3.4', '::ffff:a9fe:304', '0.0.0.0', '::', '::ffff:0.0.0.0'],
  ];
  for (const address of nobodys) {
    t.match(chosen(vm({ '0/ipv4/0': address }, address), null), { state: 'none' }, `guest-metrics: ${address}`);
    t.match(chosen(vm({}), address), { state: 'none' }, `slot: ${address}`);
    for (const source of ['neighbour-table', 'command']) {
      t.match(chosen(vm({}), null, said(source, [address])), { state: 'none' }, `${source}: ${address}`);
    }
    t.match(chosen(vm({}), '198.51.100.9', said('command', [address])), { host: '198.51.100.9' }, 'nor a conflict');
  }
  for (const address of ['fec0::1', 'fe00::1', '169.253.1.1', 'feature-vm.example.org', 'fe80.example.org']) {
    t.match(chosen(vm({}), address), { state: 'found', host: address }, address);
  }
});
