/** A VM that is not listed: gone, or only out of sight. */
import t from 'tap';
import { ObjectStore } from '../../../harness/xcpng/objects.ts';
import { VmPresence } from '../../../harness/xcpng/presence.ts';

t.test('only what stays away while its pool is shown is gone', async (t) => {
  const objects = new ObjectStore();
  let nowMs = 0;
  const presence = new VmPresence(objects, 'P', 'v', { nowMs: () => nowMs, sleep: async () => undefined });
  const pool = { P: { type: 'pool', $pool: 'P' }, h: { type: 'host', $pool: 'P' } };
  const vm = {
    ...{ type: 'VM', uuid: 'v', name_label: 'x', $pool: 'P', power_state: 'Running', tags: [], $VBDs: [], VIFs: [] },
    addresses: {},
  };
  const after = (ms: number): string => {
    nowMs += ms;
    return presence.look().state;
  };
  objects.seed({ ...pool, v: vm });
  t.equal(after(0), 'there');
  objects.notify({ type: 'exit', items: { P: 0, h: 0, v: 0 } });
  t.equal(after(0), 'out-of-sight');
  t.equal(after(120_000), 'out-of-sight', 'XO takes two minutes to find its pool again');
  t.match(presence.look(), { forMs: 120_000, seen: /neither VM v nor its pool/ });
  objects.notify({ type: 'enter', items: pool });
  t.equal(after(9_999), 'out-of-sight', 'the pool shows itself before its VMs');
  objects.notify({ type: 'enter', items: { v: vm } });
  t.equal(after(0), 'there');
  objects.notify({ type: 'exit', items: { v: 0 } });
  t.equal(after(0), 'out-of-sight', 'the time starts anew');
  t.equal(after(9_999), 'out-of-sight');
  t.equal(after(1), 'gone');
  t.match(presence.look(), { seen: /not listed any more, while its pool and host are/ });
});
