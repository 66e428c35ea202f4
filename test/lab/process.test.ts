/** The lab as a process: ready line, ends with its parent however that ends, leaves nothing behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'smol-toml';
import ssh2 from 'ssh2';
import t from 'tap';
import xoLib from 'xo-lib';

const MAIN = fileURLToPath(new URL('../../lab/main.ts', import.meta.url));
const TSX = import.meta.resolve('tsx');
const SIMULATED = ['--backend', 'simulated'];

interface Ready {
  readonly event: 'ready';
  readonly url: string;
  readonly tokenFile: string;
  readonly labFile: string;
  readonly pid: number;
}

function start(args: readonly string[], via: readonly string[] = []): ChildProcess {
  const [command = process.execPath, ...rest] = [...via, process.execPath, '--import', TSX, MAIN, ...args];
  return spawn(command, rest, { stdio: ['pipe', 'pipe', 'pipe'] });
}

/** The first line on stdout; rejects with stderr where there is none. */
function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let [out, err] = ['', ''];
    child.stderr?.on('data', (text) => {
      err += String(text);
    });
    child.stdout?.on('data', (text) => {
      out += String(text);
      const end = out.indexOf('\n');
      if (end >= 0) resolve(out.slice(0, end));
    });
    child.once('close', (code) => reject(new Error(`exit code ${code}: ${err}`)));
  });
}

const readyLine = async (child: ChildProcess) => JSON.parse(await firstLine(child)) as Ready;

function exitOf(child: ChildProcess): Promise<{ readonly code: number | null; readonly err: string }> {
  return new Promise((resolve) => {
    let err = '';
    child.stderr?.on('data', (text) => {
      err += String(text);
    });
    child.once('close', (code) => resolve({ code, err }));
  });
}

/** Resolves when no process has this id. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    // A killed child of a killed parent stays as a zombie until somebody reaps it: it runs no more.
    const status = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : '';
    if (status === '' || /\) Z /.test(status)) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

// A dozen processes are started: on a busy machine that takes longer than tap waits by itself.
t.setTimeout(180_000);

t.test('ready, used by another client, ended by the end of stdin', async (t) => {
  const child = start(['--parent', ...SIMULATED, '--slots', '3']);
  const ready = await readyLine(child);
  t.match(ready, { event: 'ready', url: /^http:\/\/127\.0\.0\.1:\d+$/, pid: child.pid });
  t.equal(statSync(ready.tokenFile).mode & 0o777, 0o600);
  const token = readFileSync(ready.tokenFile, 'utf8');
  t.match(token, /^[\w-]{43}$/);
  const lab = parse(readFileSync(ready.labFile, 'utf8')) as Record<string, never>;
  t.match(lab, {
    name: 'embedded',
    kind: 'embedded',
    budget_scale: 1,
    xo: { url: ready.url, token_file: ready.tokenFile },
    placement: { template: 'Other install media', memory_mib: 512, cpus: 1, firmware: 'bios' },
    ssh: { user: 'root', port: 2222 },
    console: { serial_path: '/embedded/v0/vms/{id}/serial' },
    slots: [{ mac: /^02(:[0-9a-f]{2}){5}$/, address: /^127\.\d+\.\d+\.1$/ }, {}, { address: /\.3$/ }],
  });
  const { control, reference, ssh } = lab as unknown as Record<string, Record<string, string>>;
  t.strictSame(control, reference);
  for (const [bootMode, image] of Object.entries(control ?? {})) {
    t.equal(statSync(image).size, 8 * 2 ** 20);
    const sidecar = JSON.parse(readFileSync(`${image}.bootwitness.json`, 'utf8')) as object;
    t.match(sidecar, { bootMode, closure: /^\/frx\/store\/.+-fruix-system-/ });
  }
  const key = ssh2.utils.parseKey(readFileSync(ssh?.key ?? ''));
  if (key instanceof Error) throw key;
  t.equal(key.type, 'ssh-ed25519');
  t.equal(key.verify('data', key.sign('data')), true, 'the private key is whole');
  const xo = new xoLib.default({ url: ready.url });
  xo.on('error', () => undefined);
  await xo.open();
  await xo.signIn({ token });
  t.equal(await xo.call('system.getServerVersion', {}), '5.207.2');
  const ended = exitOf(child);
  child.stdin?.end();
  t.equal((await ended).code, 0);
  t.notOk(existsSync(dirname(ready.labFile)), 'its folder is gone');
});

t.test('a parent that is killed takes the lab with it', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'lab-parent-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  const parent = join(dir, 'parent.mjs');
  await writeFile(
    parent,
    `import { spawn } from 'node:child_process';
     const [command, ...args] = process.argv.slice(2);
     spawn(command, args, { stdio: ['pipe', 'inherit', 'inherit'] });
     setInterval(() => undefined, 1e6);`,
  );
  const child = start(['--parent', ...SIMULATED], [process.execPath, parent]);
  const ready = await readyLine(child);
  t.not(ready.pid, child.pid);
  child.kill('SIGKILL');
  await gone(ready.pid);
  t.notOk(existsSync(dirname(ready.labFile)));
});

t.test('signals', async (t) => {
  const child = start(['--parent', ...SIMULATED]);
  const ended = exitOf(child);
  const ready = await readyLine(child);
  const ignored = new Promise<void>((resolve) => {
    child.stderr?.on('data', (text) => /interrupt ignored/.test(String(text)) && resolve());
  });
  child.kill('SIGINT');
  await ignored;
  t.equal((await fetch(ready.url, { redirect: 'manual' })).status, 302, 'with a parent, SIGINT is left to it');
  child.kill('SIGTERM');
  t.equal((await ended).code, 0);
  const alone = start(SIMULATED);
  const aloneEnded = exitOf(alone);
  t.match(await firstLine(alone), /^Xen Orchestra's API at http:/);
  alone.kill('SIGINT');
  t.equal((await aloneEnded).code, 0, 'without one it ends the lab');
});

t.test('two at once; the folder of a killed one is removed by the next', async (t) => {
  const [one, other] = [start(['--parent', ...SIMULATED]), start(['--parent', ...SIMULATED])];
  const ready = await Promise.all([readyLine(one), readyLine(other)]);
  const blocks = ready.map(({ labFile }) =>
    /127\.\d+\.\d+/.exec(readFileSync(labFile, 'utf8').split('[[slots]]')[1] ?? ''),
  );
  t.not(blocks[0]?.[0], blocks[1]?.[0], 'each has addresses of its own');
  const ended = exitOf(other);
  const killed = new Promise((resolve) => one.once('exit', resolve));
  one.kill('SIGKILL');
  await killed;
  t.ok(existsSync(dirname(ready[0]?.labFile ?? '')));
  const next = start(['--parent', ...SIMULATED]);
  await readyLine(next);
  t.notOk(existsSync(dirname(ready[0]?.labFile ?? '')));
  const nextEnded = exitOf(next);
  for (const child of [other, next]) child.stdin?.end();
  await Promise.all([ended, nextEnded]);
});

t.test('what cannot be', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'lab-state-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  await writeFile(join(dir, 'mine'), '');
  const trials: readonly (readonly [readonly string[], RegExp])[] = [
    [['--mishap', 'earthquake'], /unknown mishap "earthquake"/],
    [['--mishap', 'upload-cut=2'], /expected fraction from 0 to 1, or fraction:once, given: 2/],
    [['--backend', 'xen'], /--backend: expected qemu or simulated, given: xen/],
    [['--slots', '0'], /--slots: expected a number from 1 to/],
    [['--nonsense'], /nonsense/],
    [
      ['--backend', 'simulated', '--state-dir', '/proc/nope/x'],
      /--state-dir: expected a folder that can be made, given .*ENOENT/,
    ],
    [['--backend', 'simulated', '--state-dir', dir], /expected an empty folder, "mine" is in it/],
  ];
  await Promise.all(
    trials.map(async ([args, message]) => {
      const { code, err } = await exitOf(start(args));
      t.equal(code, 2, args.join(' '));
      t.match(err, message);
    }),
  );
  t.ok(existsSync(join(dir, 'mine')), 'what is not ours stays');
});
