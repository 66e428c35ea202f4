import type { EventEmitter } from 'node:events';
import t from 'tap';
import { faultRecord } from '../../../harness/faults/faults.ts';
import { listenForInterrupt } from '../../../harness/process/interrupt.ts';

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

t.test('an exception that nobody caught ends the case in order, as our bug', async (t) => {
  const others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  const interrupt = listenForInterrupt(
    () => undefined,
    () => undefined,
  );
  t.teardown(() => interrupt.remove());
  const bug = new Error('read of undefined');
  (process as EventEmitter).emit('uncaughtException', bug, 'uncaughtException');
  for (const other of others) process.on('uncaughtException', other);
  t.equal(interrupt.signal.reason, bug);
  t.match(faultRecord(interrupt.signal.reason), { code: 'HARNESS_BUG', party: 'harness' });
});

t.test('runs side by side share one listener, each is told, and none stays', async (t) => {
  const before = process.listenerCount('SIGINT');
  const told: number[] = [];
  const interrupts = Array.from({ length: 20 }, (_, nth) =>
    listenForInterrupt(
      () => told.push(nth),
      () => undefined,
    ),
  );
  t.teardown(() => {
    for (const each of interrupts) each.remove();
  });
  t.equal(process.listenerCount('SIGINT'), before + 1);
  interrupts[3]?.remove();
  interrupts[3]?.remove();
  process.emit('SIGINT', 'SIGINT');
  t.equal(told.length, 19);
  t.ok(interrupts.every(({ signal }, nth) => signal.aborted === (nth !== 3)));
  for (const each of interrupts) each.remove();
  t.equal(process.listenerCount('SIGINT'), before);
});
