/** What makes sense alone, but not together: one sentence each, before a lab is asked for anything. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { Fault } from '../../../harness/faults/faults.ts';
import { readRequest } from '../../../harness/options/config.ts';
import { prepareLab } from '../../../harness/prepare/prepare.ts';

const dir = mkdtempSync(join(tmpdir(), 'bw-contradictions-'));
t.teardown(() => rmSync(dir, { recursive: true, force: true }));
const file = (name: string, text: string): string => {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
};
const token = file('token', 'a-token\n');
const password = file('password', 'a password\n');
const UUID = '0f9a1b2c-0000-4000-8000-000000000001';
let files = 0;

interface Asked {
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Below `[xo]`, which has its URL; a token besides where `token` is not false. */
  readonly lab?: string;
  readonly token?: false;
}

/** `CODE: message`, or `fine`. */
function outcome({ args = [], environment = {}, lab, token: withToken }: Asked): string {
  const signIn = withToken === false ? '' : `token_file = "${token}"\n`;
  const labFile =
    lab === undefined ? [] : ['--lab', file(`${++files}.toml`, `[xo]\nurl = "http://x"\n${signIn}${lab}`)];
  try {
    const asked = readRequest([...labFile, ...args], environment);
    if (!('request' in asked)) throw new Error('expected a request');
    if (asked.request.lab.kind !== 'embedded') prepareLab(asked.request, null, 'shepherd-pid1');
    return 'fine';
  } catch (error) {
    if (error instanceof Fault && error.party === 'caller') return `${error.code}: ${error.message}`;
    throw error;
  }
}

const CACHE = '[cache]\nsr = "x"\ngib = 20\nchain_max = 20\n';
const PIN = `fingerprint = "${'ab'.repeat(32)}"\n`;
const ROWS: readonly (readonly [string, Asked, RegExp])[] = [
  [
    "a host for an operator's VM",
    { lab: `[fixed]\nvm = "${UUID}"\nvdi = "${UUID}"\n`, args: ['--host', 'h1'] },
    /^BAD_OPTION: --host: expected a lab whose guests are made .* given an operator's VM/,
  ],
  [
    'a fixed VM on the embedded lab',
    { args: ['--lab', 'embedded', '--fixed-vm', UUID] },
    /^BAD_OPTION: --fixed-vm: .*no VM of an operator/,
  ],
  [
    'a fixed VM without a lab',
    { environment: { BOOTWITNESS_FIXED_VM: UUID } },
    /^BAD_ENVIRONMENT: BOOTWITNESS_FIXED_VM: expected a lab file or --xo-url/,
  ],
  [
    'a URL and the embedded lab',
    { args: ['--lab', 'embedded', '--xo-url', 'https://xo'] },
    /^BAD_OPTION: --xo-url: .*its own Xen Orchestra/,
  ],
  [
    'a token and the embedded lab',
    { args: ['--lab', 'embedded', '--xo-token-file', token] },
    /^BAD_OPTION: --lab: expected a real lab for the token that is there/,
  ],
  [
    'a password and no lab',
    { environment: { BOOTWITNESS_XO_PASSWORD: 'x' } },
    /^BAD_OPTION: --lab: expected a real lab for the password/,
  ],
  [
    'an email without password',
    { args: ['--xo-url', 'http://x', '--xo-email', 'ci'] },
    /^BAD_OPTION: --xo-email: expected a password with it .*given none$/,
  ],
  ['the same in a file', { lab: 'email = "ci"\n' }, /^BAD_LAB_FILE: .*\.toml: xo\.email: expected a password with it/],
  [
    'a password without email',
    { args: ['--xo-url', 'http://x'], environment: { BOOTWITNESS_XO_PASSWORD: 'x' } },
    /^BAD_ENVIRONMENT: BOOTWITNESS_XO_PASSWORD: expected the user whose password it is/,
  ],
  [
    'the same in a file',
    { lab: `password_file = "${password}"\n`, token: false },
    /^BAD_LAB_FILE: .*xo\.password_file: expected the user/,
  ],
  [
    'the same by option',
    { lab: '', args: ['--xo-password-file', password] },
    /^BAD_OPTION: --xo-password-file: expected the user/,
  ],
  [
    'insecure and pinned',
    { lab: `insecure = true\n${PIN}` },
    /^BAD_LAB_FILE: .*xo\.insecure: expected one of the two, it or xo\.fingerprint, given both/,
  ],
  [
    'insecure by option over a pin',
    { lab: PIN, args: ['--xo-insecure'] },
    /^BAD_OPTION: --xo-insecure: expected one of the two/,
  ],
  [
    'insecure and a CA',
    { lab: `insecure = true\nca_file = "${token}"\n` },
    /xo\.insecure: expected one of the two, it or xo\.ca_file/,
  ],
  [
    'stimulation of nothing',
    { lab: '[addresses]\nstimulate = "192.0.2.0/24"\n' },
    /addresses\.stimulate: expected a neighbour table/,
  ],
  [
    'the same by option',
    { lab: '', args: ['--stimulate', '192.0.2.0/24'] },
    /^BAD_OPTION: --stimulate: expected a neighbour table/,
  ],
  [
    'neighbours of no jump host',
    { lab: '[addresses]\nneighbours = "jump"\n' },
    /addresses\.neighbours: expected a jump host/,
  ],
  [
    'a URL as a lab',
    { args: ['--lab', 'https://root:planted@xo.example.org'] },
    /^BAD_OPTION: --lab: expected .* a URL goes to --xo-url, given "https:\/\/\[secret\]@xo\.example\.org"/,
  ],
  [
    'a cache that cannot be made',
    { environment: { BOOTWITNESS_CACHE_DIR: '/proc/nope' } },
    /^BAD_ENVIRONMENT: BOOTWITNESS_CACHE_DIR: expected a folder that can be made .*\/proc\/nope \(ENOENT\)/,
  ],
  [
    'a cache that is a file',
    { environment: { BOOTWITNESS_CACHE_DIR: token } },
    /^BAD_ENVIRONMENT: BOOTWITNESS_CACHE_DIR: .*\(ENOTDIR\)/,
  ],
  [
    'a fixed VM without its disk',
    { args: ['--xo-url', 'http://x', '--fixed-vm', UUID] },
    /fixed\.vdi: expected the uuid of the VDI \(or --fixed-vdi\), given nothing/,
  ],
  [
    'a fixed disk without its VM',
    { lab: `[fixed]\nvdi = "${UUID}"\n` },
    /fixed\.vm: expected the uuid of the VM \(or --fixed-vm\), given nothing/,
  ],
  [
    'a cache and a fixed VM',
    { lab: `${CACHE}[fixed]\nvm = "${UUID}"\nvdi = "${UUID}"\n` },
    /^BAD_LAB_FILE: .*cache\.sr: expected guests that are made for a run, or --cache off, given it with \[fixed\]/,
  ],
  [
    'a cache by option over a fixed VM',
    {
      lab: `[fixed]\nvm = "${UUID}"\nvdi = "${UUID}"\n`,
      args: ['--cache-sr', 'x', '--cache-gib', '1', '--cache-chain-max', '5'],
    },
    /^BAD_OPTION: --cache-sr: expected guests that are made for a run/,
  ],
  [
    'half a cache',
    { lab: '[cache]\nsr = "x"\n' },
    /cache\.gib: expected how many GiB they may take \(or --cache-gib\)/,
  ],
  ['--cache on without one', { lab: '', args: ['--cache', 'on'] }, /^BAD_OPTION: --cache: expected a \[cache\] in the/],
  [
    '--cache maybe',
    { lab: CACHE, args: ['--cache', 'maybe'] },
    /^BAD_OPTION: --cache: expected on or off, given "maybe"/,
  ],
  [
    'a cache on the embedded lab',
    { args: ['--lab', 'embedded', '--cache-gib', '3'] },
    /^BAD_OPTION: --cache-gib: .*that ends with its run and keeps nothing/,
  ],
  [
    '--cache on on the embedded lab',
    { args: ['--lab', 'embedded', '--cache', 'on'] },
    /^BAD_OPTION: --cache: .*that ends with its run and keeps nothing/,
  ],
  ['--pad without a fixed VM', { lab: '', args: ['--pad'] }, /fixed\.vm: expected the uuid of the VM/],
];

for (const [name, asked, says] of ROWS) {
  t.test(name, async (t) => {
    t.match(outcome(asked), says);
  });
}

t.test('each half alone is fine', async (t) => {
  const fine: readonly Asked[] = [
    { args: ['--lab', 'embedded', '--sr', 'any'] },
    { lab: `email = "ci"\npassword_file = "${password}"\n`, token: false },
    { lab: 'email = "ci"\n', environment: { BOOTWITNESS_XO_PASSWORD: 'x' } },
    { lab: 'insecure = true\n' },
    { lab: PIN },
    { lab: '[addresses]\nneighbours = "here"\nstimulate = "192.0.2.0/24"\n' },
    { lab: '[addresses]\nneighbours = "jump"\n[ssh]\nagent = "/agent"\n[ssh.jump]\nhost = "j"\n' },
    { lab: `[fixed]\nvm = "${UUID}"\nvdi = "${UUID}"\n` },
    { lab: `${CACHE}[fixed]\nvm = "${UUID}"\nvdi = "${UUID}"\n`, args: ['--cache', 'off'] },
    { lab: CACHE, args: ['--cache', 'on'] },
    { lab: '', args: ['--cache-sr', 'x', '--cache-gib', '0.5', '--cache-chain-max', '5'] },
    { args: ['--lab', 'embedded', '--cache', 'off'] },
    { args: ['--lab', 'embedded'], environment: { BOOTWITNESS_CACHE_DIR: join(dir, 'new', 'cache') } },
  ];
  for (const asked of fine) t.equal(outcome(asked), 'fine', JSON.stringify(asked));
});
