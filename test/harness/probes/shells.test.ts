/**
 * The scripts, run for real under every sh of this machine, with paths below a temporary folder; and
 * shellcheck over all of them. What needs a Guile runs on the reference guest (test/qemu).
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Check, GuestPaths, Observation } from '../../../harness/model.ts';
import { frame, unframe } from '../../../harness/probes/frame.ts';
import { fruixPaths } from '../../../scenarios/fruix-paths.ts';
import { phase9XcpngBoot } from '../../../scenarios/phase9-xcpng-boot.ts';
import { hostScripts, NONCE, scripts } from './scripts.ts';

const SHELLS: readonly (readonly [string, ...string[]])[] = [
  ['dash', '-s'],
  ['busybox', 'sh', '-s'],
  ['bash', '--posix', '-s'],
];
const there = (command: string): boolean => spawnSync(command, ['--help'], { stdio: 'ignore' }).error === undefined;
const shells = SHELLS.filter(([command]) => there(command));
for (const [command] of SHELLS.filter((shell) => !shells.includes(shell))) {
  t.test(`scripts under ${command}`, { skip: `${command} is not installed` }, async () => undefined);
}

const root = mkdtempSync(join(tmpdir(), "bw probes '"));
t.teardown(() => rmSync(root, { recursive: true, force: true }));

function run(shell: readonly [string, ...string[]], script: string, env: NodeJS.ProcessEnv = {}): Observation {
  const [command, ...args] = shell;
  const startedAtMs = Date.now();
  const done = spawnSync(command, args, { input: script, encoding: 'utf8', env: { ...process.env, ...env } });
  const { status, signal, stdout, stderr } = done;
  const calm = { truncated: false, timedOut: false, transport: null, startedAtMs, durationMs: 0 };
  return unframe({ name: 'x', script, exit: status, signal, stdout, stderr, ...calm }, NONCE);
}

const framed = (body: string, patience?: number): string =>
  frame({ probe: 'x', nonce: NONCE, body, ...(patience === undefined ? {} : { patience }) });

const below = (path: string): string => join(root, path);
const paths: GuestPaths = {
  ...fruixPaths,
  shimPrefixes: ['tmp/none', 'tmp/dir', 'tmp/file', 'tmp/dangling', 'tmp/link'].map(below),
  store: below('frx/store'),
  currentSystem: below('run/current-system'),
  readyMarker: below('var/ready'),
  shepherdSocket: [below('run/none'), below('run/socket')],
  shepherdPidFile: [below('run/none.pid'), below('run/shepherd.pid')],
  herd: [below('bin/herd')],
  guile: [below('bin/guile')],
  guileEnvironment: [below('frx/guile.env')],
};

function furnish(): void {
  for (const folder of ['tmp/dir', 'frx/store/1-system', 'run', 'var', 'bin'])
    mkdirSync(below(folder), { recursive: true });
  writeFileSync(below('tmp/file'), '');
  symlinkSync('/nonexistent/target', below('tmp/dangling'));
  symlinkSync(below('tmp/dir'), below('tmp/link'));
  symlinkSync(below('frx/store/1-system'), below('run/current-system'));
  writeFileSync(below('var/ready'), 'ready\n');
  writeFileSync(below('run/shepherd.pid'), String(process.pid));
}
furnish();

async function judged(
  shell: readonly [string, ...string[]],
  name: string,
  env: NodeJS.ProcessEnv = {},
  where: GuestPaths = paths,
): Promise<readonly Check[]> {
  const script = (await scripts(where)).get(name);
  const probe = phase9XcpngBoot.probes.find((probe) => probe.name === name);
  if (script === undefined || probe === undefined) throw new Error(`no probe ${name}`);
  return probe.expect(run(shell, script, env), {
    bootMode: 'freebsd-init+rc.d-shepherd',
    paths: where,
    expectedClosure: null,
  });
}

function pid1IsShown(): boolean {
  try {
    return readFileSync('/proc/1/maps', 'utf8').includes('/') && readlinkSync('/proc/1/exe') !== '';
  } catch (error) {
    t.comment(`PID 1 is hidden here: ${error}`);
    return false;
  }
}

const onLinux = { skip: process.platform !== 'linux' && 'reads /proc' };

for (const shell of shells) {
  t.test(`probes under ${shell.join(' ')}`, async (t) => {
    const [shims] = await judged(shell, 'compat-prefix-shims');
    t.equal(shims?.outcome, 'failed');
    t.equal(
      shims?.actual,
      `present: ${below('tmp/dir')} (directory), ${below('tmp/file')} (file), ` +
        `${below('tmp/dangling')} (dangling symlink to /nonexistent/target), ` +
        `${below('tmp/link')} (symlink to ${below('tmp/dir')})`,
    );
    const [system] = await judged(shell, 'current-system');
    t.strictSame([system?.outcome, system?.actual], ['held', below('frx/store/1-system')]);

    const [fresh] = await judged(shell, 'ready-marker');
    t.equal(fresh?.outcome, 'held', fresh?.reason ?? '');
    utimesSync(below('var/ready'), 1_000_000, 1_000_000);
    const [stale] = await judged(shell, 'ready-marker');
    // A machine that was suspended and resumed elsewhere has device nodes older than its boot.
    t.ok(stale?.actual === 'stale' || /clock was moved/.test(stale?.reason ?? ''), `${stale?.actual} ${stale?.reason}`);
    rmSync(below('var/link'), { force: true });
    symlinkSync(below('var/ready'), below('var/link'));
    const [linked] = await judged(shell, 'ready-marker', {}, { ...paths, readyMarker: below('var/link') });
    t.not(linked?.outcome, 'held', 'a fresh link to an old file is as old as the file');
    utimesSync(below('var/ready'), new Date(), new Date());

    const [absent] = await judged(shell, 'shepherd-socket');
    t.strictSame([absent?.outcome, absent?.actual], ['failed', 'absent']);
    const [nobody] = await judged(shell, 'shepherd-status');
    t.strictSame([nobody?.outcome, nobody?.actual], ['failed', 'not running']);
    const [kernel] = await judged(shell, 'uname');
    t.equal(kernel?.outcome, process.platform === 'linux' || process.platform === 'freebsd' ? 'held' : 'failed');
    const [, command] = await judged(shell, 'pid1');
    t.equal(command?.outcome, 'held');
    const [smoke] = await judged(shell, 'guile-module-smoke');
    t.match(smoke?.reason, /^tool missing: no guile/);
  });

  t.test(`prefixes in processes and in the store under ${shell.join(' ')}`, onLinux, async (t) => {
    const where = { ...paths, shimPrefixes: [below('held')] };
    mkdirSync(below('held'), { recursive: true });
    mkdirSync(below('held-2'), { recursive: true });
    const holder = (cwd: string): ChildProcess => {
      const child = spawn('sleep', ['60'], { cwd, stdio: 'ignore' });
      t.teardown(() => child.kill());
      return child;
    };
    holder(below('held-2'));
    const [apart] = await judged(shell, 'process-prefixes', {}, where);
    // Who may not look at PID 1 sees nothing at all.
    t.equal(apart?.outcome, pid1IsShown() ? 'held' : 'unobserved', apart?.reason ?? '');
    const { pid } = holder(below('held'));
    const [inside] = await judged(shell, 'process-prefixes', {}, where);
    t.strictSame([inside?.outcome, inside?.actual], ['failed', `process ${pid} holds ${below('held')}`]);

    const baked = async (): Promise<string | undefined> => {
      const [count] = await judged(shell, 'baked-prefix-strings', {}, where);
      t.equal(count?.outcome, 'held', count?.reason ?? '');
      return count?.actual;
    };
    writeFileSync(below('frx/store/1-system/clean'), 'nothing');
    t.equal(await baked(), '0');
    writeFileSync(below("frx/store/1-system/it's"), `\0binary\0${below('held')}/lib\0`);
    t.equal(await baked(), '1', 'behind a NUL byte');
    rmSync(below("frx/store/1-system/it's"));
  });

  t.test(`a live socket and a herd of our own under ${shell.join(' ')}`, async (t) => {
    const server = createServer((connection) => connection.destroy());
    await new Promise<void>((resolve) => server.listen(below('run/socket'), resolve));
    t.teardown(() => new Promise<void>((resolve) => server.close(() => resolve())));
    t.equal((await judged(shell, 'shepherd-socket'))[0]?.outcome, 'held');
    t.match((await judged(shell, 'shepherd-status'))[0]?.reason, /^tool missing: herd/);
    const herd = `case "$*" in
  *status*) printf 'Status of root:\\n  It is running since 1.\\n' ;;
  *) printf 'Evaluating.\\n%s\\n' ${process.pid} ;;
esac`;
    writeFileSync(below('bin/herd'), `#!/bin/sh\n${herd}\n`);
    chmodSync(below('bin/herd'), 0o755);
    t.strictSame((await judged(shell, 'shepherd-status'))[0]?.actual, 'running');
    t.strictSame((await judged(shell, 'shepherd-pid'))[0]?.actual, String(process.pid));
    rmSync(below('bin/herd'));
  });

  t.test(`sshd's witnesses under ${shell.join(' ')}`, onLinux, async (t) => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.teardown(() => new Promise<void>((resolve) => server.close(() => resolve())));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const script = (await scripts(paths)).get('sshd-status') ?? '';
    const open = run(shell, script, { SSH_CONNECTION: `127.0.0.1 1 127.0.0.1 ${port}` });
    t.match(open, { state: 'seen', facts: { port: String(port), listener: 'yes' } });
    const shut = run(shell, script, { SSH_CONNECTION: '127.0.0.1 1 127.0.0.1 1' });
    t.match(shut, { state: 'seen', facts: { port: '1', listener: 'no' } });
  });

  t.test(`the prelude under ${shell.join(' ')}`, async (t) => {
    const odd = `a'b"c$d\\e\tf\ng é %s \`x\` !`;
    const quoted = `'${odd.replaceAll("'", `'\\''`)}'`;
    const facts = run(
      shell,
      framed(`fact odd ${quoted}\nfact plain 'a b/c'\nfact none ''\nfact_start start 3 'abc\tdef'`),
      {
        LC_ALL: 'tr_TR.UTF-8',
        PATH: process.env.PATH,
      },
    );
    t.strictSame(facts, { state: 'seen', facts: { probe: 'x', odd, plain: 'a b/c', none: '', start: 'abc' } });
    const eaten = run(shell, framed('cat >/dev/null\nfact after yes'));
    t.match(eaten, { state: 'seen', facts: { after: 'yes' } }, 'a program that reads input does not eat the script');
    t.match(run(shell, framed('fact a b\nreturn 3')), { state: 'unseen', reason: /status 3/ });
    t.match(run(shell, framed('fact a b\nexit 0')), { state: 'unseen', reason: /^cut/ });
  });

  t.test(`bounded under ${shell.join(' ')}, with and without timeout`, async (t) => {
    const body = `
bounded 1 sleep 30; fact expired "$?"
bounded 5 sh -c 'exit 3'; fact own "$?"
bounded 5 sh -c 'exit 124'; fact early "$?"
bounded 5 sh -c 'kill -9 $$'; fact killed "$?"
fact output "$(bounded 5 printf hello)"`;
    const want = { expired: '124', own: '3', early: '125', killed: '137', output: 'hello' };
    t.match(run(shell, framed(body)), { state: 'seen', facts: want });
    const without = framed(body).replace('if have timeout; then', 'if false; then');
    t.match(run(shell, without), { state: 'seen', facts: want });
    t.match(run(shell, framed('bounded 1 sleep 1.4; fact status "$?"', 3)), { state: 'seen', facts: { status: '0' } });
  });
}

const withShellcheck = { skip: !there('shellcheck') && 'shellcheck is not installed' };
t.test('shellcheck has nothing to say', withShellcheck, async (t) => {
  for (const [name, script] of [...(await scripts(fruixPaths)), ...(await hostScripts())]) {
    const done = spawnSync('shellcheck', ['-s', 'sh', '-'], { input: script, encoding: 'utf8' });
    t.equal(done.stdout, '', name);
    t.equal(done.status, 0, name);
  }
});
