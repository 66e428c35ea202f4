/**
 * One try to get into a guest: connect, wait for the banner, authenticate at once. Whose fault a failure is, is read
 * from ssh2's `level`, never from text.
 */
import { createHash } from 'node:crypto';
import type { Duplex } from 'node:stream';
import ssh2 from 'ssh2';
import { exhausted, Fault } from '../faults/faults.ts';
import type { Login } from './login.ts';
import { makeSession, type SshSession } from './session.ts';

/**
 * How far a guest that is not ready let us come: no connection; refused by a machine that is up; connected without a
 * word; a banner and no more.
 */
export type Reached = 'nothing' | 'refused' | 'connected' | 'banner';

/** What one attempt to connect came to, in the order in which a booting guest shows them. */
export type Attempt =
  | { readonly state: 'ready'; readonly session: SshSession }
  | { readonly state: 'refused-key'; readonly seen: string; readonly hostKey: string }
  /** It speaks SSH, and client and server have no algorithm in common, or no proof of the host key: not silence. */
  | { readonly state: 'no-agreement'; readonly seen: string }
  /** Another host key than the one that was expected; nothing was proven to it. */
  | { readonly state: 'wrong-host-key'; readonly seen: string }
  | {
      readonly state: 'not-yet';
      readonly reached: Reached;
      readonly seen: string;
      /** What on the way to the guest is to blame; null: nothing, as far as can be seen. */
      readonly blame: Fault | null;
    };

export interface SshTarget extends Login {
  readonly host: string;
  readonly port: number;
  /** How long to wait for the first byte: a user-mode network accepts before the guest exists. */
  readonly bannerWaitMs: number;
  /** Once a banner came: how long handshake and authentication may take. */
  readonly handshakeWaitMs: number;
  /** `SHA256:…`; null: any, since a new image has a new one. */
  readonly expectHostKey: string | null;
  /** Told when the first byte has come. */
  readonly onBanner?: () => void;
  readonly signal: AbortSignal;
}

const KEEPALIVES_LOST_MAX = 6;

/**
 * Tries once; lingering before authentication earns sshd's penalties.
 * @throws Fault as `Route.connect`, where trying again cannot help
 */
export async function attemptSsh(target: SshTarget): Promise<Attempt> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), target.bannerWaitMs);
  const startedMs = performance.now();
  let stream: Duplex;
  try {
    stream = await target.route.connect(target.host, target.port, AbortSignal.any([late.signal, target.signal]));
  } catch (error) {
    return notConnected(error, target.signal.aborted ? 'interrupted' : late.signal.aborted ? 'no answer' : null);
  } finally {
    clearTimeout(timer);
  }
  const leftMs = Math.max(1, target.bannerWaitMs - (performance.now() - startedMs));
  if (target.onBanner) stream.once('data', target.onBanner);
  return authenticate(stream, { ...target, bannerWaitMs: leftMs });
}

function notConnected(thrown: unknown, cut: string | null): Attempt {
  // A machine that opens no socket for us has seen nothing of the guest.
  const error = exhausted(thrown, 'a connection to the guest') ?? thrown;
  if (error instanceof Fault) {
    if (!error.retriable) throw error;
    return { state: 'not-yet', reached: 'nothing', seen: error.message, blame: error };
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  const reached = code === 'ECONNREFUSED' ? 'refused' : 'nothing';
  const why = error instanceof Error && 'reason' in error ? ` (${error.message})` : '';
  const seen = cut === null ? `${code} on connecting${why}` : `${cut} to the connection`;
  return { state: 'not-yet', reached, seen, blame: null };
}

function authenticate(stream: Duplex, target: SshTarget): Promise<Attempt> {
  return new Promise((resolve) => {
    const client = new ssh2.Client();
    let banner = '';
    let hostKey = '';
    let agentSaid = '';
    let settled = false;
    const settle = (attempt: Attempt): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      target.signal.removeEventListener('abort', onAbort);
      if (attempt.state !== 'ready') {
        client.end();
        stream.destroy();
      }
      resolve(attempt);
    };
    const notYet = (seen: string): void =>
      settle({ state: 'not-yet', reached: banner === '' ? 'connected' : 'banner', seen, blame: null });
    const onAbort = (): void => notYet('interrupted');
    let timer = setTimeout(() => notYet('connected, no banner'), target.bannerWaitMs);
    target.signal.addEventListener('abort', onAbort);
    const onClose = (): void =>
      notYet(banner ? `closed after the banner ${banner}` : 'connected, closed without a banner');
    stream.on('close', onClose);
    stream.on('end', onClose);
    client.on('ready', () => {
      settle({ state: 'ready', session: makeSession({ client, banner, hostKey, become: target.become }) });
    });
    client.on('error', (error) => {
      // The agent's trouble; whether another proof is taken instead is told by what comes.
      if (error.level === 'agent') agentSaid = `, agent: ${error.message}`;
      else if (error.level === 'client-authentication') {
        const seen = `banner ${banner}, key refused for user ${target.user}${agentSaid}`;
        settle({ state: 'refused-key', seen, hostKey });
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
      sock: stream as never, // typed as a Readable; any Duplex does, a channel of a jump host too
      username: target.user,
      ...proofOf(target),
      readyTimeout: target.handshakeWaitMs + target.bannerWaitMs,
      keepaliveInterval: target.keepaliveMs,
      keepaliveCountMax: KEEPALIVES_LOST_MAX,
      hostVerifier: (key: Buffer) => {
        hostKey = `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
        if (target.expectHostKey === null || target.expectHostKey === hostKey) return true;
        settle({ state: 'wrong-host-key', seen: `expected the host key ${target.expectHostKey}, given ${hostKey}` });
        return false;
      },
    });
    stream.once('data', (first: Buffer) => {
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

function proofOf({ proof: { key, agent } }: SshTarget): Partial<ssh2.ConnectConfig> {
  const methods: ssh2.AuthenticationType[] = [];
  if (key !== null) methods.push('publickey');
  if (agent !== null) methods.push('agent');
  return {
    authHandler: methods,
    ...(key === null ? {} : { privateKey: key.text }),
    ...(key === null || key.passphrase === null ? {} : { passphrase: key.passphrase }),
    ...(agent === null ? {} : { agent }),
  };
}
