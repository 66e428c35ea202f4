/** TLS to Xen Orchestra: what is believed, and that nothing is sent to whom is not. */
import { createServer as createTlsServer } from 'node:tls';
import t from 'tap';
import { Secret } from '../../../harness/workdir/secrets.ts';
import { ask } from '../../../harness/xcpng/rest.ts';
import { openSession, type Session, type SessionOptions } from '../../../harness/xcpng/session.ts';
import { selfSigned, tlsFront } from '../../tls-front.ts';
import { listen } from './listening.ts';
import { openTestLab, within } from './test-lab.ts';

const lab = await openTestLab();
t.teardown(() => lab.close());

type Wish = Partial<SessionOptions>;

function open(wish: Wish = {}): Promise<Session> {
  const { url, credential, tls } = lab.settings;
  return openSession({ url, credential, tls, deadline: within(5_000), ...wish });
}

const GET = { method: 'GET', path: '/rest/v0', token: new Secret('tok') } as const;

t.test('TLS', async (t) => {
  const shown = await selfSigned(t);
  const { cert, sha256 } = shown;
  const front = tlsFront(shown, Number(new URL(lab.endpoint.url).port));
  const url = `https://127.0.0.1:${await listen(t, front)}/`;
  const untrusted = open({ url });
  await t.rejects(untrusted, { code: 'XO_CERTIFICATE_UNTRUSTED', message: /SELF_SIGNED.*SHA-256/ });
  await t.rejects(untrusted, { message: new RegExp(sha256) }, 'the fingerprint to pin is shown');
  for (const tls of [
    { insecure: true, caPem: null, fingerprint: null },
    { insecure: false, caPem: cert, fingerprint: null },
    { insecure: false, caPem: null, fingerprint: sha256 },
  ]) {
    const session = await open({ url, tls });
    t.equal(session.objects.all('pool').length, 1, JSON.stringify(tls).slice(0, 60));
    await session.close();
  }
  const changed = open({ url, tls: { insecure: true, caPem: cert, fingerprint: '0'.repeat(64) } });
  await t.rejects(changed, {
    code: 'XO_CERTIFICATE_CHANGED',
    message: new RegExp(`expected .*0{64}, given ${sha256}`),
  });
});

t.test('a wrong certificate is told before a byte of ours is sent', async (t) => {
  const { key, cert } = await selfSigned(t);
  const received: Buffer[] = [];
  const thief = createTlsServer({ key, cert }, (socket) => socket.on('data', (piece) => received.push(piece)));
  const url = `https://127.0.0.1:${await listen(t, thief)}`;
  const tls = { insecure: false, caPem: null, fingerprint: '1'.repeat(64) };
  await t.rejects(open({ url, tls }), { code: 'XO_CERTIFICATE_CHANGED' });
  const endpoint = { base: url, tls };
  const asked = ask(endpoint, { method: 'GET', path: '/rest/v0', token: new Secret('tok'), deadline: within(5_000) });
  await t.rejects(asked, { code: 'XO_CERTIFICATE_CHANGED' }, 'REST, whose headers carry the token');
  t.equal(Buffer.concat(received).length, 0);
  const shown = ask(
    { base: url, tls: { ...tls, insecure: true, fingerprint: null } },
    { ...GET, deadline: within(300) },
  );
  await t.rejects(shown, { code: 'XO_UNREACHABLE' });
  t.match(Buffer.concat(received).toString(), /authenticationToken=tok/, 'the thief would have seen it');
});
