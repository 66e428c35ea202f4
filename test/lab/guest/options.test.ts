/** The command line: bad options are one sentence and status 2, before anything is built. */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { VARIANT_FAULTS } from '../../../lab/guest/faults.ts';
import { guestOrder, Misuse } from '../../../lab/guest/options.ts';

const MAIN = fileURLToPath(new URL('../../../lab/guest/main.ts', import.meta.url));

function run(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ['--import', 'tsx', MAIN, ...args], { encoding: 'utf8' });
}

const WRONG: readonly (readonly [RegExp, ...string[]])[] = [
  [/^--variant must be one of none, shim-directory, .*; "no-such" was given$/, '--variant', 'no-such'],
  [/^--mode must be one of .*; it is missing$/, '--variant', 'no-sshd'],
  [/^--mode must be one of .*; "pid1" was given$/, '--variant', 'no-sshd', '--mode', 'pid1'],
  [/^--variant needs --out FILE$/, '--variant', 'no-sshd', '--mode', 'shepherd-pid1'],
  [
    /exists in --mode shepherd-pid1 only/,
    ...['--variant', 'shepherd-not-pid1', '--mode', 'freebsd-init+rc.d-shepherd', '--out', 'x.raw'],
  ],
  [/^--mode and --out need --variant$/, '--out', 'x.raw'],
  [/^--cache-dir needs a folder$/, '--cache-dir', ''],
  [/--colour/, '--colour'],
  [/argument/, 'stray'],
];

for (const [sentence, ...args] of WRONG) {
  t.test(args.join(' '), async (t) => {
    t.throws(() => guestOrder(args), { message: sentence, constructor: Misuse });
    t.throws(() => guestOrder(args), { message: /^[^\n]*$/ }, 'one line');
  });
}

t.test('what makes sense', async (t) => {
  t.strictSame(guestOrder([]), { kind: 'build', cacheDir: null });
  t.strictSame(guestOrder(['--cache-dir', '/c']), { kind: 'build', cacheDir: '/c' });
  const variant = ['--mode', 'shepherd-pid1', '--out', 'x.raw', '--variant'];
  t.strictSame(guestOrder([...variant, 'no-sshd']), {
    kind: 'variant',
    cacheDir: null,
    variant: { fault: 'no-sshd', bootMode: 'shepherd-pid1', out: resolve('x.raw') },
  });
  t.match(guestOrder([...variant, 'none']), { variant: { fault: null } });
});

t.test('the program: status 2 and nothing on stdout for misuse', async (t) => {
  const { status, stdout, stderr } = run('--colour');
  t.strictSame({ status, stdout }, { status: 2, stdout: '' });
  t.equal(stderr.trimEnd().split('\n').length, 1);
});

t.test('the program: --list names every fault and what is to be seen', async (t) => {
  const { status, stdout } = run('--list');
  t.equal(status, 0);
  for (const fault of VARIANT_FAULTS) t.match(stdout, new RegExp(`^${fault}\\b`, 'm'));
  t.equal(stdout.match(/^ {2}seen: /gm)?.length, VARIANT_FAULTS.length);
});
