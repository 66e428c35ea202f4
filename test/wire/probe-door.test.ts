/** How `npm run probe` gets to a machine and in, or does not: target, host key, refusals, misuse, exit codes. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { Fault } from '../../harness/faults/faults.ts';
import { callProbe } from '../probe-call.ts';
import { dir, key, looked, machine, RC } from './looked-at.ts';

t.test('who is not let in is told why, and ends with 3', async (t) => {
  const rows = [
    [{ boot: { sshd: 'refuse-key' } }, [], /SSH-2\.0-\S+ simulated-guest, key refused for user root/],
    [{ boot: { sshd: 'old-algorithms' } }, [], /no matching key exchange/],
    [{ boot: { sshd: 'immediate-end' } }, [], /ssh to 127\.[\d.]+:2222: connected, closed without a banner/],
    [{ boot: { sshd: 'never' } }, ['--budget-scale', '0.03'], /connected, no banner.*Look whether the machine is up/],
    [{}, ['--ssh-jump-host', '127.0.0.1', '--ssh-jump-port', '1'], /jump host 127\.0\.0\.1:1: ECONNREFUSED/],
  ] as const;
  for (const [guest, args, says] of rows) {
    const called = await looked(t, guest, ...args);
    t.equal(called.code, 3, called.stderr);
    t.match(called.stderr, says);
    t.equal(called.stdout, '');
  }
  const json = await callProbe(['--ssh', '127.0.0.1:1', '--ssh-key', key, '--json']);
  t.equal(json.code, 3);
  t.match(JSON.parse(json.stdout), { schema: 1, machine: null, fault: { code: 'SSH_UNREACHABLE' }, probes: [] });
});

t.test('a pinned host key', async (t) => {
  const args = await machine(t, { bootMode: RC });
  const [hostKey = ''] = /SHA256:\S{43}/.exec((await callProbe([...args, '--only', 'uname'])).stdout) ?? [];
  const pinned = await callProbe([...args, '--only', 'uname', '--host-key', hostKey]);
  t.equal(pinned.code, 0, pinned.stderr);
  t.match(pinned.stdout, `host key    ${hostKey} (as pinned)`);
  const evidence = join(dir, 'refused');
  const other = `SHA256:${createHash('sha256').update('another').digest('base64').replace(/=+$/, '')}`;
  const refused = await callProbe([...args, '--host-key', other, '--evidence', evidence]);
  t.equal(refused.code, 3);
  t.match(refused.stderr, `expected the host key ${other}, given ${hostKey}; nothing was shown to it`);
  t.equal(readFileSync(join(evidence, 'evidence.ndjson'), 'utf8'), '', 'no command was sent');
  t.equal(JSON.parse((await callProbe([...args, '--host-key', other, '--json'])).stdout).fault.code, 'SSH_HOST_KEY');
});

t.test('an interrupt ends it with 130', async (t) => {
  const controller = new AbortController();
  const answers = { 'ready-marker': { facts: { kind: 'absent', content: null } } };
  const args = await machine(t, { bootMode: RC, answers });
  const fault = new Fault('INTERRUPTED', 'interrupted by the test');
  const called = await callProbe([...args, '--wait', '600'], {
    signal: controller.signal,
    onStage: (stage) => stage === 'probe' && controller.abort(fault),
  });
  t.equal(called.code, 130, called.stderr);
  t.match(called.stdout, /ended early \(INTERRUPTED\)/);
});

t.test('an interrupt does not wait for a jump host that says nothing', async (t) => {
  const controller = new AbortController();
  const server = net.createServer((socket) => {
    t.teardown(() => socket.destroy());
    controller.abort(new Fault('INTERRUPTED', 'interrupted by the test'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const through = ['--ssh-jump-host', '127.0.0.1', '--ssh-jump-port', String(port)];
  const called = await callProbe(['--ssh', '127.0.0.1:1', '--ssh-key', key, ...through], { signal: controller.signal });
  t.equal(called.code, 130, called.stderr);
  t.ok(called.seconds < 10, `${called.seconds} s; a jump host has 15`);
});

t.test('misuse is one sentence, and nothing is connected to', async (t) => {
  const at = ['--ssh', '127.0.0.1:1'];
  writeFileSync(join(dir, 'slash.toml'), '[paths]\n\nstore = "/frx/store/"\n');
  writeFileSync(join(dir, 'open'), 'hello\n');
  const rows: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /--ssh: expected the machine to look at, \[user@\]host\[:port\], given nothing/],
    [['--ssh', '2001:db8::1'], /--ssh: expected .*IPv6 address in brackets, given "2001:db8::1"/],
    [['--ssh', '[192.0.2.1]:22'], /IPv6 address in brackets, given/],
    [['--ssh', 'h:70000'], /--ssh: expected a port from 1 to 65535, given "70000"/],
    [['--ssh', '-oProxyCommand=x'], /--ssh: expected .*given "-oProxyCommand=x"/],
    [['--ssh', 'root:hunter2@h'], /given "\[hidden\]@h"/],
    [['--ssh', 'ssh://root:hunter2@h'], /given "\[hidden\]@h"/],
    [['--ssh', 'a@h', '--ssh-user', 'b'], /--ssh-user: expected "a" as --ssh says, or it there only, given "b"/],
    [[...at, '--ssh-port', '2'], /--ssh-port: expected "1" as --ssh says/],
    [[...at, '--scenario', 'phase10'], /--scenario: expected phase9 or phase11, given "phase10"/],
    [[...at, '--only', 'uname,pid2'], /--only: expected some of compat-prefix-shims, .*given "pid2"/],
    [[...at, '--wait', 'long'], /--wait: expected seconds from 0 to 86400, given "long"/],
    [[...at, '--host-key', 'MD5:00'], /--host-key: expected SHA256: and 43 characters.*given "MD5:00"/],
    [[...at, '--lab', 'embedded'], /--lab: expected a lab file, for its \[ssh\] and \[paths\], given embedded/],
    [[...at, '--lab', 'nowhere.toml'], /expected a lab file that can be read, given .*nowhere\.toml/],
    [
      [...at, '--lab', join(dir, 'slash.toml')],
      /slash\.toml, line 3: paths\.store: expected absolute paths without a final/,
    ],
    [[...at, '--path-guile', '/a:b'], /--path-guile: expected absolute paths without a final slash, given "\/a:b"/],
    [[...at, '--image', 'x'], /--image: unknown option; expected one of --ssh, /],
    [at, /--ssh-key: expected a private key, given nothing/],
    [[...at, '--ssh-key', join(dir, 'open')], /expected a private key/],
    [[...at, '--ssh-key', key, '--evidence', join(dir, 'open')], /--evidence: expected a folder/],
  ];
  for (const [args, says] of rows) {
    const called = await callProbe(args);
    t.match(called.misuse?.message, says, args.join(' '));
    t.match(called.misuse?.code, /^BAD_/);
    t.notMatch(called.misuse?.message, /hunter2/);
  }
});

t.test('as a process: the exit code, and lines that go to stdout', async (t) => {
  const entry = fileURLToPath(new URL('../../probe.ts', import.meta.url));
  const run = (args: readonly string[]): Promise<{ code: number | null; out: string; err: string }> =>
    new Promise((resolve) => {
      const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), entry, ...args]);
      let [out, err] = ['', ''];
      child.stdout.on('data', (piece) => (out += piece));
      child.stderr.on('data', (piece) => (err += piece));
      child.once('close', (code) => resolve({ code, out, err }));
    });
  const [fine, misuse, help] = await Promise.all([
    run([...(await machine(t, { bootMode: RC })), '--only', 'uname']),
    run(['--ssh', 'a b']),
    run(['--help']),
  ]);
  t.match(fine, { code: 0, out: /^ok +uname_output/m, err: /connect to / });
  t.match(misuse, { code: 2, out: '', err: /^--ssh: expected .*\. Run with --help/ });
  t.match(help, { code: 0, out: /Nothing is written to the machine.*the Guile of the store: guile-module-smoke, /s });
});
