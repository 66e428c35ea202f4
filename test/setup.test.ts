/** setup.sh on made-up machines: what it says, what it runs, where it refuses. Nothing is installed here. */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';

const SCRIPT = fileURLToPath(new URL('../setup.sh', import.meta.url));
/** The only real programs that the script may find; all others are fakes or absent. */
const REAL = ['sh', 'cat', 'cut', 'dirname', 'awk', 'grep', 'mkdir'];
const DEBIAN = 'PRETTY_NAME="Some Debian"\nID=debian\n';
const ALL = /^ {2}(\S+) {2,}/gm;

/** What the made-up machine has; each fake program writes its arguments to `calls`. */
interface Machine {
  readonly osRelease?: string;
  readonly node?: string | null;
  readonly npm?: string | null;
  readonly uid?: number;
  readonly packages?: readonly string[];
  /** Body of apt-get; `$1…` are its arguments. */
  readonly aptGet?: string | null;
}

interface Ran extends SpawnSyncReturns<string> {
  readonly calls: readonly string[];
  readonly folder: string;
  again(...args: string[]): Ran;
}

const LISTS_THERE = `case "$*" in
  *--simulate*) shift 3; for p; do echo "Inst $p (1 x)"; done; echo "Inst liba (1 x)" ;;
  *install*) while [ "$1" != --no-install-recommends ]; do shift; done; shift; for p; do echo "$p" >>"$DB"; done ;;
esac`;
const NO_LISTS = `case "$*" in
  *update*) : >"$DB.lists" ;;
  *) [ -e "$DB.lists" ] || { echo "E: Unable to locate package" >&2; exit 100; } ;;
esac
${LISTS_THERE}`;

function setup(t: Test, machine: Machine, ...args: string[]): Ran {
  const folder = mkdtempSync(join(tmpdir(), 'bootwitness setup '));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const bin = join(folder, 'bin');
  const clone = join(folder, 'a clone');
  mkdirSync(bin);
  mkdirSync(clone);
  cpSync(SCRIPT, join(clone, 'setup.sh'));
  writeFileSync(join(clone, 'package-lock.json'), '{}');
  writeFileSync(join(folder, 'os-release'), machine.osRelease ?? DEBIAN);
  writeFileSync(join(folder, 'db'), (machine.packages ?? []).map((name) => `${name}\n`).join(''));
  for (const name of REAL) {
    symlinkSync(spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim(), join(bin, name));
  }
  const fake = (name: string, body: string | null): void => {
    if (body === null) return;
    writeFileSync(join(bin, name), `#!/bin/sh\necho "${name} $*" >>"$CALLS"\n${body}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  const version = machine.node === undefined ? 'v20.1.0' : machine.node;
  fake('node', version && `case "$1" in --version) echo ${version} ;; *) exec "$REAL_NODE" "$@" ;; esac`);
  fake('npm', machine.npm === undefined ? 'mkdir -p node_modules' : machine.npm);
  fake('id', `echo ${machine.uid ?? 0}`);
  fake('dpkg-query', 'while read -r p; do echo "installed $p"; done <"$DB"; exit 1');
  fake('apt-cache', 'shift 2; for p; do printf "Package: %s\\nSize: 1500000\\nInstalled-Size: 2000\\n" "$p"; done');
  fake('apt-get', machine.aptGet === undefined ? LISTS_THERE : machine.aptGet);
  const run = (...more: string[]): Ran => {
    const calls = join(folder, 'calls');
    writeFileSync(calls, '');
    const env = {
      PATH: bin,
      REAL_NODE: process.execPath,
      CALLS: calls,
      DB: join(folder, 'db'),
      SETUP_OS_RELEASE: join(folder, 'os-release'),
    };
    const ran = spawnSync(join(clone, 'setup.sh'), more, { cwd: '/', encoding: 'utf8', env });
    const lines = readFileSync(calls, 'utf8').trimEnd().split('\n');
    const asked = lines.filter((call) => /^(npm|apt-get)/.test(call) && !call.includes('--simulate'));
    return { ...ran, calls: asked, folder: clone, again: run };
  };
  return run(...args);
}

t.test('an empty Debian gets all of it, told before; the second time nothing is done', async (t) => {
  const ran = setup(t, {});
  t.equal(ran.status, 0, ran.stderr);
  t.match(ran.stdout, /^setup: Debian packages, 30\.0 MB to download, 41\.0 MB on disk:\n {2}qemu-system-x86 +runs/);
  t.match(ran.stdout, /shellcheck +for the tests only/);
  t.match(ran.stdout, /npm packages of package-lock.json, about \d+ MB to download/);
  t.equal(ran.calls.length, 2);
  t.match(ran.calls[0], /^apt-get -q -y .*DPkg::Lock::Timeout=120.* --no-install-recommends qemu-system-x86 fdisk /);
  t.equal(ran.calls[1], 'npm ci --include=dev --ignore-scripts --no-audit --no-fund');
  t.notOk(ran.stdout.includes('\u001b'), 'no colour');

  const second = ran.again();
  t.same([second.status, second.stdout, second.calls], [0, 'setup: everything is here, nothing to do\n', []]);
  writeFileSync(join(ran.folder, 'package-lock.json'), '{"changed": 1}');
  t.same(ran.again().calls, ['npm ci --include=dev --ignore-scripts --no-audit --no-fund'], 'another lock file');
});

t.test('only what is missing is named and installed', async (t) => {
  const all = [...setup(t, {}, '--dry-run').stdout.matchAll(ALL)].flatMap(([, name]) => name ?? []);
  const ran = setup(t, { packages: all.filter((name) => name !== 'mtools') });
  t.same(
    [...ran.stdout.matchAll(ALL)].map(([, name]) => name),
    ['mtools', 'node_modules'],
  );
  t.match(ran.calls[0], /--no-install-recommends mtools$/);
});

t.test('the dry run says the same and changes nothing', async (t) => {
  const ran = setup(t, { uid: 1000 }, '--dry-run');
  t.equal(ran.status, 0, ran.stderr);
  t.match(ran.stdout, /qemu-system-x86.*\n(.*\n)*setup: dry run: nothing was changed\n$/);
  t.same(ran.calls, []);
  t.notOk(existsSync(join(ran.folder, 'node_modules')));
});

t.test('without package lists: documented figures, then one update', async (t) => {
  const ran = setup(t, { aptGet: NO_LISTS });
  t.equal(ran.status, 0, ran.stderr);
  t.match(ran.stdout, /Debian packages, about \d+ MB to download, \d+ MB on disk, if none of them is there:/);
  t.match(ran.calls.map((call) => call.match(/update|install|ci/)?.[0]).join(' '), 'update install ci');
});

t.test('each refusal is one sentence, and nothing has been done', async (t) => {
  const refuses = (name: string, machine: Machine, status: number, sentence: RegExp, ...args: string[]): void => {
    const ran = setup(t, machine, ...args);
    t.equal(ran.status, status, `${name}: status`);
    t.match(ran.stderr, sentence, name);
    t.notMatch(ran.calls.join('\n'), /npm ci|apt-get -q/, `${name}: nothing done`);
  };
  const one = (text: string): RegExp => new RegExp(`^setup: ${text}\n$`);
  refuses('no Node', { node: null }, 3, one('Node 20 or newer is needed on PATH, found: none; .*'));
  refuses('Node 18', { node: 'v18.20.4' }, 3, one('Node 20 or newer is needed on PATH, found: v18.20.4; .*'));
  refuses('odd Node', { node: 'nonsense' }, 3, one('Node 20 or newer .* found: nonsense; .*'));
  refuses('no npm', { npm: null }, 3, one('npm was not found .*'));
  refuses(
    'not root',
    { uid: 1000 },
    3,
    one('not root, .*: apt-get install --no-install-recommends qemu-.* shellcheck'),
  );
  refuses('Fedora', { osRelease: 'ID=fedora\n' }, 3, one('this is not Debian; .* bring: qemu-system-x86 .*mtools.*'));
  refuses('no apt', { aptGet: null }, 3, one('apt-get was not found; .*: qemu-system-x86 .*'));
  refuses('option', {}, 2, /unknown option --fast; expected --dry-run or --npm-only\n$/, '--fast');
});

t.test('what fails on the way is not called ready', async (t) => {
  const npm = setup(t, { npm: 'mkdir -p node_modules; exit 1' });
  t.same([npm.status, npm.stderr], [1, 'setup: npm ci failed; its message is above\n']);
  t.match(npm.again().calls, ['npm ci --include=dev --ignore-scripts --no-audit --no-fund'], 'and it is tried again');
  const update = setup(t, { aptGet: 'exit 100' });
  t.same([update.status, update.stderr], [1, 'setup: apt-get update failed; its message is above\n']);
  const lies = setup(t, { aptGet: 'case "$*" in *--simulate*) echo "Inst a" ;; esac' });
  t.equal(lies.status, 1);
  t.match(lies.stderr, /apt-get said yes, but these packages are still missing: qemu-system-x86 /);
});

t.test('--npm-only needs neither Debian nor root', async (t) => {
  const ran = setup(t, { osRelease: 'ID=fedora\n', uid: 1000 }, '--npm-only');
  t.same([ran.status, ran.calls.length, ran.stderr], [0, 1, '']);
  t.notMatch(ran.stdout, /Debian/);
});

t.test('on this machine it sees what is there', async (t) => {
  const ran = spawnSync(SCRIPT, ['--dry-run'], { cwd: '/', encoding: 'utf8' });
  t.equal(ran.status, 0, ran.stderr);
  t.match(ran.stdout, /^setup: (everything is here|dry run)/m);
});

t.test('the scripts themselves read well', async (t) => {
  const root = fileURLToPath(new URL('..', import.meta.url));
  for (const file of ['setup.sh', '.ci/run', 'test/with-node.sh']) {
    const read = spawnSync('shellcheck', [file], { cwd: root, encoding: 'utf8' });
    t.equal(read.stdout, '', file);
    t.equal(read.status, 0, `${file}: ${read.error ?? 'shellcheck'}`);
  }
  t.equal(spawnSync('shellcheck', ['-s', 'sh', '-'], { input: 'echo $1\n' }).status, 1, 'it can say no');
});
