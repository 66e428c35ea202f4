/** For tests: a jump host in this process, an SSH server that forwards and runs scripts with `/bin/sh`. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import net, { type AddressInfo } from 'node:net';
import ssh2 from 'ssh2';
import type { Test } from 'tap';
import { makeSshKeyPair } from '../lab/ssh-key.ts';

export interface JumpOptions {
  /** In OpenSSH's text form. */
  readonly authorizedKey: string;
  readonly forwards?: boolean;
  /** Searched for programs by the scripts, before the usual places. */
  readonly path?: string;
}

export interface StartedJump {
  readonly port: number;
  /** `SHA256:…` */
  readonly hostKey: string;
  /** `host:port` of each channel that was asked for. */
  readonly forwarded: string[];
  readonly scripts: string[];
  /** Ends all connections. */
  drop(): void;
  close(): void;
}

const publicPart = (text: string): Buffer => {
  const key = ssh2.utils.parseKey(text);
  if (key instanceof Error) throw key;
  return (Array.isArray(key) ? key[0] : key).getPublicSSH();
};

export async function startJump(t: Pick<Test, 'teardown'>, options: JumpOptions): Promise<StartedJump> {
  const { privateKey, publicKey } = makeSshKeyPair('jump host');
  const allowed = publicPart(options.authorizedKey);
  const connections = new Set<ssh2.Connection>();
  const [forwarded, scripts]: [string[], string[]] = [[], []];
  const server = new ssh2.Server({ hostKeys: [privateKey] }, (connection) => {
    connections.add(connection);
    connection.on('close', () => connections.delete(connection));
    connection.on('error', () => connection.end());
    connection.on('authentication', (context) => {
      if (context.method === 'publickey' && context.key.data.equals(allowed)) context.accept();
      else context.reject(['publickey']);
    });
    // Without a listener it says "administratively prohibited", as with AllowTcpForwarding no.
    if (options.forwards !== false) forward(connection, forwarded);
    connection.on('session', (accept) => {
      accept().on('exec', (acceptExec, _reject, { command }) => {
        const channel = acceptExec();
        const path = [options.path, process.env.PATH].filter(Boolean).join(':');
        const child = spawn('/bin/sh', ['-c', command], { env: { PATH: path } });
        child.stdin.on('error', () => undefined); // a script that ends early
        channel.on('data', (piece: Buffer) => {
          scripts.push(piece.toString('utf8'));
          child.stdin.write(piece);
        });
        channel.on('end', () => child.stdin.end());
        child.stdout.pipe(channel, { end: false });
        child.stderr.pipe(channel.stderr, { end: false });
        child.on('close', (code) => {
          channel.exit(code ?? 1);
          channel.end();
        });
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const drop = (): void => {
    for (const connection of connections) connection.end();
  };
  const close = (): void => {
    drop();
    server.close();
  };
  t.teardown(close);
  const digest = createHash('sha256').update(publicPart(publicKey)).digest('base64').replace(/=+$/, '');
  const { port } = server.address() as AddressInfo;
  return { port, hostKey: `SHA256:${digest}`, forwarded, scripts, drop, close };
}

function forward(connection: ssh2.Connection, forwarded: string[]): void {
  connection.on('tcpip', (accept, reject, { destIP, destPort }) => {
    forwarded.push(`${destIP}:${destPort}`);
    const socket = net.connect({ host: destIP, port: destPort });
    socket.once('error', () => reject());
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      const channel = accept();
      socket.on('error', () => channel.destroy());
      channel.on('error', () => socket.destroy());
      channel.on('close', () => socket.destroy());
      socket.on('close', () => channel.destroy());
      socket.pipe(channel).pipe(socket);
    });
  });
}
