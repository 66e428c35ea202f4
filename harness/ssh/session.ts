/** An authenticated connection, and scripts run over it side by side. */
import type { Duplex } from 'node:stream';
import type ssh2 from 'ssh2';
import type { CommandRecord } from '../model.ts';
import type { Become } from './login.ts';
import { runShell, type ShellEnd, type Terminal } from './shell.ts';

/** Per stream; a probe's output is some kilobytes. */
const OUTPUT_BYTES_MAX = 1024 * 1024;
/** A daemon that a script started may hold its output open for ever; what comes later than this is not the script's. */
const AFTER_EXIT_MS = 2_000;

/** Ends by `close()` or by the guest; `lost` says why, null while it lives. */
export interface SshSession {
  readonly banner: string;
  /** `SHA256:…` as OpenSSH prints it. A new image has a new one: recorded, not compared. */
  readonly hostKey: string;
  lost(): string | null;
  /** Runs a script with `/bin/sh -s`, whatever the user's shell is. Never throws for what the guest does. */
  run(name: string, script: string, budgetMs: number, signal?: AbortSignal): Promise<CommandRecord>;
  /**
   * Opens a stream from there to another machine; an Error with `code` CONNECT_FAILED and the `reason` of RFC 4254,
   * where that is refused.
   */
  forward(host: string, port: number, signal: AbortSignal): Promise<Duplex>;
  /** Runs the user's shell for a person until it ends. Never throws for what the guest does. */
  shell(terminal: Terminal): Promise<ShellEnd>;
  close(): void;
}

/**
 * The command that reads the script from its standard input. Each is valid in sh, csh and fish alike, since the user's
 * shell reads it. `-n`: doas and sudo fail rather than ask; su would ask, and gets the script as its answer.
 */
const COMMANDS: Readonly<Record<Become | 'none', string>> = {
  none: 'exec /bin/sh -s',
  doas: 'exec doas -n /bin/sh -s',
  sudo: 'exec sudo -n /bin/sh -s',
  su: "exec su root -c 'exec /bin/sh -s'",
};

export interface SessionParts {
  readonly client: ssh2.Client;
  readonly banner: string;
  readonly hostKey: string;
  readonly become: Become | null;
}

export function makeSession({ client, banner, hostKey, become }: SessionParts): SshSession {
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
      const command = COMMANDS[become ?? 'none'];
      return runScript(client, { name, command, script, budgetMs, interrupt: signal, lost: () => lost, onBroken });
    },
    forward: (host, port, signal) => forward(client, host, port, signal),
    shell: (terminal) => runShell(client, () => lost, terminal),
    close: () => {
      lost ??= 'closed by the harness';
      client.end();
    },
  };
}

/** A channel that comes after its caller has gone is closed at once. */
function forward(client: ssh2.Client, host: string, port: number, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const interrupted = (): void => reject(new Error('interrupted'));
    signal.addEventListener('abort', interrupted, { once: true });
    try {
      client.forwardOut('127.0.0.1', 0, host, port, (error, channel) => {
        signal.removeEventListener('abort', interrupted);
        if (error) return reject(Object.assign(error, { code: 'CONNECT_FAILED' }));
        if (signal.aborted) channel.destroy();
        resolve(channel);
      });
    } catch (error) {
      reject(error); // thrown, not called back, where the connection is gone
    }
  });
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
  readonly command: string;
  readonly script: string;
  readonly budgetMs: number;
  readonly interrupt: AbortSignal;
  readonly lost: () => string | null;
  /** Told that the connection turned out to be gone. */
  readonly onBroken: (why: string) => void;
}

function runScript(client: ssh2.Client, run: ScriptRun): Promise<CommandRecord> {
  const startedAtMs = Date.now();
  const started = performance.now();
  const out = new Collected();
  const err = new Collected();
  return new Promise((resolve) => {
    let exit: number | null = null;
    let signal: string | null = null;
    let settled = false;
    let exited: NodeJS.Timeout | undefined;
    const settle = (transport: string | null, timedOut: boolean): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      clearTimeout(exited);
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
      client.exec(run.command, (error, channel) => {
        if (error) return settle(`the guest refused the command: ${error.message}`, false);
        channel.on('data', (chunk: Buffer) => out.add(chunk));
        channel.stderr.on('data', (chunk: Buffer) => err.add(chunk));
        channel.on('exit', (code: number | null, name?: string) => {
          exit = code;
          signal = name ?? null;
          exited = setTimeout(() => settle(null, false), AFTER_EXIT_MS);
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
