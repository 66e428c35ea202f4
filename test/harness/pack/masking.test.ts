/** What looks like a secret is masked; what is none stays as it is, byte by byte. */
import t from 'tap';
import { cleanText, masked } from '../../../harness/pack/masking.ts';

/** Of the form that ssh-keygen writes; made up. */
const [begin, end] = ['-----BEGIN OPENSSH PRIVATE KEY-----', '-----END OPENSSH PRIVATE KEY-----'];
const key = `${[begin, 'b3BlbnNz/aC1r+ZXkt'.repeat(3), 'djEAAAAABG5vbmUAAA'.repeat(3), end].join('\n')}\n`;

t.test('what only looks like a secret is masked where nobody knows it', async (t) => {
  for (const [said, clean] of [
    [key, '[secret]\n'],
    [key.slice(0, 100), '[secret]'],
    ['-----BEGIN RSA PRIVATE KEY-----\\nMIIE\\n-----END RSA PRIVATE KEY-----x', '[secret]x'],
    ['GET https://u:p4ss@host/x', 'GET https://[secret]@host/x'],
    ['password=hunter22 x', 'password=[secret] x'],
    ['XO_TOKEN="abcdefgh"', 'XO_TOKEN="[secret]"'],
    ['"api-key": "abcdefgh"', '"api-key": "[secret]"'],
    ['Authorization: Bearer abc.def', 'Authorization: Bearer [secret]'],
    ['Cookie: authenticationToken=abcdef0123', 'Cookie: authenticationToken=[secret]'],
    [Buffer.from('x password=hunter22').toString('hex'), Buffer.from('x password=[secret]').toString('hex')],
  ] as const) {
    t.equal(cleanText(said), clean);
    t.equal(cleanText(clean), clean, 'once is enough');
  }
});

t.test('what is no secret stays as it is, byte by byte', async (t) => {
  for (const said of [
    'token_file = "/home/u/xo.token"',
    'password_file = "secret.txt"',
    'sshd[12]: Accepted publickey for root from 192.0.2.1 port 4 ssh2: ED25519 SHA256:abc',
    'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ user@host',
    'https://xo.example.org:443/rest/v0',
    'ab'.repeat(32),
    'a token was sent, and the password too',
  ]) {
    t.equal(cleanText(said), said);
  }
  const odd = Buffer.from([0xff, 0x00, 0x80, 10]);
  t.same(masked('console/serial.txt', odd), { bytes: odd, count: 0 });
  const spaced = Buffer.from('{ "a" :1}\n');
  t.same(masked('result.json', spaced), { bytes: spaced, count: 0 });
});

t.test('a secret under a name that says so is masked, whatever it looks like', async (t) => {
  const text = JSON.stringify({ password: 'x', token: '', 'xo-token-file': '/x', list: [{ passphrase: 'y' }] });
  const { bytes, count: places } = masked('log.ndjson', Buffer.from(`${text}\n`));
  t.same(JSON.parse(bytes.toString()), {
    password: '[secret]',
    token: '',
    'xo-token-file': '/x',
    list: [{ passphrase: '[secret]' }],
  });
  t.equal(places, 2);
});
