/** What `npm run probe` sees: on simulated guests, and by this machine's own /bin/sh behind an SSH server. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { makeSshKeyPair } from '../../lab/ssh-key.ts';
import { startJump } from '../jump-host.ts';
import { rootKey } from '../lab/simulated-guests.ts';
import { callProbe } from '../probe-call.ts';
import { dir, looked, machine, RC } from './looked-at.ts';

t.test('a healthy machine in either mode: all is ok, and the mode is its own', async (t) => {
  const dirs = { [RC]: 'phase9-xcpng-boot', 'shepherd-pid1': 'phase11-shepherd-pid1-xcpng' };
  for (const [bootMode, scenario] of Object.entries(dirs)) {
    const called = await looked(t, { bootMode });
    t.equal(called.code, 0, called.stdout + called.stderr);
    t.match(called.stdout, `boot mode   ${bootMode}: PID 1 is `);
    t.match(called.stdout, `scenario    ${scenario} (that of this boot mode)`);
    t.match(called.stdout, `ok          init_mode: expected either mode (none was named), was ${bootMode}`);
    t.match(called.stdout, /^host key {4}SHA256:\S{43} \(taken as it came; --host-key pins it\)$/m);
    t.match(called.stdout, /^26 ok, 0 not ok, 0 unobserved\. This is what .*, and no verdict on an image/m);
    t.notMatch(called.stdout, /PASS|FAIL|NOT FOUND|paths\] of a lab file/);
  }
});

t.test('the mode that was named is expected', async (t) => {
  const called = await looked(t, { bootMode: 'shepherd-pid1' }, '--scenario', 'phase9');
  t.equal(called.code, 1, called.stderr);
  t.match(called.stdout, /^not ok {6}init_mode: expected freebsd-init\+rc\.d-shepherd, was shepherd-pid1$/m);
  t.match(called.stdout, /^boot mode {3}shepherd-pid1: .*\nscenario {4}phase9-xcpng-boot \(named\)$/m);
  const open = { pid1: { facts: { comm: 'guile', command: '', pid_file: null, pid_alive: '' } } };
  const asked = await looked(t, { bootMode: 'shepherd-pid1', answers: open });
  t.match(asked.stdout, /^boot mode {3}shepherd-pid1: .* but the live Shepherd says that it is process 1$/m);
  t.equal(asked.code, 3, 'PID 1 itself leaves it open');
  const neither = await looked(t, { bootMode: RC, answers: { pid1: { facts: { comm: 'systemd' } } } });
  t.match(neither.stdout, /^boot mode {3}neither, or not to be told: PID 1 is systemd/m);
  t.match(neither.stdout, /^not ok {6}init_mode: expected either mode \(none was named\), was neither mode$/m);
});

t.test('a store that is elsewhere: which path to correct, and how', async (t) => {
  const item = `/gnu/store/${'a'.repeat(32)}-system`;
  const answers = {
    'guest-paths': {
      facts: { 'kind.store.0': 'absent', 'real.store.0': '', 'real.current_system.0': item },
    },
    'current-system': { facts: { target: item, real: item } },
  };
  const called = await looked(t, { bootMode: RC, answers });
  t.equal(called.code, 1);
  t.match(
    called.stdout,
    /^not ok .*run_current_system_target.*\n +why: resolves to \/gnu\/.*\n +paths not found: store /m,
  );
  t.match(called.stdout, /^NOT FOUND +store +\/frx\/store \(absent\)$/m);
  t.match(
    called.stdout,
    /^ {2}--path-store \/gnu\/store {3}or {3}store = "\/gnu\/store"\n +since \/run\/current-system is /m,
  );
  writeFileSync(join(dir, 'lab.toml'), '[paths]\nstore = "/gnu/store"\n');
  const file = await looked(t, { bootMode: RC, answers }, '--lab', join(dir, 'lab.toml'), '--only', 'current_system');
  t.equal(file.code, 0, file.stdout + file.stderr);
  t.match(
    file.stdout,
    /^ok +run_current_system_target: expected a path under \/gnu\/store, was \/gnu\/store\/a+-system$/m,
  );
});

t.test('what a guest says cannot forge a line, and garbage is unobserved', async (t) => {
  const forged = '/x\nok          shepherd_status: \u001b[2J';
  const answers = {
    'current-system': { facts: { target: forged, real: forged } },
    uname: { raw: 'nothing {{nonce}}\n' },
    'sshd-status': { garbage: 2_000_000 },
    'ready-marker': { cut: 20 },
  };
  const called = await looked(t, { bootMode: RC, answers });
  t.equal(called.code, 1, called.stderr);
  t.equal(called.stdout.match(/^ok {10}shepherd_status/gm)?.length, 1);
  t.match(called.stdout, String.raw`was /x\nok          shepherd_status: \u001b[2J`);
  t.match(called.stdout, /^unobserved {2}uname_output: expected .*\n +why: malformed line/m);
  t.match(called.stdout, /^unobserved {2}sshd_status: expected running\n +why: cut: more output than is kept$/m);
  t.match(called.stdout, /^unobserved {2}ready_marker: expected ready\n +why: the channel failed: closed without/m);
  const only = await looked(t, { bootMode: RC, answers }, '--only', 'uname,sshd_status');
  t.equal(only.code, 3, 'unobserved, and nothing is not ok');
  t.match(only.stdout, /^0 ok, 0 not ok, 2 unobserved/m);
});

t.test('a machine that hangs', async (t) => {
  const scale = ['--budget-scale', '0.02'];
  const one = await looked(t, { bootMode: RC, answers: { uname: { hang: true } } }, ...scale, '--only', 'uname');
  t.equal(one.code, 3);
  t.match(one.stdout, /^unobserved {2}uname_output: .*\n +why: no end within 0\.\d s: timed out$/m);
  const all = await looked(t, { bootMode: RC, answers: { 'guest-paths': { hang: true } } }, ...scale);
  t.equal(all.code, 3);
  t.match(all.stderr, /logged in \(user root\), and the first command failed: no end within/);
  const lost = await looked(t, { bootMode: RC, answers: { uname: { drop: true } } });
  t.equal(lost.code, 3);
  t.match(lost.stdout, /^ok .*compat_prefix_shims.*ended early \(SSH_LOST\)/ms, 'what was seen before is shown');
  t.match(lost.stderr, /the SSH connection ended/);
});

t.test('the marker is looked at once, or waited for', async (t) => {
  const later = { 'ready-marker': [{ facts: { kind: 'absent', content: null } }, { after: 2 }] };
  const once = await looked(t, { bootMode: RC, answers: later });
  t.equal(once.code, 1);
  t.match(once.stdout, /^not ok +ready_marker: expected ready, was missing\n +why: \/var\/lib\/fruix\/ready does not/m);
  const waited = await looked(t, { bootMode: RC, answers: later }, '--wait', '60', '--budget-scale', '0.5');
  t.equal(waited.code, 0, waited.stdout);
});

t.test('JSON and evidence', async (t) => {
  const evidence = join(dir, 'kept');
  const args = await machine(t, { bootMode: 'shepherd-pid1' });
  const called = await callProbe([...args, '--json', '--evidence', evidence], {
    environment: { BOOTWITNESS_SSH_PASSPHRASE: 'open sesame' },
  });
  t.equal(called.code, 0, called.stderr);
  const seen = JSON.parse(called.stdout);
  t.match(seen, {
    schema: 1,
    bootMode: { mode: 'shepherd-pid1' },
    counts: { held: 26, failed: 0 },
    fault: null,
    uid: '0',
  });
  t.same(seen.probes.find(({ name }: { name: string }) => name === 'uname').runs, []);
  t.match(seen.probes.find(({ name }: { name: string }) => name === 'shepherd-status').runs, [/Guile/]);
  t.same(readdirSync(evidence), ['evidence.ndjson'], 'and no metadata.txt');
  const lines = readFileSync(join(evidence, 'evidence.ndjson'), 'utf8').trimEnd().split('\n');
  t.match(JSON.parse(lines[0] ?? ''), { kind: 'connection', data: { hostKey: /^SHA256:/, pinned: false } });
  const [{ evidence: pointer }] = seen.probes[0].checks;
  t.match(JSON.parse(lines[Number(pointer.split('#')[1]) - 1] ?? ''), {
    kind: 'observation',
    name: seen.probes[0].name,
  });
  const keyLine = rootKey().split('\n')[2] ?? 'none';
  for (const text of [called.stdout, called.stderr, ...lines]) {
    t.notOk(text.includes(keyLine) || text.includes('open sesame'), 'no secret');
  }
  const again = await callProbe([...args, '--evidence', evidence]);
  t.match(again.misuse, {
    code: 'BAD_OPTION',
    message: /--evidence: expected .* without an evidence\.ndjson, given .*EEXIST/,
  });
});

/** This machine's own /bin/sh, with its things below a folder: nothing simulated but who lives there. */
t.test('a real shell behind a jump host: what is there is seen, and nothing is written', async (t) => {
  const below = (path: string): string => join(dir, 'guest', path);
  const item = below(`store/${'0'.repeat(64)}-system`);
  for (const folder of [item, below('var'), below('bin')]) mkdirSync(folder, { recursive: true });
  symlinkSync(item, below('current-system'));
  writeFileSync(below('var/ready'), 'ready\n');
  writeFileSync(below('bin/guile'), `#!/bin/sh\necho ran >${below('ran')}\n`, { mode: 0o755 });
  const listing = (): string => execFileSync('ls', ['-lR', '--time-style=full-iso', below('')], { encoding: 'utf8' });
  const before = listing();

  const own = makeSshKeyPair('test');
  writeFileSync(join(dir, 'own'), own.privateKey, { mode: 0o600 });
  const shell = await startJump(t, { authorizedKey: own.publicKey });
  const jump = await startJump(t, { authorizedKey: own.publicKey });
  const args = ['--ssh', `127.0.0.1:${shell.port}`, '--ssh-key', join(dir, 'own'), '--ssh-jump-host', '127.0.0.1'];
  const paths = {
    ...{ store: 'store', 'current-system': 'current-system', 'ready-marker': 'var/ready' },
    ...{ guile: 'bin/guile', herd: 'none', 'shepherd-socket': 'var', 'shepherd-pid-file': 'none' },
    ...{ 'guile-environment': 'none', 'shim-prefixes': 'none' },
  };
  const options = Object.entries(paths).flatMap(([name, path]) => [`--path-${name}`, below(path)]);
  const called = await callProbe([...args, '--ssh-jump-port', String(jump.port), ...options]);
  t.equal(called.code, 1, called.stderr);
  t.match(called.stdout, `through     127.0.0.1:${jump.port}, host key ${jump.hostKey}`);
  t.same(jump.forwarded, [`127.0.0.1:${shell.port}`]);
  t.match(called.stdout, /^ok +ready_marker: expected ready, was ready$/m);
  t.match(called.stdout, /^ok +run_current_system_target: /m);
  t.match(called.stdout, /^not ok +shepherd_socket: .*was not a socket: .* is a folder$/m);
  t.match(
    called.stdout,
    /^unobserved +guile_module_smoke: .*\n +why: tool missing: no guile under .*not in the store: /m,
  );
  t.match(called.stdout, /^NOT FOUND +shepherd_socket +\S+var \(directory\)$/m);
  t.match(called.stdout, /^found +guile +\S+bin\/guile$/m);
  t.equal(listing(), before, 'nothing was written');
  t.notOk(existsSync(below('ran')), 'a Guile outside of the store is not run');
});
