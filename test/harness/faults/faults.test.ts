import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { Deadline } from '../../../harness/deadline.ts';
import { FAULTS } from '../../../harness/faults/fault-table.ts';
import { Fault, faultRecord } from '../../../harness/faults/faults.ts';
import { startEmbeddedLab } from '../../../harness/prepare/embedded.ts';
import { loadPrivateKey } from '../../../harness/ssh/keys.ts';
import { Secret } from '../../../harness/workdir/secrets.ts';

const TESTS = fileURLToPath(new URL('../..', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'bw-faults-'));
t.teardown(() => rmSync(dir, { recursive: true, force: true }));

t.test('every code of the table is provoked by a test, and has a remedy', async (t) => {
  const texts = readdirSync(TESTS, { recursive: true, encoding: 'utf8' })
    // The rows of the matrix are data beside its tests.
    .filter((file) => file.endsWith('.test.ts') || /^matrix\/.*\.ts$/.test(file))
    .map((file) => readFileSync(join(TESTS, file), 'utf8'));
  for (const [code, { remedy }] of Object.entries(FAULTS)) {
    t.ok(
      texts.some((text) => text.includes(code)),
      `${code} is named by a test`,
    );
    t.match(remedy, /^[A-Z].{20,}\.$/, `${code} says what to do`);
  }
});

t.test('a record keeps the causes in their own words', async (t) => {
  const cause = new Error('outer', { cause: new TypeError('inner') });
  t.match(faultRecord(new Fault('XO_UNREACHABLE', 'no answer', { cause })), {
    code: 'XO_UNREACHABLE',
    party: 'lab',
    causes: ['Error: outer', 'TypeError: inner'],
  });
  t.match(faultRecord('a thrown text'), { code: 'HARNESS_BUG', party: 'harness', message: 'a thrown text' });
});

t.test('only a private key that can be opened is a key', async (t) => {
  const key = join(dir, 'key');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'locked', '-f', `${key}-locked`]);
  writeFileSync(`${key}-none`, 'hello\n');
  t.ok(loadPrivateKey('--ssh-key', key, null).text.length > 0);
  t.equal(loadPrivateKey('--ssh-key', key, new Secret('for another one')).passphrase, null);
  t.equal(loadPrivateKey('--ssh-key', `${key}-locked`, new Secret('locked')).passphrase, 'locked');
  const wrong = (): unknown => loadPrivateKey('--ssh-key', `${key}-locked`, new Secret('wrong'));
  t.throws(wrong, { code: 'BAD_KEY', message: /--ssh-key: expected the passphrase of .*locked, given another one/ });
  for (const [path, says] of [
    [`${key}.pub`, /given a public key: .*key\.pub/],
    [`${key}-locked`, /without passphrase, or its passphrase \(--ssh-passphrase-file\)/],
    [`${key}-none`, /expected a private key/],
    [join(dir, 'nowhere'), /cannot read/],
  ] as const) {
    t.throws(() => loadPrivateKey('--ssh-key', path, null), { code: 'BAD_KEY', message: says });
  }
});

t.test('the embedded lab: refused off Linux, and its last words kept where it fails', async (t) => {
  const options = {
    environment: { PATH: join(dir, 'no-tools-here'), HOME: dir },
    cacheDir: join(dir, 'cache'),
    deadline: Deadline.after(60_000, new AbortController().signal),
    onLine: () => undefined,
  };
  const { platform } = process;
  Object.defineProperty(process, 'platform', { value: 'freebsd' });
  await t.rejects(startEmbeddedLab(options), { code: 'LAB_UNSUPPORTED', message: /this is freebsd/ });
  Object.defineProperty(process, 'platform', { value: platform });
  const failed = await startEmbeddedLab(options).catch((error: unknown) => error);
  t.match(failed, {
    code: 'EMBEDDED_LAB_FAILED',
    message: /did not start \(exit 3\): flock (?:is not installed|of util-linux cannot be started)/,
  });
});
t.test('a machine that gives no more files or sockets is nobody else’s fault, whoever says so', async (t) => {
  const cause = Object.assign(new Error('open'), { code: 'EMFILE', syscall: 'open' });
  t.match(faultRecord(new Fault('BAD_IMAGE', 'it cannot be opened', { cause })), {
    code: 'MACHINE_EXHAUSTED',
    party: 'machine',
    message: 'it cannot be opened: this machine gives no more (EMFILE)',
  });
  t.match(faultRecord(cause), { code: 'MACHINE_EXHAUSTED', party: 'machine' });
  const other = Object.assign(new Error('open'), { code: 'EACCES', syscall: 'open' });
  t.match(faultRecord(new Fault('BAD_IMAGE', 'x', { cause: other })), { code: 'BAD_IMAGE', party: 'caller' });
});
