/**
 * An SSH server that speaks on sockets which it is handed: key authentication, and `exec` of exactly
 * the one command that the lab's clients use. The only importer of ssh2 in the lab.
 */
import type { Socket } from 'node:net';
import ssh2 from 'ssh2';
import { makeSshKeyPair } from '../ssh-key.ts';
import type { Become } from './guest-answers.ts';
import { type Question, questionOf, type Reply } from './script-reply.ts';

const IDENT = 'OpenSSH_10.0p2 simulated-guest';
/** First line that a client reads. */
export const BANNER = `SSH-2.0-${IDENT}`;
/** How root gets its shell, and how others do. */
const COMMANDS: Readonly<Record<Become | 'none', string>> = {
  none: 'exec /bin/sh -s',
  doas: 'exec doas -n /bin/sh -s',
  sudo: 'exec sudo -n /bin/sh -s',
  su: "exec su root -c 'exec /bin/sh -s'",
};
const OLD_EXCHANGE: ssh2.KexAlgorithm[] = ['diffie-hellman-group1-sha1'];
const GARBAGE_PIECE_BYTES = 65_536;
const SCRIPT_BYTES_MAX = 1_048_576;

export interface SshServerOptions {
  /** A key in OpenSSH's text form; of a private one only its public half is used. */
  readonly authorizedKey: string;
  readonly user: string;
  /** How that user becomes root; null: it is root, or stays what it is. */
  readonly become: Become | null;
  /** Refuses every key, also the authorized one. */
  readonly refuseKeys: boolean;
  /** Offers only a key exchange that clients have given up. */
  readonly oldAlgorithms: boolean;
  readonly answer: (question: Question) => Promise<Reply>;
}

export interface SshServer {
  /** Talks on this connection from its first byte. */
  serve(socket: Socket): void;
}

/** @throws Error where the authorized key cannot be read. */
export function sshServer(options: SshServerOptions): SshServer {
  const authorized = parsedKey(options.authorizedKey);
  // As a first boot does: every guest has a host key of its own. Not made by ssh2 1.17, one in some hundred of whose
  // ed25519 keys it cannot read itself ("Malformed OpenSSH private key").
  const hostKey = makeSshKeyPair('simulated guest').privateKey;
  const algorithms = options.oldAlgorithms ? { algorithms: { kex: OLD_EXCHANGE } } : {};
  const server = new ssh2.Server({ hostKeys: [hostKey], ident: IDENT, ...algorithms }, (connection) => {
    connection.on('error', () => connection.end()); // A client that goes away in the middle is everyday.
    connection.on('authentication', (context) => {
      if (!options.refuseKeys && admits(context, authorized, options.user)) context.accept();
      else context.reject(['publickey']);
    });
    connection.on('session', (accept) => {
      const session = accept();
      session.on('exec', (acceptExec, _reject, { command }) => {
        void converse(acceptExec(), command, options, connection);
      });
    });
  });
  return { serve: (socket) => server.injectSocket(socket) };
}

function parsedKey(text: string): ssh2.ParsedKey {
  const parsed = ssh2.utils.parseKey(text);
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key instanceof Error || key === undefined) {
    const why = key instanceof Error ? `: ${key.message}` : '';
    throw new Error(`simulated guests: expected an authorized key in OpenSSH's form, given something else${why}`);
  }
  return key;
}

/** A key without a signature is only asked about; with one it has to be proven. */
function admits(context: ssh2.AuthContext, authorized: ssh2.ParsedKey, user: string): boolean {
  if (context.method !== 'publickey' || context.username !== user) return false;
  if (!authorized.getPublicSSH().equals(context.key.data)) return false;
  if (context.signature === undefined || context.blob === undefined) return true;
  return authorized.verify(context.blob, context.signature, context.hashAlgo) === true;
}

async function converse(
  channel: ssh2.ServerChannel,
  command: string,
  { answer, become }: SshServerOptions,
  connection: ssh2.Connection,
): Promise<void> {
  channel.on('error', () => channel.destroy());
  const end = (exit: number): void => {
    channel.exit(exit);
    channel.end();
  };
  const refuse = (why: string, exit: number): void => {
    channel.stderr.write(`simulated guest: ${why}\n`);
    end(exit);
  };
  const expected = COMMANDS[become ?? 'none'];
  const program = Object.entries(COMMANDS).find(([, known]) => known === command)?.[0];
  if (program === undefined) return refuse(`expected the command '${expected}', given '${command}'`, 127);
  if (command !== expected) return refuse(`${program}: Operation not permitted`, 1);
  const script = await wholeScript(channel);
  if (script === null) return refuse(`a script longer than ${SCRIPT_BYTES_MAX} bytes`, 2);
  const question = questionOf(script);
  if (question === null) return refuse('a script that names its probe and its nonce was expected', 2);
  const reply = await answer(question);
  if (channel.destroyed || reply.kind === 'hang') return;
  if (reply.kind === 'drop') {
    connection.end();
    return;
  }
  if (reply.kind === 'said') await garbage(channel, reply.garbage);
  channel.write(reply.stdout);
  if (reply.kind === 'said' && reply.open) {
    channel.exit(reply.exit);
    return;
  }
  if (reply.kind === 'cut') {
    channel.end();
    return;
  }
  if (reply.stderr !== '') channel.stderr.write(reply.stderr);
  end(reply.exit);
}

/** Bytes without an end of line, no faster than the client takes them. */
async function garbage(channel: ssh2.ServerChannel, bytes: number): Promise<void> {
  for (let left = bytes; left > 0 && !channel.destroyed; left -= GARBAGE_PIECE_BYTES) {
    const piece = Buffer.alloc(Math.min(left, GARBAGE_PIECE_BYTES), 0xfe);
    if (channel.write(piece)) continue;
    await new Promise<void>((resolve) => {
      channel.once('drain', resolve);
      channel.once('close', resolve);
    });
  }
}

function wholeScript(channel: ssh2.ServerChannel): Promise<string | null> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    channel.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > SCRIPT_BYTES_MAX) resolve(null);
      else chunks.push(chunk);
    });
    channel.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
  });
}
