/** One holder at a time, and none for ever: the lock goes with its holder. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { lock } from '../../../lab/guest/recipe/lock.ts';

const folder = await mkdtemp(join(tmpdir(), 'bootwitness-lock-'));
t.teardown(() => rm(folder, { recursive: true }));

t.test('the second waits for the first, and says so', async (t) => {
  const file = join(folder, 'one');
  const order: string[] = [];
  const unlock = await lock(file, () => order.push('never'));
  let told: () => void = () => undefined;
  const waits = new Promise<void>((resolve) => {
    told = resolve;
  });
  const second = lock(file, () => {
    order.push('waiting');
    told();
  }).then((release) => {
    order.push('second');
    return release;
  });
  await waits;
  order.push('first leaves');
  await unlock();
  await (await second)();
  t.strictSame(order, ['waiting', 'first leaves', 'second']);
});

t.test('a killed holder gives it back', async (t) => {
  const file = join(folder, 'two');
  const module = new URL('../../../lab/guest/recipe/lock.ts', import.meta.url).href;
  const script = `const { lock } = await import(${JSON.stringify(module)});
    await lock(${JSON.stringify(file)}, () => {});
    console.log('held');
    setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => holder.stdout.once('data', resolve));
  const next = lock(file, () => undefined);
  holder.kill('SIGKILL');
  await (await next)();
  t.pass('got it');
});

t.rejects(
  lock(join(folder, 'no/such/folder'), () => undefined),
  { message: /before it had the lock/ },
);
