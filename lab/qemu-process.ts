/**
 * One QEMU process: started so that it cannot outlive this one, watched, and ended for certain.
 * What is in its arguments is not its business.
 */
import { type ChildProcess, spawn } from 'node:child_process';

/** How a process ended, and what it said last on its standard error. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

export interface QemuProcess {
  readonly pid: number;
  /** Settles when the process is gone and reaped. Never rejects. */
  readonly ended: Promise<ProcessEnd>;
  /** SIGKILL, by pid; harmless when it is gone already. */
  kill(): void;
}

const STDERR_KEPT = 4096;

/**
 * `setpriv` asks the kernel to kill the process with its parent, also when that ends by kill -9. The shell then closes
 * the gap between fork and that request: it starts nothing when its parent is another one by then. Both become QEMU
 * by exec, so the pid is QEMU's. `detached` gives it a process group of its own: a Ctrl-C on the terminal of whoever
 * started the lab must not take the guest away under the harness that is still cleaning up.
 */
export function startQemuProcess(binary: string, args: readonly string[], cwd: string): Promise<QemuProcess> {
  const guarded = ['--pdeathsig', 'KILL', 'sh', '-c', '[ "$PPID" = "$0" ] && exec "$@"', String(process.pid), binary];
  const child = spawn('setpriv', [...guarded, ...args], {
    cwd,
    detached: true,
    // Nothing of this process's environment concerns QEMU, and some of it may be secret.
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      const hint = 'code' in error && error.code === 'ENOENT' ? ' (setpriv is part of util-linux)' : '';
      reject(new Error(`QEMU could not be started through setpriv: ${error.message}${hint}`, { cause: error }));
    });
    child.once('spawn', () => {
      const { pid } = child;
      if (pid === undefined) return reject(new Error('QEMU was started and has no pid'));
      resolve({ pid, ended: endOf(child), kill: () => child.kill('SIGKILL') });
    });
  });
}

function endOf(child: ChildProcess): Promise<ProcessEnd> {
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_KEPT);
  });
  // `close` rather than `exit`: what it said before it died has been read by then.
  return new Promise((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, stderr: stderr.trim() }));
  });
}
