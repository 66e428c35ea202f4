/**
 * TLS to Xen Orchestra, decided before a byte of ours is sent: by the system's CAs, by the operator's CA file, by the
 * pinned fingerprint of the one certificate, or not at all where the operator says so.
 */
import { isIP, connect as netConnect, type Socket } from 'node:net';
import { type ConnectionOptions, type TLSSocket, connect as tlsConnect } from 'node:tls';
import { Fault } from '../faults/faults.ts';
import type { TlsSettings } from './settings.ts';

/** What Node hands to `createConnection`, as far as it is read here. */
interface Target {
  readonly host?: string | null;
  readonly hostname?: string | null;
  readonly port?: number | string | null;
}

type Connected = (error: Error | null, socket?: Socket) => void;

/** `AB:CD:…` as Node shows it → 64 hex digits in lower case. */
const plain = (fingerprint: string): string => fingerprint.replaceAll(':', '').toLowerCase();

/** Null: the certificate is believed. */
function doubt(socket: TLSSocket, where: string, tls: TlsSettings): Fault | null {
  const shown = socket.getPeerCertificate().fingerprint256;
  const presented = shown === undefined ? 'none' : plain(shown);
  if (tls.fingerprint !== null) {
    if (presented === tls.fingerprint) return null;
    const message = `${where}: expected the certificate with SHA-256 ${tls.fingerprint}, given ${presented}`;
    return new Fault('XO_CERTIFICATE_CHANGED', message);
  }
  if (tls.insecure || socket.authorized) return null;
  const why = `${socket.authorizationError}`;
  return new Fault('XO_CERTIFICATE_UNTRUSTED', `${where}: ${why}; its certificate has SHA-256 ${presented}`);
}

/**
 * For the option `createConnection` of `http.request`, `https.request` and ws: the socket is handed over only when its
 * certificate is believed, so that no header with a token goes to somebody else.
 */
export function connectionMaker(secure: boolean, tls: TlsSettings): (target: Target, connected: Connected) => void {
  return (target, connected) => {
    const host = target.hostname ?? target.host ?? 'localhost';
    const port = Number(target.port ?? (secure ? 443 : 80));
    if (!secure) {
      const socket = netConnect({ host, port });
      connected(null, socket);
      return;
    }
    const options: ConnectionOptions = {
      ...{ host, port, rejectUnauthorized: false },
      // Without a name for SNI Node would also skip the check of the name.
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(tls.caPem === null ? {} : { ca: tls.caPem }),
      ALPNProtocols: ['http/1.1'],
    };
    const socket = tlsConnect(options);
    socket.once('error', connected);
    socket.once('secureConnect', () => {
      socket.off('error', connected);
      const fault = doubt(socket, `${host}:${port}`, tls);
      if (fault === null) return connected(null, socket);
      socket.destroy();
      connected(fault);
    });
  };
}
