import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { Fault, faultRecord } from '../../../harness/faults/faults.ts';
import { readRequest } from '../../../harness/options/config.ts';

const ask = (args: string[], environment: Record<string, string> = {}) => {
  const asked = readRequest(args, environment);
  if (!('request' in asked)) throw new Error('expected a request');
  return asked.request;
};

const refused = (args: string[], environment: Record<string, string> = {}): Fault => {
  try {
    readRequest(args, environment);
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error(`expected ${args.join(' ')} to be refused`);
};

t.test('flags beat the environment', async (t) => {
  const request = ask(['--budget-scale', '2'], { BOOTWITNESS_BUDGET_SCALE: '3', BOOTWITNESS_LABEL: 'nightly' });
  t.equal(request.budgetScale, 2);
  t.equal(request.label, 'nightly');
  t.same(request.variables, { BOOTWITNESS_LABEL: 'nightly' }, 'to run it again, the variable is needed, too');
  t.same(ask(['--lab', 'pool1'], { BOOTWITNESS_XO_TOKEN: 'planted-token' }).variables, {}, 'but never a secret');
});

t.test('options of the lab file are handed on with their origin', async (t) => {
  const { overrides } = ask(['--lab', 'pool1', '--sr', 'fast', '--pad'], { BOOTWITNESS_SSH_PORT: '2222' });
  t.same(overrides.get('placement.sr'), { from: '--sr', text: 'fast' });
  t.same(overrides.get('fixed.pad'), { from: '--pad', text: 'true' });
  t.same(overrides.get('ssh.port'), { from: 'BOOTWITNESS_SSH_PORT', text: '2222' });
  t.match(refused(['--pad=maybe']).message, /^--pad: expected no value, true or false, given "maybe"/);
});

t.test('no lab means the embedded one, except in CI', async (t) => {
  t.same(ask([]).lab, { kind: 'embedded', named: false });
  t.same(ask(['--lab', 'embedded'], { CI: 'true' }).lab, { kind: 'embedded', named: true });
  t.match(refused([], { CI: 'true' }), { code: 'LAB_NOT_NAMED', message: /--lab: expected .* given nothing/ });
  t.match(ask(['--lab', 'pool1']).lab, { kind: 'file', path: /labs\/pool1\.toml$/ });
  t.match(ask(['--lab', '/etc/lab.toml']).lab, { kind: 'file', path: '/etc/lab.toml' });
  t.same(ask(['--xo-url', 'https://xo.example.org'], { CI: 'true' }).lab, { kind: 'from-options' });
});

t.test('each mistake gets one sentence: option, what was expected, what was given', async (t) => {
  const rows: readonly [readonly string[], Record<string, string>, string, RegExp][] = [
    [['--imgae', 'x'], {}, 'BAD_OPTION', /^--imgae: unknown option; did you mean --image\?$/],
    [['--frobnicate'], {}, 'BAD_OPTION', /^--frobnicate: unknown option; expected one of --lab, /],
    [['image.raw'], {}, 'BAD_OPTION', /expected options only, given "image.raw"/],
    [['--image'], {}, 'BAD_OPTION', /^--image: expected FILE, given nothing/],
    [['--image='], {}, 'BAD_OPTION', /^--image: expected FILE, given nothing/],
    [['--image', '--lab'], {}, 'BAD_OPTION', /^--image: expected FILE, given "--lab"/],
    [['--lab', 'a', '--lab', 'b'], {}, 'BAD_OPTION', /^--lab: expected it once/],
    [['--budget-scale', 'fast'], {}, 'BAD_OPTION', /^--budget-scale: expected a number above 0.*given "fast"/],
    [['--budget-scale', '0'], {}, 'BAD_OPTION', /given "0"/],
    [['--read-back', 'never'], {}, 'BAD_OPTION', /expected auto or always, given "never"/],
    [['--expect-closure', 'frx/store/x'], {}, 'BAD_OPTION', /expected an absolute store path/],
    [['--label', '../etc'], {}, 'BAD_OPTION', /^--label: expected letters/],
    [['--xo-token', 'abc'], {}, 'BAD_OPTION', /^--xo-token: unknown option; expected it as BOOTWITNESS_XO_TOKEN: /],
    [
      [],
      { BOOTWITNESS_IMGAE: 'x' },
      'BAD_ENVIRONMENT',
      /^BOOTWITNESS_IMGAE: unknown variable; did you mean BOOTWITNESS_IMAGE\?$/,
    ],
    [[], { BOOTWITNESS_IMAGE: '' }, 'BAD_ENVIRONMENT', /^BOOTWITNESS_IMAGE: expected FILE, given an empty value/],
    [[], { BOOTWITNESS_BUDGET_SCALE: '-1' }, 'BAD_ENVIRONMENT', /^BOOTWITNESS_BUDGET_SCALE: expected a number/],
    [['--xo-url', 'ftp://xo'], {}, 'BAD_URL', /^--xo-url: expected an http, https, ws or wss URL/],
    [['--xo-url', 'xo.example.org'], {}, 'BAD_URL', /given "xo.example.org"/],
    [['--xo-url', 'https://xo.example.org/v6'], {}, 'BAD_URL', /no path/],
    [['--xo-url', 'https://admin:hunter22@xo.example.org'], {}, 'BAD_URL', /credentials/],
    [['--xo-token-file', '/nonexistent'], {}, 'BAD_OPTION', /cannot read \/nonexistent/],
  ];
  for (const [args, environment, code, message] of rows) {
    const got = refused([...args], environment);
    t.equal(got.code, code, [...args, ...Object.keys(environment)].join(' '));
    t.match(got.message, message);
  }
});

t.test('a trailing slash of the URL is taken off: it would hang for ever', async (t) => {
  t.equal(ask(['--xo-url', 'https://xo.example.org/']).xoUrl, 'https://xo.example.org');
});

t.test('one Xen Orchestra has one name, whatever scheme it is given by: a sweep looks for it', async (t) => {
  const names = [
    'https://XO.example.org:443/',
    'wss://xo.example.org',
    'wss://xo.example.org/',
    'https://xo.example.org',
  ];
  for (const name of names) t.equal(ask(['--xo-url', name]).xoUrl, 'https://xo.example.org', name);
  t.equal(ask(['--xo-url', 'ws://xo.example.org:8080/']).xoUrl, 'http://xo.example.org:8080');
});

t.test('the token comes from environment or file and shows itself nowhere', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'bw-config-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  writeFileSync(join(dir, 'token'), 'planted-token-in-a-file\n');
  const request = ask(['--lab', 'pool1', '--xo-token-file', join(dir, 'token')]);
  t.equal(request.xoToken?.reveal(), 'planted-token-in-a-file');
  t.notMatch(JSON.stringify(request), /planted/);
  const direct = ask(['--lab', 'pool1'], { BOOTWITNESS_XO_TOKEN: 'planted-in-the-environment' });
  t.equal(direct.xoToken?.reveal(), 'planted-in-the-environment');
  t.notMatch(JSON.stringify(direct), /planted/, 'nor in what a child process gets');
  writeFileSync(join(dir, 'empty'), '\n');
  t.match(refused(['--xo-token-file', join(dir, 'empty')]).message, /and nothing else/);
});

t.test('--help and --version ask for nothing else', async (t) => {
  t.same(readRequest(['--help'], { CI: 'true' }), { print: 'help' });
  t.same(readRequest(['--frobnicate', '--image', '--help'], {}), { print: 'help' }, 'whatever else is wrong');
  t.same(readRequest(['--version'], {}), { print: 'version' });
});

t.test('nothing of a password is quoted, whatever characters it has', async (t) => {
  for (const url of [
    'http://root:PLANTED/x@127.0.0.1:9',
    'http://root:x@PLANTED@127.0.0.1:9',
    'http://root:x"PLANTED@127.0.0.1:9',
    'root:PLANTED@127.0.0.1',
    'https://PLANTED@xo.example.org',
  ]) {
    const fault = refused(['--xo-url', url], {});
    t.equal(fault.code, 'BAD_URL', url);
    t.match(fault.message, /given ".*\[secret\]@/);
    t.notMatch(JSON.stringify(faultRecord(fault)), /PLANTED/, url);
  }
});
