/** The command line: bad options are one sentence and status 2, before anything is built. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { VARIANT_FAULTS } from '../../../lab/guest/faults.ts';

const MAIN = fileURLToPath(new URL('../../../lab/guest/main.ts', import.meta.url));

function run(...args: readonly string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', MAIN, ...args], (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

const WRONG: readonly (readonly [RegExp, ...string[]])[] = [
  [/^--variant must be one of none, shim-directory, .*; "no-such" was given$/, '--variant', 'no-such'],
  [/^--mode must be one of .*; it is missing$/, '--variant', 'no-sshd'],
  [/^--mode must be one of .*; "pid1" was given$/, '--variant', 'no-sshd', '--mode', 'pid1'],
  [/^--variant needs --out FILE$/, '--variant', 'no-sshd', '--mode', 'shepherd-pid1'],
  [
    /exists in --mode shepherd-pid1 only/,
    ...['--variant', 'shepherd-not-pid1', '--mode', 'freebsd-init+rc.d-shepherd', '--out', '/nowhere/x.raw'],
  ],
  [/^--mode and --out need --variant$/, '--out', 'x.raw'],
  [/--colour/, '--colour'],
  [/argument/, 'stray'],
];

for (const [sentence, ...args] of WRONG) {
  t.test(args.join(' '), async (t) => {
    const { status, stdout, stderr } = await run(...args);
    t.equal(status, 2);
    t.equal(stdout, '');
    t.match(stderr.trimEnd(), sentence);
    t.equal(stderr.trimEnd().split('\n').length, 1, 'one line');
  });
}

t.test('--list names every fault and what is to be seen', async (t) => {
  const { status, stdout } = await run('--list');
  t.equal(status, 0);
  for (const fault of VARIANT_FAULTS) t.match(stdout, new RegExp(`^${fault}\\b`, 'm'));
  t.equal(stdout.match(/^ {2}seen: /gm)?.length, VARIANT_FAULTS.length);
});
