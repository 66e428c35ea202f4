import { inspect } from 'node:util';
import t from 'tap';
import { Secret, scrub } from '../../../harness/workdir/secrets.ts';

t.test('a secret shows itself only when asked by name', async (t) => {
  const secret = new Secret('pl"anted/to+ken');
  t.equal(`${secret}`, '[secret]');
  t.equal(JSON.stringify({ secret }), '{"secret":"[secret]"}');
  t.equal(inspect({ secret }), '{ secret: [secret] }');
  t.equal(secret.reveal(), 'pl"anted/to+ken');
});

t.test('every spelling of a known secret is scrubbed', async (t) => {
  new Secret('pl"anted/to+ken');
  for (const spelling of [
    'pl"anted/to+ken',
    JSON.stringify({ a: 'pl"anted/to+ken' }),
    encodeURIComponent('pl"anted/to+ken'),
    Buffer.from('pl"anted/to+ken').toString('base64'),
  ]) {
    t.match(scrub(`x ${spelling} y`), /\[secret\]/);
    t.notMatch(scrub(`x ${spelling} y`), /anted/);
  }
});

t.test('credentials in a URL go even when nobody declared them', async (t) => {
  t.equal(
    scrub('cannot reach https://me:hunter2@xo.example.org/api/'),
    'cannot reach https://[secret]@xo.example.org/api/',
  );
  t.equal(scrub('https://xo.example.org/a@b'), 'https://xo.example.org/a@b');
});
