/** TLS to Xen Orchestra: what is believed, and that nothing is sent to whom is not. */
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { Secret } from '../../../harness/secrets.ts';
import { ask } from '../../../harness/xcpng/rest.ts';
import { openSession, type Session, type SessionOptions } from '../../../harness/xcpng/session.ts';
import { listen } from './listening.ts';
import { openTestLab, within } from './test-lab.ts';

const run = promisify(execFile);
const lab = await openTestLab();
t.teardown(() => lab.close());

type Wish = Partial<SessionOptions>;

function open(wish: Wish = {}): Promise<Session> {
  const { url, credential, tls } = lab.settings;
  return openSession({ url, credential, tls, deadline: within(5_000), ...wish });
}

/** A certificate for 127.0.0.1 that nobody has signed but itself. */
async function selfSigned(t: Test): Promise<{ readonly key: Buffer; readonly cert: string }> {
  const dir = await mkdtemp(join(tmpdir(), 'bootwitness-tls-'));
  t.teardown(() => rm(dir, { recursive: true }));
  const [keyPath, certPath] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
  const subject = ['-subj', '/CN=xo', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
  await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-keyout', keyPath, '-out', certPath, ...subject],
  ]);
  return { key: await readFile(keyPath), cert: await readFile(certPath, 'utf8') };
}

const GET = { method: 'GET', path: '/rest/v0', token: new Secret('tok') } as const;

t.test('TLS', async (t) => {
  const { key, cert } = await selfSigned(t);
  const port = Number(new URL(lab.endpoint.url).port);
  const front = createTlsServer({ key, cert }, (socket) => {
    const behind = connect(port, '127.0.0.1');
    socket.pipe(behind).pipe(socket);
    for (const end of [socket, behind]) end.on('error', () => [socket, behind].map((each) => each.destroy()));
  });
  const url = `https://127.0.0.1:${await listen(t, front)}/`;
  const sha256 = new X509Certificate(cert).fingerprint256.replaceAll(':', '').toLowerCase();
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
