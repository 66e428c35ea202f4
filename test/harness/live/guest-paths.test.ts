/** Where a guest keeps its things: the script under every sh of this machine, and what is told of its answer. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { guestPathsScript, readGuestPaths, suggestStore } from '../../../harness/live/guest-paths.ts';
import type { GuestPaths, Observation } from '../../../harness/model.ts';
import { frame, unframe } from '../../../harness/probes/frame.ts';
import { fruixPaths } from '../../../scenarios/fruix-paths.ts';

const NONCE = '0123456789abcdef01234567';
const SHELLS = [
  ['dash', '-s'],
  ['busybox', 'sh', '-s'],
  ['bash', '--posix', '-s'],
] as const;
const root = mkdtempSync(join(tmpdir(), "bw paths '"));
t.teardown(() => rmSync(root, { recursive: true, force: true }));
const below = (path: string): string => join(root, path);
const ITEM = `${'0123456789abcdef'.repeat(4)}-system`;

mkdirSync(below(`store/${ITEM}/bin`), { recursive: true });
mkdirSync(below('closed'));
symlinkSync(below(`store/${ITEM}`), below('current'));
symlinkSync('/nonexistent/x', below('dangling'));
for (const file of ['ready', `store/${ITEM}/bin/guile`]) writeFileSync(below(file), '');
chmodSync(below(`store/${ITEM}/bin/guile`), 0o755);
const server = createServer().listen(below('socket'));
await new Promise((resolve) => server.once('listening', resolve));
t.teardown(() => server.close());

const paths: GuestPaths = {
  ...fruixPaths,
  store: below('store'),
  currentSystem: below('current'),
  readyMarker: below('ready'),
  shepherdSocket: [below('ready'), below('socket')],
  shepherdPidFile: [below('dangling'), below('no/such/folder/x')],
  herd: [below('ready')],
  guile: [below('current/bin/guile')],
  guileEnvironment: ['/proc/1/root/x'],
};

for (const [command, ...args] of SHELLS) {
  const skip = spawnSync(command, ['--help']).error !== undefined && `${command} is not installed`;
  t.test(`the script under ${command}`, { skip }, async (t) => {
    const input = frame({ probe: 'x', nonce: NONCE, body: guestPathsScript(paths) });
    const { stdout, stderr, status } = spawnSync(command, args, { input, encoding: 'utf8' });
    t.equal(stderr, '');
    const calm = { signal: null, truncated: false, timedOut: false, transport: null, startedAtMs: 0, durationMs: 0 };
    const seen = unframe({ name: 'x', script: input, exit: status, stdout, stderr, ...calm }, NONCE);
    t.match(seen, { state: 'seen', facts: { uid: String(process.getuid?.()) } });
    const found = new Map(readGuestPaths(seen, paths, []).map((each) => [each.key, each]));
    t.match(found.get('store'), { state: 'found', found: below('store') });
    t.match(found.get('current_system'), { state: 'found', candidates: [{ real: below(`store/${ITEM}`) }] });
    t.match(found.get('shepherd_socket'), {
      state: 'found',
      found: below('socket'),
      candidates: [{ kind: 'file' }, {}],
    });
    t.match(found.get('shepherd_pid_file'), {
      ...{ state: 'missing', found: null, candidates: [{ kind: 'a dangling symlink' }, { kind: 'absent' }] },
    });
    t.match(found.get('herd'), { state: 'missing', candidates: [{ kind: 'file' }] }, 'a file that cannot be run');
    t.match(found.get('guile'), { state: 'found', candidates: [{ real: below(`store/${ITEM}/bin/guile`) }] });
    t.notOk(found.has('shim_prefixes') || found.has('ready_marker_content'));
    const elsewhere = suggestStore([...found.values()], '/frx/store');
    t.match(elsewhere, { key: 'store', value: below('store'), because: `${below('current')} is ${below('store')}` });
    t.equal(suggestStore([...found.values()], below('store')), null);
  });
}

t.test('what cannot be seen is unknown; what the running Shepherd uses counts as found', async (t) => {
  const state = (seen: Observation, key: string, probed: readonly Observation[] = []): string =>
    readGuestPaths(seen, fruixPaths, probed).find((each) => each.key === key)?.state ?? 'no such key';
  const said = (facts: Readonly<Record<string, string>>): Observation => ({ state: 'seen', facts });
  t.equal(state({ state: 'unseen', reason: 'cut' }, 'store'), 'unknown');
  t.equal(state(said({ 'kind.store.0': 'unreadable' }), 'store'), 'unknown');
  t.equal(state(said({ 'kind.store.0': 'file' }), 'store'), 'missing');
  const none = said({ 'kind.guile.0': 'absent', 'kind.guile.1': 'absent', 'kind.guile_environment.0': 'absent' });
  t.equal(state(none, 'guile'), 'missing');
  t.equal(state(none, 'guile', [said({ guile: '/frx/store/x-guile/bin/guile' })]), 'found');
  t.equal(state(none, 'guile_environment', [said({ guile_environment: 'none' })]), 'missing');
  t.equal(state(none, 'guile_environment', [said({ guile_environment: 'process 1' })]), 'found');
});
