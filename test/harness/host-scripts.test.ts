/**
 * The scripts that act rather than look, under every sh of this machine: powering a guest off, reading a neighbour
 * table, stimulation. What would act for real is a function of the test, which every shell prefers to a program.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { powerOffScript } from '../../harness/boot/power-off.ts';
import { frame } from '../../harness/probes/frame.ts';
import { hostScripts, NONCE } from './probes/scripts.ts';

const SHELLS: readonly (readonly [string, ...string[]])[] = [
  ['dash', '-s'],
  ['busybox', 'sh', '-s'],
  ['bash', '--posix', '-s'],
];
const there = (command: string): boolean => spawnSync(command, ['--help'], { stdio: 'ignore' }).error === undefined;
const dir = mkdtempSync(join(tmpdir(), 'bw-host-scripts-'));
t.teardown(() => rmSync(dir, { recursive: true }));
const log = join(dir, 'log');

/** Runs the script and gives what it said, and which of the stand-ins it called, in order. */
function run([command, ...args]: readonly [string, ...string[]], script: string) {
  writeFileSync(log, '');
  const done = spawnSync(command, args, { input: script, encoding: 'utf8' });
  return { ...done, called: readFileSync(log, 'utf8').trim().split('\n') };
}

const told = (name: string, status = 0): string =>
  `${name}() { echo "${name}\${*:+ $*}" >>'${log}'; return ${status}; }\n`;

interface Guest {
  readonly name: string;
  readonly system: string;
  readonly busybox: boolean;
  /** Stand-ins that say no. */
  readonly fails: readonly string[];
  readonly calls: readonly string[];
}

const GUESTS: readonly Guest[] = [
  {
    ...{ name: 'FreeBSD', system: 'FreeBSD', busybox: false, fails: [] },
    calls: ['sync', 'sleep 1', 'shutdown -p now', 'sleep 20', 'halt -p'],
  },
  {
    ...{ name: 'FreeBSD where nobody listens to shutdown', system: 'FreeBSD', busybox: false, fails: ['shutdown'] },
    calls: ['sync', 'sleep 1', 'shutdown -p now', 'halt -p', 'sleep 20', 'halt -p'],
  },
  {
    ...{ name: 'busybox', system: 'Linux', busybox: true, fails: [] },
    calls: ['sync', 'sleep 1', 'sync', 'busybox poweroff -f'],
  },
  {
    ...{ name: 'Linux', system: 'Linux', busybox: false, fails: ['poweroff'] },
    calls: ['sync', 'sleep 1', 'poweroff', 'shutdown -h now', 'sleep 20', 'poweroff -f'],
  },
];

for (const shell of SHELLS) {
  const [command] = shell;
  const only = { skip: !there(command) && `${command} is not installed` };
  t.test(`power-off under ${command}`, only, async (t) => {
    for (const { name, system, busybox, fails, calls } of GUESTS) {
      const acts = ['sync', 'sleep', 'shutdown', 'halt', 'poweroff', 'busybox'];
      const standIns = [
        ...acts.map((act) => told(act, fails.includes(act) ? 1 : 0)),
        `uname() { echo ${system}; }\n`,
        `have() { ${busybox ? 'true' : 'false'}; }\n`,
      ];
      // `wait`: the answer is there at once, what is called comes behind it.
      const body = `${standIns.join('')}${powerOffScript}\nwait\n`;
      const { status, stdout, called } = run(shell, frame({ probe: 'power-off', nonce: NONCE, body }));
      t.equal(status, 0, name);
      t.match(stdout, /\tpower_off\t=asked\n.*\tend\t0\n$/s, `${name}: answered`);
      t.same(called, calls, name);
    }
  });

  t.test(`the neighbour table under ${command}`, only, async (t) => {
    const script = (await hostScripts()).get('neighbour-table') ?? '';
    const both = `ip() { echo "ip $*"; }\narp() { echo "arp $*"; }\n`;
    t.equal(run(shell, both + script).stdout, 'ip neigh show\n', 'ip where it is there');
    const hidden = `${both}command() { [ "$2" != ip ]; }\n`;
    t.equal(run(shell, hidden + script).stdout, 'arp -an\n', 'arp where there is no ip');
    const broken = `ip() { echo no >&2; return 4; }\n${script}`;
    t.match(run(shell, broken), { status: 4, stderr: 'no\n' }, 'its failure is that of the script');
  });

  t.test(`stimulation under ${command}`, only, async (t) => {
    const script = (await hostScripts()).get('stimulation') ?? '';
    const { status, stdout, called } = run(shell, told('ping', 1) + script.replace('exit 0', 'wait\nexit 0'));
    t.strictSame([status, stdout], [0, ''], 'pings that fail are no failure, and say nothing');
    t.same([...called].sort(), ['ping -c 1 127.77.0.1', 'ping -c 1 127.77.0.2']);
  });
}
