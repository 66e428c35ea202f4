/** Bad input: one clear sentence, exit code 2, nothing created: no workdir, no call to the lab. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { runPhase, workdirRoot } from '../phase-process.ts';

const dir = mkdtempSync(join(tmpdir(), 'bw-misuse-'));
t.teardown(() => rmSync(dir, { recursive: true, force: true }));
const root = workdirRoot(t);
const file = (name: string, content: string): string => {
  writeFileSync(join(dir, name), content);
  return join(dir, name);
};

execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(dir, 'key')]);
execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'a passphrase', '-f', join(dir, 'locked')]);
const image = file('image.raw', 'x'.repeat(512));
truncateSync(image, 1024 * 1024);
writeFileSync(join(dir, 'cut.raw.gz'), gzipSync('x'.repeat(512)).subarray(0, -9));
const ofPhase11 = file('phase11.raw', 'x'.repeat(512));
file('phase11.raw.bootwitness.json', '{"bootMode":"shepherd-pid1"}');
const lab = (text: string): string => file(`lab-${text.length}.toml`, text);
const UUID = '0f9a1b2c-0000-4000-8000-000000000001';
const GOOD_LAB = `[xo]
url = "http://127.0.0.1:1"
token_file = "${file('token', 'a-token')}"
[ssh]
key = "${join(dir, 'key')}"
`;

const ROWS: readonly {
  readonly name: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly says: RegExp;
}[] = [
  { name: 'unknown option', args: ['--frobnicate'], says: /^--frobnicate: unknown option; expected one of --lab/m },
  {
    name: 'unknown variable',
    args: ['--lab', 'embedded'],
    environment: { BOOTWITNESS_IMGE: 'x' },
    says: /^BOOTWITNESS_IMGE: unknown variable/m,
  },
  { name: 'image missing', args: ['--lab', 'embedded', '--image', '/nonexistent.raw'], says: /\/nonexistent\.raw/ },
  { name: 'image is a folder', args: ['--lab', 'embedded', '--image', dir], says: /expected/ },
  {
    name: 'image is not an image',
    args: ['--lab', 'embedded', '--image', file('hello.txt', 'hello')],
    says: /hello\.txt/,
  },
  {
    name: 'image of the other mode',
    args: ['--lab', 'embedded', '--image', ofPhase11],
    says: /phase9-xcpng-boot expected .* sidecar says shepherd-pid1/,
  },
  {
    name: 'image is compressed and cut',
    args: ['--lab', 'embedded', '--image', join(dir, 'cut.raw.gz')],
    says: /cut\.raw\.gz: it cannot be decompressed: gzip: it is cut/,
  },
  {
    name: 'image is a qcow2 that is none',
    args: ['--lab', 'embedded', '--image', file('image.qcow2', `QFI\u00fb${'\0'.repeat(1020)}`)],
    says: /./,
  },
  {
    name: 'public key given as private key',
    args: ['--lab', 'embedded', '--image', image, '--ssh-key', join(dir, 'key.pub')],
    says: /expected a private key, given a public key: .*key\.pub/,
  },
  {
    name: 'encrypted key',
    args: ['--lab', 'embedded', '--image', image, '--ssh-key', join(dir, 'locked')],
    says: /expected a private key without passphrase/,
  },
  {
    name: 'URL that is none',
    args: ['--xo-url', 'not a url'],
    says: /--xo-url: expected an http, https, ws or wss URL/,
  },
  {
    name: 'URL whose host does not exist',
    args: ['--lab', lab(GOOD_LAB.replace('127.0.0.1:1', 'no-such-host.invalid')), '--image', image],
    says: /no-such-host\.invalid/,
  },
  {
    name: 'malformed lab file',
    args: ['--lab', lab(`${GOOD_LAB}[placement]\nmemory_mib = "lots"\n`), '--image', image],
    says: /line 7: placement\.memory_mib: expected a number/,
  },
  { name: 'lab file that is no TOML', args: ['--lab', lab('[xo\n'), '--image', image], says: /line 1/ },
  { name: 'lab that is not there', args: ['--lab', 'nowhere'], says: /labs\/nowhere\.toml/ },
  {
    name: 'a real lab without an image',
    args: ['--lab', lab(`${GOOD_LAB}\n\n`)],
    says: /--image: expected a disk image, given nothing/,
  },
  { name: 'a fixed VM on the embedded lab', args: ['--lab', 'embedded', '--fixed-vm', UUID], says: /^--fixed-vm: / },
  {
    name: 'a fixed VM without its disk',
    args: ['--lab', lab(`${GOOD_LAB}[fixed]\nvm = "${UUID}"\n`)],
    says: /fixed\.vdi/,
  },
  { name: 'a URL as a lab', args: ['--lab', 'https://xo.example.org'], says: /^--lab: .*a URL goes to --xo-url/m },
  {
    name: 'a pin and no check at all',
    args: ['--lab', lab(GOOD_LAB.replace('[ssh]', `fingerprint = "${'ab'.repeat(32)}"\n[ssh]`)), '--xo-insecure'],
    says: /^--xo-insecure: expected one of the two/m,
  },
  {
    name: 'a cache that cannot be made',
    args: ['--lab', 'embedded'],
    environment: { BOOTWITNESS_CACHE_DIR: '/proc/nope' },
    says: /^BOOTWITNESS_CACHE_DIR: expected a folder that can be made .*\/proc\/nope/m,
  },
  {
    name: 'a default cache that cannot be made, where the embedded lab needs one',
    args: ['--lab', 'embedded'],
    environment: { XDG_CACHE_HOME: '/proc/nope' },
    says: /^BOOTWITNESS_CACHE_DIR \(or XDG_CACHE_HOME, or HOME\): .*\/proc\/nope\/bootwitness \(ENOENT\)/m,
  },
  { name: 'no lab under CI', args: [], environment: { CI: 'true' }, says: /expected a lab to be named/ },
];

for (const row of ROWS) {
  t.test(row.name, async (t) => {
    const outcome = await runPhase('phase9', root, row.args, row.environment ? { environment: row.environment } : {});
    t.equal(outcome.code, 2, outcome.stderr);
    t.match(outcome.stderr, row.says);
    t.match(outcome.stdout, /^TAP version 14\nBail out! \w+ \(caller\): /);
    t.notMatch(outcome.stderr, /\n\s+at /, 'no stack trace');
    t.same(outcome.workdirs, [], 'nothing was created');
  });
}
