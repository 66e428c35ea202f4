import t from 'tap';
import { byDeadline, type Clock, Deadline, retry, systemClock, until } from '../../harness/deadline.ts';
import { Fault } from '../../harness/faults/faults.ts';

/** Time that passes only while somebody sleeps. */
function fakeClock(): Clock {
  let nowMs = 1_000;
  return {
    nowMs: () => nowMs,
    sleep: async (ms) => {
      nowMs += ms;
    },
  };
}
const never = new AbortController().signal;

t.test('a wait that ends says what, how long, how often and the last thing seen', async (t) => {
  const deadline = Deadline.after(3_000, never, fakeClock());
  let looks = 0;
  await t.rejects(
    until(deadline, { what: 'VM x to be Running', code: 'XO_OBJECT_LATE', everyMs: 1_000 }, () => ({
      seen: `Halted ${++looks}`,
    })),
    { code: 'XO_OBJECT_LATE', message: 'VM x to be Running: not within 3.0 s (4 looks); last seen: Halted 4' },
  );
});

t.test('a wait ends with the thing itself', async (t) => {
  let looks = 0;
  const deadline = Deadline.after(3_000, never, fakeClock());
  const value = await until(deadline, { what: 'x', code: 'XO_OBJECT_LATE', everyMs: 100 }, () =>
    ++looks === 3 ? { done: 'here' } : { seen: 'no' },
  );
  t.equal(value, 'here');
  t.equal(looks, 3);
});

t.test('an interrupt ends every wait with its own fault', async (t) => {
  const controller = new AbortController();
  const deadline = Deadline.after(60_000, controller.signal);
  const waiting = until(deadline, { what: 'x', code: 'XO_OBJECT_LATE', everyMs: 50_000 }, () => ({ seen: 'no' }));
  const answering = byDeadline(deadline, 'XO_CALL_TIMEOUT', 'x', new Promise(() => undefined));
  controller.abort(new Fault('INTERRUPTED', 'interrupted by SIGINT'));
  await t.rejects(waiting, { code: 'INTERRUPTED' });
  await t.rejects(answering, { code: 'INTERRUPTED' });
});

t.test('work that does not answer is left at the deadline', async (t) => {
  const deadline = Deadline.after(2_000, never, fakeClock());
  await t.rejects(byDeadline(deadline, 'XO_CALL_TIMEOUT', 'vm.start', new Promise(() => undefined)), {
    code: 'XO_CALL_TIMEOUT',
    message: 'vm.start: no answer within 2.0 s',
  });
  t.equal(await byDeadline(Deadline.after(2_000, never, systemClock), 'XO_CALL_TIMEOUT', 'x', Promise.resolve(7)), 7);
});

t.test('a deadline inside another is never later', async (t) => {
  const outer = Deadline.after(1_000, never, fakeClock());
  t.equal(outer.within(5_000).budgetMs, 1_000);
  t.equal(outer.within(300).budgetMs, 300);
});

t.test('only a retriable lab fault is tried again', async (t) => {
  const attempt = async (fault: Error, heals: boolean): Promise<{ calls: number; result: string }> => {
    let calls = 0;
    const options = { retries: 2, minTimeoutMs: 1, onRetry: () => undefined };
    const result = await retry(Deadline.after(5_000, never), options, async () => {
      calls++;
      if (heals && calls === 2) return 'healed';
      throw fault;
    }).catch((error: unknown) => (error instanceof Error ? `${error.name} ${error.message}` : 'no error'));
    return { calls, result };
  };
  t.same(await attempt(new Fault('UPLOAD_INTERRUPTED', 'cut'), true), { calls: 2, result: 'healed' });
  t.same(await attempt(new Fault('UPLOAD_INTERRUPTED', 'cut'), false), { calls: 3, result: 'Fault cut (try 3 of 3)' });
  t.same(await attempt(new Fault('UPLOAD_REFUSED', 'full'), false), { calls: 1, result: 'Fault full' });
  t.same(await attempt(new Fault('GUEST_SILENT', 'silent'), false), { calls: 1, result: 'Fault silent' });
  t.same(await attempt(new TypeError('bug'), false), { calls: 1, result: 'TypeError bug' });
});

t.test('an error that others hold, too, is not written to', async (t) => {
  const gone = new Fault('XO_UNREACHABLE', 'the session ended');
  const options = { retries: 1, minTimeoutMs: 1, onRetry: () => undefined };
  const refused = await retry(Deadline.after(5_000, never), options, () => Promise.reject(gone)).catch(
    (e: unknown) => e,
  );
  t.match(refused, { code: 'XO_UNREACHABLE', message: 'the session ended (try 2 of 2)', cause: gone });
  t.equal(gone.message, 'the session ended');
  const stop = new AbortController();
  const interrupt = new Fault('INTERRUPTED', 'interrupted by SIGINT');
  let calls = 0;
  const stopped = retry(Deadline.after(5_000, stop.signal), options, async () => {
    if (++calls === 2) stop.abort(interrupt);
    stop.signal.throwIfAborted();
    throw new Fault('UPLOAD_INTERRUPTED', 'cut');
  });
  t.equal(await stopped.catch((e: unknown) => e), interrupt);
  t.equal(interrupt.message, 'interrupted by SIGINT', 'an interrupt is no try');
});
