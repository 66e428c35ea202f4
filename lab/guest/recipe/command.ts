/**
 * Runs one host program of the build and gives its output. A program that fails becomes an Error
 * with the program's own last words; one whose starter dies dies with it.
 */
import { spawn } from 'node:child_process';

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Text for standard input; none: the program reads end of file. */
  readonly input?: string;
  /** Called with each whole line of standard output. */
  readonly onLine?: (line: string) => void;
}

export interface CommandOutput {
  readonly stdout: string;
  readonly stderr: string;
}

const KEPT_LINES = 5;

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-KEPT_LINES).join('\n');
}

/** Runs `program` to its end. Rejects where it cannot be started or ends with anything but 0. */
export function command(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandOutput> {
  return new Promise((resolve, reject) => {
    // A killed build must not leave apt or mke2fs working in a folder that the next build clears.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...args], {
      cwd: options.cwd,
      // mke2fs, sfdisk and debugfs lie where Debian gives people no PATH to.
      env: { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`, ...options.env, LC_ALL: 'C' },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    let unfinished = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      if (options.onLine === undefined) return;
      const lines = (unfinished + text).split('\n');
      unfinished = lines.pop() ?? '';
      lines.forEach(options.onLine);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    // A program that ends without reading its input closes the pipe; its exit status says why.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
    child.on('error', (cause) => {
      reject(new Error(`${program} cannot be started: setpriv of util-linux is needed`, { cause }));
    });
    child.on('close', (status, signal) => {
      if (unfinished !== '') options.onLine?.(unfinished);
      if (status === 0) {
        resolve({ stdout, stderr });
        return;
      }
      const end = signal === null ? `exit status ${status}` : `signal ${signal}`;
      reject(new Error(`${program} ${args.slice(0, 4).join(' ')} … ended with ${end}: ${lastLines(stderr || stdout)}`));
    });
  });
}
