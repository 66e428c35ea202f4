/** What counts as standing still. */
import t from 'tap';
import { Standstill } from '../../../harness/process/standstill.ts';

function over(gapsMs: readonly number[]): number | null {
  let nowMs = 1_000;
  const watched = new Standstill(() => nowMs);
  const since = watched.begin();
  for (const gapMs of gapsMs) {
    nowMs += gapMs;
    watched.tick();
  }
  return watched.since(since);
}
const QUIET = Array.from({ length: 40 }, () => 250);

t.test('what stood still', async (t) => {
  t.equal(over(QUIET), null, 'always on time');
  t.equal(over(Array.from({ length: 40 }, () => 900)), null, 'a slow machine that gets on');
  t.equal(over([...QUIET, 3_000]), null, 'a moment of a long wait');
  t.equal(over([...QUIET, 4_000]), 4_000, 'much of it');
  t.equal(over([1_500, 1_500, 250, 1_500]), 4_500, 'again and again');
  t.equal(over([]), null, 'nothing has passed');
});

t.test('also what goes on until it is asked', async (t) => {
  let nowMs = 0;
  const watched = new Standstill(() => nowMs);
  const since = watched.begin();
  nowMs = 60_000;
  t.equal(watched.since(since), 60_000);
  t.equal(watched.since(watched.begin()), null, 'what stood before a wait is not of it');
});
