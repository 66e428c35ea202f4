/** Stdout of a whole program: nobody gets half of it with exit code 0. */
import { spawnSync } from 'node:child_process';
import { openSync } from 'node:fs';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { WholeOutput } from '../../../harness/reporters/stream.ts';

/** Takes one piece at a time, when it is told to; fails with what it is told. */
function reader(code: string | null) {
  const taken: string[] = [];
  const waiting: (() => void)[] = [];
  const stream = new Writable({
    autoDestroy: false,
    highWaterMark: 1,
    write: (piece: Buffer, _encoding, done) => {
      waiting.push(() => {
        if (code !== null) return done(Object.assign(new Error('no'), { code }));
        taken.push(piece.toString());
        done();
      });
    },
  });
  const take = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      next();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { stream, taken, take };
}

t.test('a slow reader gets all of it before the end', async (t) => {
  const { stream, taken, take } = reader(null);
  const output = new WholeOutput(stream);
  for (const line of ['a', 'b', 'c']) output.print(line);
  let ended = false;
  const end = output.end().then(() => {
    ended = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  t.notOk(ended, 'it waits');
  await take();
  await end;
  t.equal(taken.join(''), 'abc');
});

t.test('a reader that left is nobody’s fault; a full disk is', async (t) => {
  for (const [code, refused] of [
    ['EPIPE', false],
    ['ENOSPC', true],
  ] as const) {
    const { stream, take } = reader(code);
    const output = new WholeOutput(stream);
    output.print('a');
    const end = output.end();
    await Promise.all([take(), refused ? t.rejects(end, { code: 'OUTPUT_UNWRITABLE' }) : t.resolves(end)]);
  }
});

t.test('a command whose stdout lies on a full disk', async (t) => {
  const compare = fileURLToPath(new URL('../../../compare.ts', import.meta.url));
  const full = openSync('/dev/full', 'w');
  const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', compare, '--help'], {
    stdio: ['ignore', full, 'pipe'],
    encoding: 'utf8',
  });
  t.equal(status, 3, stderr);
  t.match(stderr, /stdout cannot be written: .*ENOSPC/);
});
