/** Records are taken where they can be, and their absence is no error. */
import t from 'tap';
import { readRecords } from '../../../harness/guest/guest-records.ts';

t.test('only what was read is recorded', async (t) => {
  const facts = { probe: 'guest-records', operator_home_listing: 'total 0', logger_log: '' };
  t.strictSame(readRecords({ state: 'seen', facts }), { operator_home_listing: 'total 0', logger_log: '' });
  const booted = { probe: 'guest-records', boot_firmware: 'uefi' };
  t.strictSame(readRecords({ state: 'seen', facts: booted }), { boot_firmware: 'uefi' });
  t.strictSame(readRecords({ state: 'seen', facts: { probe: 'guest-records' } }), {});
  t.strictSame(readRecords({ state: 'unseen', reason: 'cut' }), {});
});
