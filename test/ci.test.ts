/** The line that CI ends with: each way in which tests can go wrong must show in it, or keep it from being printed. */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { addTotals, closingLine, readTotals } from './totals.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

t.test('totals are read from the raw TAP, todo points counted as skipped', async (t) => {
  const tap = 'ok 1 - a.ts # time=3ms\nnot ok 2 - b.ts\n1..2\n# { total: 5, pass: 2, fail: 1, todo: 1, skip: 1 }\n';
  t.same(readTotals(tap, 2), { passed: 2, failed: 1, skipped: 2 });
});

t.test('a file that was killed counts as failed, though the runner counts no failed point', async (t) => {
  const tap = '1..2\nnot ok 1 - killed.ts # time=9ms\nok 2 - b.ts\n# { total: 3, pass: 3 }\n';
  t.equal(readTotals(tap, 2).failed, 1);
});

t.test('a file without a test counts as failed', async (t) => {
  const tap = '1..2\nok 1 - empty.ts # SKIP no tests found\nok 2 - b.ts\n# { total: 2, pass: 1, skip: 1 }\n';
  t.same(readTotals(tap, 2), { passed: 1, failed: 1, skipped: 0 });
});

t.test('what is incomplete has no totals', async (t) => {
  t.throws(() => readTotals('1..1\nok 1 - a.ts\n', 1), /wrote no totals/);
  t.throws(() => readTotals('1..2\nok 1 - a.ts\n# { total: 1, pass: 1 }\n', 2), /given 2 files and reported 1/);
  t.throws(() => readTotals('Bail out! no\n# { total: 1, pass: 1 }\n', 1), /gave up: Bail out! no/);
  t.throws(() => readTotals('ok 1 - a.ts\n# { total: 4, pass: 1 }\n', 1), /do not add up/);
  const printedByATest = '1..1\n    # { total: 99, pass: 99 }\nok 1 - a.ts\n';
  t.throws(() => readTotals(printedByATest, 1), /wrote no totals/);
});

t.test('the line names skipped points only where there are any', async (t) => {
  t.equal(closingLine({ passed: 3, failed: 0, skipped: 0 }), '3 passed, 0 failed');
  const two = addTotals([
    { passed: 1, failed: 2, skipped: 3 },
    { passed: 10, failed: 20, skipped: 30 },
  ]);
  t.equal(closingLine(two), '11 passed, 22 failed, 33 skipped');
});

t.test('the runner itself', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'bootwitness run '));
  t.teardown(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'test/qemu'), { recursive: true });
  for (const file of ['test/run.ts', 'test/ring.ts', 'test/condense.ts', 'test/totals.ts', 'package.json']) {
    cpSync(join(ROOT, file), join(folder, file));
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const write = (file: string, body: string): void =>
    writeFileSync(join(folder, 'test', file), `import t from 'tap';\n${body}\n`);
  write('good.test.ts', "t.ok(true, 'should be truthy'); t.test('later', { skip: 'not now' }, async () => undefined);");
  write('bad.test.ts', "t.equal(1, 2, 'one is two');");
  write('qemu/slow.test.ts', "t.equal(1, 1);\nprocess.on('exit', () => { console.log('5000 passed, 0 failed'); });");
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ['--import', 'tsx', 'test/run.ts', ...args], {
      cwd: folder,
      encoding: 'utf8',
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^_?TAP|^NODE_OPTIONS$/.test(name))),
    });
  const last = (text: string): string | undefined => text.trimEnd().split('\n').at(-1);

  const all = run();
  t.equal(last(all.stdout), '2 passed, 1 failed, 1 skipped', all.stdout + all.stderr);
  t.equal(all.status, 1);
  t.match(all.stdout, /not ok 1 - one is two/);
  t.match(all.stdout, / # SKIP not now\n/, 'a skipped point is shown with its reason');
  t.notMatch(all.stdout, /should be truthy/, 'a passed point is not shown');

  const narrow = run('test/qemu');
  t.equal(last(narrow.stdout), '1 passed, 0 failed');
  t.equal(narrow.status, 0);

  const none = run('test/nowhere');
  t.same([none.status, none.stdout], [1, '']);
  t.match(none.stderr, /no test was run/);

  const unknown = run('--slow');
  t.equal(unknown.status, 2);
  t.match(unknown.stderr, /unknown option --slow/);

  write('../test/ring.ts', "t.spawn('env', ['true'], {}, 'test/good.test.ts'); process.kill(process.pid, 'SIGKILL');");
  const crashed = run('test/good.test.ts');
  t.equal(crashed.status, 1);
  t.notMatch(crashed.stdout, /passed/);
  t.match(crashed.stderr, /no totals, since a ring did not come to its end/);
});

t.test('.ci/run', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'bootwitness ci '));
  t.teardown(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, '.ci'));
  mkdirSync(join(folder, 'bin'));
  cpSync(join(ROOT, '.ci/run'), join(folder, '.ci/run'));
  const script = (file: string, body: string): void => {
    writeFileSync(join(folder, file), `#!/bin/sh\n${body}\n`);
    chmodSync(join(folder, file), 0o755);
  };
  const ci = (setup: string, npm: string) => {
    script('setup.sh', setup);
    script('bin/npm', npm);
    const env = { ...process.env, PATH: `${folder}/bin:${process.env.PATH}`, FORCE_COLOR: '1' };
    const ran = spawnSync('bash', [join(folder, '.ci/run')], { cwd: '/', encoding: 'utf8', env });
    return { status: ran.status, last: ran.stdout.trimEnd().split('\n').at(-1) };
  };
  t.same(ci('', 'echo "$1 $CI"; echo "7 passed, 0 failed"'), { status: 0, last: '7 passed, 0 failed' });
  t.same(ci('', 'echo "7 passed, 1 failed, 2 skipped"; echo "npm error" >&2; exit 1'), {
    status: 1,
    last: '7 passed, 1 failed, 2 skipped',
  });
  const cut = 'ci: the tests did not come to their end';
  t.same(ci('exit 3', 'echo "7 passed, 0 failed"'), { status: 3, last: `${cut} (exit status 3)` });
  t.same(ci('', 'echo "ok 1"'), { status: 1, last: `${cut} (exit status 0)` });
  t.same(ci('', 'kill -9 $$'), { status: 137, last: `${cut} (exit status 137)` });
  const odd = 'ci: exit status 4, though no test failed';
  t.same(ci('', 'echo "7 passed, 0 failed"; exit 4'), { status: 4, last: odd });
  t.equal(ci('', 'echo "7 passed, 2 failed"').status, 1);
  t.equal(ci('', 'echo "0 passed, 0 failed"').status, 1);
  const quiet = 'test -z "$FORCE_COLOR" && test "$NO_COLOR" = 1 && ! read -r line && echo "1 passed, 0 failed"';
  t.equal(ci('', quiet).status, 0, 'no colour, and nothing on standard input');
});
