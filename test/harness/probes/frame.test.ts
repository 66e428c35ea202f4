/** The frame against output that is hostile, broken, doubled or cut. */
import t from 'tap';
import type { CommandRecord } from '../../../harness/model.ts';
import { frame, unframe } from '../../../harness/probes/frame.ts';
import { quote, words } from '../../../harness/probes/quote.ts';
import { NONCE } from './scripts.ts';

const record = (stdout: string, more: Partial<CommandRecord> = {}): CommandRecord => ({
  name: 'x',
  script: '',
  exit: 0,
  signal: null,
  stdout,
  stderr: '',
  truncated: false,
  timedOut: false,
  transport: null,
  startedAtMs: 0,
  durationMs: 1500,
  ...more,
});
const line = (key: string, coded: string): string => `@${NONCE}\t${key}\t${coded}\n`;
const end = line('end', '0');
const answer = (stdout: string, more: Partial<CommandRecord> = {}) => unframe(record(stdout, more), NONCE);

t.test('the first two lines name probe and nonce', async (t) => {
  const text = frame({ probe: 'pid1', nonce: NONCE, body: ':' });
  t.strictSame(text.split('\n').slice(0, 2), [`BW_PROBE='pid1'`, `BW_NONCE='${NONCE}'`]);
  t.match(text, /\nBW_PATIENCE=1\n/);
  t.match(frame({ probe: 'x', nonce: NONCE, body: ':', patience: 5.5 }), /\nBW_PATIENCE=6\n/);
  t.throws(() => frame({ probe: `x'; reboot`, nonce: NONCE, body: '' }), /kebab-case/);
  t.throws(() => frame({ probe: 'x', nonce: 'short', body: '' }), /16 to 64 hex digits/);
  for (const patience of [0, -1, Number.NaN, 1001]) {
    t.throws(() => frame({ probe: 'x', nonce: NONCE, body: '', patience }), /patience/);
  }
});

t.test('facts come as text or as hex, whatever is printed around them', async (t) => {
  const banner = 'compat_prefix_shims=absent\n@ffff\tkind\t=absent\nWelcome\n';
  const facts = `${line('hex.0', '00ff0a41')}${line('empty', '=')}`;
  const seen = answer(`${banner}${line('kind', '=dangling symlink')}noise\n${facts}${end}bye\n`);
  t.strictSame(seen, {
    state: 'seen',
    facts: { kind: 'dangling symlink', 'hex.0': '\0\ufffd\nA', empty: '' },
  });
  const crlf = answer(`${line('kind', '=file')}${line('hex', '41')}${end}`.replaceAll('\n', '\r\n'));
  t.strictSame(crlf, { state: 'seen', facts: { kind: 'file', hex: 'A' } });
});

t.test('an answer that is not provably whole is unseen, with its reason', async (t) => {
  const kind = line('kind', '=file');
  const cases: readonly (readonly [string, Partial<CommandRecord>, RegExp])[] = [
    ['', {}, /^cut: no end line \(exit status 0\)$/],
    [kind, { exit: null, signal: 'KILL' }, /^cut: no end line \(signal KILL\)$/],
    [kind, { exit: 127, stderr: 'sh: not found\n' }, /^cut: .*exit status 127; stderr ends: sh: not found/],
    [`${kind}${kind}${end}`, {}, /^kind came twice$/],
    [`${kind}${end}${end}`, {}, /went on after its end/],
    [`${kind}${end}${kind}`, {}, /went on after its end/],
    [`${line('kind', 'abc')}${end}`, {}, /neither text nor hex/],
    [`${line('kind', 'ZZ')}${end}`, {}, /neither text nor hex/],
    [`${line('kind', '4A')}${end}`, {}, /neither text nor hex/],
    [`${line('kind', '=a\u00e9')}${end}`, {}, /neither text nor hex/],
    [`${line('Kind', '=a')}${end}`, {}, /malformed key/],
    [`banner${kind}${end}`, {}, /malformed line/],
    [`@${NONCE}\tkind\n${end}`, {}, /malformed line/],
    [`@${NONCE}\tkind\t=a\tb\n${end}`, {}, /malformed line/],
    [`${kind}${line('end', '3')}`, {}, /script itself failed with status 3/],
    [`${kind}${end}`, { timedOut: true }, /no end within 1\.5 s: timed out/],
    [`${kind}${end}`, { transport: 'connection reset' }, /the channel failed: connection reset/],
    [`${kind}${end}`, { truncated: true }, /^cut: more output/],
  ];
  for (const [stdout, more, reason] of cases) {
    const seen = answer(stdout, more);
    t.equal(seen.state, 'unseen', String(reason));
    t.match(seen.state === 'unseen' ? seen.reason : '', reason);
  }
});

t.test('a key of the object prototype is a fact like any other', async (t) => {
  t.equal(answer(`${line('constructor', '=a')}${end}`).state, 'seen');
});

t.test('quoting', async (t) => {
  t.equal(quote(`a'b $(reboot)`), `'a'\\''b $(reboot)'`);
  t.equal(words(['a', 'b c']), `'a' 'b c'`);
  t.throws(() => quote('a\0b'), /NUL/);
});

t.test('no digits at all are a missing od, not an empty text', async (t) => {
  t.match(answer(`${line('content', '')}${end}`), { state: 'unseen', reason: /content is neither text nor hex/ });
});
