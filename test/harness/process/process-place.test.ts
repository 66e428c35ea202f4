/** Is it still that process? A pid that somebody else has got by now, and a zombie, are told from it. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import type { Writable } from 'node:stream';
import t from 'tap';
import { isSurely, placeIn, placeOf, processState } from '../../../harness/process/process-place.ts';

const proc = existsSync('/proc/self/stat') ? {} : { skip: 'no /proc here' };

t.test('this one lives; the same pid started at another time is another one', proc, async (t) => {
  const here = placeOf();
  t.equal(processState(here), 'alive');
  t.ok(isSurely(here));
  const recycled = { ...here, startTicks: '1' };
  t.equal(processState(recycled), 'dead');
  t.notOk(isSurely(recycled), 'and is never signalled');
  const { startTicks: _, ...older } = here;
  t.equal(processState(older), 'alive', 'of an older version: as good as it can be told');
  t.notOk(isSurely(older), 'but nobody is sure');
  t.equal(processState({ ...here, host: 'another' }), 'unknown');
  t.equal(processState({ ...here, pids: 'pid:[1]' }), 'unknown');
  t.equal(processState({ ...here, bootId: 'another' }), 'dead');
});

t.test('another boot of this machine, or a clone of it with its name?', proc, async (t) => {
  const before = { ...placeOf(), bootId: 'another' };
  const clone = { ...before, machineId: 'b'.repeat(32) };
  t.equal(processState(clone, { ...placeOf(), machineId: 'a'.repeat(32) }), 'unknown');
  t.equal(processState(clone, { ...placeOf(), machineId: 'b'.repeat(32) }), 'dead');
  t.equal(processState({ ...placeOf(), machineId: 'b'.repeat(32) }, { ...placeOf(), machineId: null }), 'unknown');
  t.equal(processState({ ...before, machineId: null }, { ...placeOf(), machineId: null }), 'dead', 'neither has one');
  const { machineId: _, ...older } = before;
  t.equal(processState(older), 'dead', 'of an older version: as good as it can be told');
  t.notOk(isSurely({ ...placeOf(), machineId: 'c'.repeat(32) }), 'nobody is signalled on a clone');
});

t.test('a zombie has ended', proc, async (t) => {
  // The shell is replaced by a program that does not wait for its child, and only then the child ends.
  const script = 'cat <&3 & echo $!; exec 3<&-; exec sleep 60';
  const parent = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore', 'pipe'] });
  t.teardown(() => void parent.kill('SIGKILL'));
  const pid = await new Promise<number>((resolve) => {
    parent.stdout?.once('data', (text: Buffer) => resolve(Number(text.toString())));
  });
  const shows = async (of: number | undefined, what: RegExp): Promise<void> => {
    while (!what.test(readFileSync(`/proc/${of}/stat`, 'utf8'))) await new Promise((resolve) => setImmediate(resolve));
  };
  await shows(parent.pid, /\(sleep\)/);
  (parent.stdio[3] as Writable).end();
  await shows(pid, /\) Z /);
  t.doesNotThrow(() => process.kill(pid, 0), 'its pid is still taken');
  t.equal(processState(placeOf(pid)), 'dead');
});

t.test('what is stored is looked at before it is believed', async (t) => {
  const here = placeOf();
  t.same(placeIn(JSON.parse(JSON.stringify(here))), here);
  for (const wrong of [
    null,
    7,
    {},
    { ...here, pid: -1 },
    { ...here, pid: '7' },
    { ...here, host: 1 },
    { ...here, machineId: 1 },
  ]) {
    t.equal(placeIn(wrong), null, JSON.stringify(wrong));
  }
});
