/** For tests: a self-signed certificate, and a TLS server that shows it in front of something that speaks plainly. */
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface SelfSigned {
  readonly key: Buffer;
  readonly cert: string;
  /** Of the certificate in PEM, until the test ends. */
  readonly certPath: string;
  /** 64 hex digits in lower case. */
  readonly sha256: string;
}

/** A certificate for 127.0.0.1 that nobody has signed but itself. */
export async function selfSigned(t: { teardown(done: () => unknown): unknown }): Promise<SelfSigned> {
  const dir = await mkdtemp(join(tmpdir(), 'bootwitness-tls-'));
  t.teardown(() => rm(dir, { recursive: true }));
  const [keyPath, certPath] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
  const subject = ['-subj', '/CN=xo', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
  await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-keyout', keyPath, '-out', certPath, ...subject],
  ]);
  const cert = await readFile(certPath, 'utf8');
  const sha256 = new X509Certificate(cert).fingerprint256.replaceAll(':', '').toLowerCase();
  return { key: await readFile(keyPath), cert, certPath, sha256 };
}

/** @param onData told of each piece that comes in, decrypted */
export function tlsFront({ key, cert }: SelfSigned, port: number, onData?: (piece: Buffer) => void): Server {
  return createServer({ key, cert }, (socket) => {
    const behind = connect(port, '127.0.0.1');
    if (onData) socket.on('data', onData);
    socket.pipe(behind).pipe(socket);
    for (const end of [socket, behind]) end.on('error', () => [socket, behind].map((each) => each.destroy()));
  });
}
