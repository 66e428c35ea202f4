/**
 * SSH to a guest: one connection, authenticated by key, on which commands run side by side. The
 * only importer of ssh2. Whose fault a failure is, is read from ssh2's `level`, never from text.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import ssh2 from 'ssh2';
import { Fault } from './faults.ts';
import type { CommandRecord } from './model.ts';

/** Per stream; a probe's output is some kilobytes. */
const OUTPUT_BYTES_MAX = 1024 * 1024;

/** What one attempt to connect came to, in the order in which a booting guest shows them. */
export type Attempt =
  | { readonly state: 'ready'; readonly session: SshSession }
  | { readonly state: 'refused-key'; readonly seen: string }
  /** It speaks SSH, and client and server have no algorithm in common, or no proof of the host key: not silence. */
  | { readonly state: 'no-agreement'; readonly seen: string }
  | { readonly state: 'not-yet'; readonly seen: string };

export interface SshTarget {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly privateKey: Buffer;
  /** How long to wait for the first byte: a user-mode network accepts before the guest exists. */
  readonly bannerWaitMs: number;
  /** Once a banner came: how long handshake and authentication may take. */
  readonly handshakeWaitMs: number;
  readonly signal: AbortSignal;
}

/** An authenticated connection. Ends by `close()` or by the guest; `lost` says why, null while it lives. */
export interface SshSession {
  readonly banner: string;
  /** `SHA256:…` as OpenSSH prints it. A new image has a new one: recorded, not compared. */
  readonly hostKey: string;
  lost(): string | null;
  /** Runs a script with `/bin/sh -s`, whatever the user's shell is. Never throws for what the guest does. */
  run(name: string, script: string, budgetMs: number, signal?: AbortSignal): Promise<CommandRecord>;
  close(): void;
}

/**
 * Reads a private key for authentication.
 * @throws Fault BAD_KEY for a public key, an encrypted key without passphrase, or no key at all.
 */
export function loadPrivateKey(path: string): Buffer {
  let text: Buffer;
  try {
    text = readFileSync(path);
  } catch (cause) {
    throw new Fault('BAD_KEY', `ssh key: expected a private key file, cannot read ${path}`, { cause });
  }
  const parsed = ssh2.utils.parseKey(text);
  if (parsed instanceof Error) {
    throw new Fault('BAD_KEY', `ssh key: expected a private key without passphrase, given ${path}: ${parsed.message}`);
  }
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (!key?.isPrivateKey()) {
    throw new Fault('BAD_KEY', `ssh key: expected a private key, given a public key: ${path}`);
  }
  return text;
}

/** Tries once: connect, wait for the banner, authenticate at once (lingering earns sshd's penalties). */
export function attemptSsh(target: SshTarget): Promise<Attempt> {
  return new Promise((resolve) => {
    const client = new ssh2.Client();
    const socket = net.connect({ host: target.host, port: target.port, noDelay: true });
    let banner = '';
    let hostKey = '';
    let connected = false;
    let settled = false;
    const settle = (attempt: Attempt): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      target.signal.removeEventListener('abort', onAbort);
      if (attempt.state !== 'ready') {
        client.end();
        socket.destroy();
      }
      resolve(attempt);
    };
    const notYet = (seen: string): void => settle({ state: 'not-yet', seen });
    const onAbort = (): void => notYet('interrupted');
    let timer = setTimeout(
      () => notYet(connected ? 'connected, no banner' : 'no answer to the connection'),
      target.bannerWaitMs,
    );
    target.signal.addEventListener('abort', onAbort);
    socket.on('connect', () => {
      connected = true;
    });
    socket.on('close', () =>
      notYet(banner ? `closed after the banner ${banner}` : 'connected, closed without a banner'),
    );
    client.on('ready', () => settle({ state: 'ready', session: makeSession(client, banner, hostKey) }));
    client.on('error', (error) => {
      if (error.level === 'client-authentication') {
        settle({ state: 'refused-key', seen: `banner ${banner}, key refused for user ${target.user}` });
      } else if (error.level === 'handshake') {
        settle({ state: 'no-agreement', seen: `banner ${banner}, then: ${error.message}` });
      } else {
        const code = (error as NodeJS.ErrnoException).code;
        notYet(
          banner ? `banner ${banner}, then ${code ?? error.level}` : `${code ?? error.level ?? 'error'} on connecting`,
        );
      }
    });
    client.connect({
      sock: socket,
      username: target.user,
      privateKey: target.privateKey,
      authHandler: ['publickey'],
      readyTimeout: target.handshakeWaitMs + target.bannerWaitMs,
      keepaliveInterval: 5_000,
      keepaliveCountMax: 6,
      hostVerifier: (key: Buffer) => {
        hostKey = `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
        return true;
      },
    });
    socket.once('data', (first: Buffer) => {
      banner =
        first
          .toString('latin1')
          .split(/[\r\n]/, 1)[0]
          ?.slice(0, 255) ?? '';
      clearTimeout(timer);
      timer = setTimeout(() => notYet(`banner ${banner}, then silence`), target.handshakeWaitMs);
    });
  });
}

function makeSession(client: ssh2.Client, banner: string, hostKey: string): SshSession {
  let lost: string | null = null;
  client.on('error', (error) => {
    lost ??= `${error.level ?? 'error'}: ${error.message}`;
  });
  client.on('close', () => {
    lost ??= 'the connection was closed';
  });
  return {
    banner,
    hostKey,
    lost: () => lost,
    run: (name, script, budgetMs, signal = new AbortController().signal) => {
      const onBroken = (why: string): void => {
        lost ??= why;
      };
      return runScript(client, { name, script, budgetMs, interrupt: signal, lost: () => lost, onBroken });
    },
    close: () => {
      lost ??= 'closed by the harness';
      client.end();
    },
  };
}

/** Collects up to a limit and says whether something was cut. */
class Collected {
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  truncated = false;
  add(chunk: Buffer): void {
    const room = OUTPUT_BYTES_MAX - this.#bytes;
    if (chunk.length > room) this.truncated = true;
    if (room > 0) this.#chunks.push(chunk.subarray(0, room));
    this.#bytes += Math.min(chunk.length, room);
  }
  text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }
}

interface ScriptRun {
  readonly name: string;
  readonly script: string;
  readonly budgetMs: number;
  readonly interrupt: AbortSignal;
  readonly lost: () => string | null;
  /** Told that the connection turned out to be gone. */
  readonly onBroken: (why: string) => void;
}

/** `exec /bin/sh -s` is valid in sh, csh and fish alike; the script itself goes through stdin. */
function runScript(client: ssh2.Client, run: ScriptRun): Promise<CommandRecord> {
  const startedAtMs = Date.now();
  const started = performance.now();
  const out = new Collected();
  const err = new Collected();
  return new Promise((resolve) => {
    let exit: number | null = null;
    let signal: string | null = null;
    let settled = false;
    const settle = (transport: string | null, timedOut: boolean): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      client.removeListener('close', onClose);
      run.interrupt.removeEventListener('abort', onInterrupt);
      resolve({
        name: run.name,
        script: run.script,
        exit,
        signal,
        stdout: out.text(),
        stderr: err.text(),
        truncated: out.truncated || err.truncated,
        timedOut,
        transport,
        startedAtMs,
        durationMs: Math.round(performance.now() - started),
      });
    };
    const onClose = (): void => settle(run.lost() ?? 'the connection was closed', false);
    const onInterrupt = (): void => settle('interrupted', false);
    const timer = setTimeout(() => settle(null, true), run.budgetMs);
    client.once('close', onClose);
    run.interrupt.addEventListener('abort', onInterrupt);
    if (run.lost() !== null) return onClose();
    try {
      client.exec('exec /bin/sh -s', (error, channel) => {
        if (error) return settle(`the guest refused the command: ${error.message}`, false);
        channel.on('data', (chunk: Buffer) => out.add(chunk));
        channel.stderr.on('data', (chunk: Buffer) => err.add(chunk));
        channel.on('exit', (code: number | null, name?: string) => {
          exit = code;
          signal = name ?? null;
        });
        channel.on('error', (cause: Error) => settle(cause.message, false));
        channel.on('close', () => {
          settle(exit === null && signal === null ? 'closed without an exit status' : null, false);
        });
        channel.end(run.script);
      });
    } catch (error) {
      // Thrown, not called back, where the guest ended the connection between two commands.
      run.onBroken(error instanceof Error ? error.message : String(error));
      onClose();
    }
  });
}
