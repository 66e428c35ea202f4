/** Who wins the chain of addresses, and when it refuses to guess. */
import t from 'tap';
import { chooseAddress, reportedAddresses } from '../../../harness/xcpng/address.ts';

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

t.test('the chain', async (t) => {
  const reports = vm({ '0/ipv4/0': '198.51.100.7', '0/ipv6/0': '2001:db8::7' });
  t.same(chooseAddress(reports, null), { state: 'found', host: '198.51.100.7', source: 'guest-metrics', others: [] });
  t.same(chooseAddress(vm({}), '198.51.100.9'), { state: 'found', host: '198.51.100.9', source: 'slot', others: [] });
  t.same(chooseAddress(reports, '198.51.100.7'), {
    state: 'found',
    host: '198.51.100.7',
    source: 'guest-metrics',
    others: ['slot=198.51.100.7', 'guest-metrics=2001:db8::7'],
  });
  t.match(chooseAddress(vm({ '0/ipv6/0': '2001:db8::7' }), '198.51.100.9'), {
    source: 'slot',
    others: ['guest-metrics=2001:db8::7'],
  });
});

t.test('it says no', async (t) => {
  const conflict = chooseAddress(vm({ '0/ipv4/0': '198.51.100.7' }), '198.51.100.9');
  t.match(conflict, { state: 'conflict', seen: 'the slot says 198.51.100.9, the guest reports 198.51.100.7' });
  t.match(chooseAddress(vm({}), null), { state: 'none', seen: /no address/ });
  t.match(chooseAddress(vm({ '0/ipv4/0': '169.254.1.1' }), null), { state: 'none', seen: /only 169\.254\.1\.1/ });
});
