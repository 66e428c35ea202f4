/** An interactive shell of a guest over an authenticated connection, with a terminal there where there is one here. */
import type { Duplex, Readable } from 'node:stream';
import type ssh2 from 'ssh2';

export interface Window {
  readonly rows: number;
  readonly columns: number;
}

/** Where the person is, or the file that stands in for one. */
export interface Terminal {
  readonly input: Readable;
  readonly output: NodeJS.WritableStream;
  readonly error: NodeJS.WritableStream;
  /** Null: the input is no terminal; then the guest makes none either, and errors stay apart. */
  readonly window: { readonly type: string; now(): Window; onChange(listener: () => void): () => void } | null;
  /** Every key goes to the guest, or (false) lines do again. */
  raw(on: boolean): void;
}

/** How a shell ended; `lost`: the connection did, and why. */
export type ShellEnd =
  | { readonly state: 'exited'; readonly code: number }
  | { readonly state: 'killed'; readonly signal: string }
  | { readonly state: 'lost'; readonly why: string };

/** Runs the user's shell until it ends. Never throws for what the guest does. */
export function runShell(client: ssh2.Client, lost: () => string | null, terminal: Terminal): Promise<ShellEnd> {
  const { window } = terminal;
  const size = ({ rows, columns }: Window): { rows: number; cols: number } => ({ rows, cols: columns });
  const pty = window === null ? false : { term: window.type, ...size(window.now()), width: 0, height: 0 };
  return new Promise((resolve) => {
    const closed = (): void => resolve({ state: 'lost', why: lost() ?? 'the connection was closed' });
    client.once('close', closed);
    if (lost() !== null) return closed();
    const opened = (error: Error | undefined, channel: ssh2.ClientChannel): void => {
      if (error) {
        resolve({ state: 'lost', why: `the guest refused a shell: ${error.message}` });
        return;
      }
      void converse(channel, terminal).then((end) => {
        client.removeListener('close', closed);
        resolve(end ?? { state: 'lost', why: lost() ?? 'the shell ended without an exit status' });
      });
    };
    try {
      // Without a window ssh2 asks for no terminal.
      client.shell(pty as ssh2.PseudoTtyOptions, opened);
    } catch (error) {
      resolve({ state: 'lost', why: error instanceof Error ? error.message : String(error) });
    }
  });
}

/** Null: it ended without saying how. */
async function converse(channel: ssh2.ClientChannel, terminal: Terminal): Promise<ShellEnd | null> {
  const { input, output, error, window } = terminal;
  let end: ShellEnd | null = null;
  channel.on('exit', (code: number | null, signal?: string) => {
    end = code === null ? { state: 'killed', signal: signal ?? 'unknown' } : { state: 'exited', code };
  });
  const unwatch = window?.onChange(() => {
    const { rows, columns } = window.now();
    channel.setWindow(rows, columns, 0, 0);
  });
  terminal.raw(true);
  try {
    channel.pipe(output as unknown as Duplex, { end: false });
    channel.stderr.pipe(error as unknown as Duplex, { end: false });
    channel.on('error', () => channel.destroy());
    input.pipe(channel);
    await new Promise<void>((resolve) => channel.once('close', resolve));
    return end;
  } finally {
    unwatch?.();
    input.unpipe(channel);
    input.pause();
    terminal.raw(false);
  }
}
