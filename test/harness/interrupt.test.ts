import t from 'tap';
import { listenForInterrupt } from '../../harness/interrupt.ts';

t.test('signals that arrive together are one press; the signal carries the fault', async (t) => {
  let second = 0;
  const firsts: string[] = [];
  const interrupt = listenForInterrupt(
    (signal) => firsts.push(signal),
    () => second++,
  );
  t.teardown(() => interrupt.remove());
  process.emit('SIGINT', 'SIGINT');
  process.emit('SIGINT', 'SIGINT');
  process.emit('SIGTERM', 'SIGTERM');
  t.same(firsts, ['SIGINT']);
  t.equal(interrupt.presses(), 1);
  t.equal(second, 0);
  t.match(interrupt.signal.reason, { code: 'INTERRUPTED', message: 'interrupted by SIGINT' });
});

t.test('a later signal is a second press', async (t) => {
  let nowMs = 0;
  const { now } = performance;
  performance.now = () => nowMs;
  t.teardown(() => {
    performance.now = now;
  });
  let second = 0;
  const interrupt = listenForInterrupt(
    () => undefined,
    () => second++,
  );
  t.teardown(() => interrupt.remove());
  process.emit('SIGINT', 'SIGINT');
  nowMs = 2_000;
  process.emit('SIGINT', 'SIGINT');
  t.equal(second, 1);
  t.equal(interrupt.presses(), 2);
});
