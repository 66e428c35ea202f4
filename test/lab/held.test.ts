/** A lab that outlives its parent: told so, until its time, or until nothing is left in it. */
import t from 'tap';
import { Hold } from '../../lab/held.ts';

t.test('until its time', async (t) => {
  let now = 1_000_000;
  const hold = new Hold({ isEmpty: () => false, nowMs: () => now });
  t.equal(hold.isHeld, false);
  for (const line of ['', 'hold', 'hold 0', 'hold -1', 'hold 1e3', 'held 5']) t.equal(hold.hear(line), null, line);
  t.equal(hold.isHeld, false);
  t.same(JSON.parse(hold.hear('hold 60000') ?? ''), { event: 'held', until: new Date(1_060_000).toISOString() });
  t.equal(hold.isHeld, true);
  now += 59_999;
  t.equal(hold.over(), null);
  now += 1;
  t.equal(hold.over(), 'its time is over');
});

t.test('until it has been empty for a while', async (t) => {
  let [now, empty] = [0, true];
  const hold = new Hold({ isEmpty: () => empty, nowMs: () => now });
  hold.hear('hold 3600000');
  t.equal(hold.over(), null);
  now = 9_000;
  t.equal(hold.over(), null, 'whoever removed the last thing still lists');
  empty = false;
  t.equal(hold.over(), null);
  now = 15_000;
  empty = true;
  t.equal(hold.over(), null, 'counted anew');
  now = 25_000;
  t.equal(hold.over(), 'nothing is left in it');
});
