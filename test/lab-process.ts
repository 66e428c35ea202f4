/** Starts the embedded lab as the harness does, for tests: a process of its own, ended with the test. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const READY_MS_MAX = 120_000;

export interface LabProcess {
  readonly url: string;
  readonly labFile: string;
  readonly tokenFile: string;
  readonly pid: number;
  /** Everything it said on stderr so far. */
  said(): string;
  /** Ends its life line and waits until it is gone. */
  stop(): Promise<void>;
}

/** @param args beyond `--parent`, e.g. `--backend`, `simulated`, `--mishap`, `no-memory`. */
export async function startLab(...args: readonly string[]): Promise<LabProcess> {
  const child = spawn(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), `${ROOT}lab/main.ts`, '--parent', ...args],
    {
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    },
  );
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  child.stdin.on('error', () => child.stdin.destroy());
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const line = await new Promise<string>((resolve, reject) => {
    let out = '';
    const timer = setTimeout(() => reject(new Error(`the lab was not ready in time: ${said}`)), READY_MS_MAX);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
      if (!out.includes('\n')) return;
      clearTimeout(timer);
      resolve(out.slice(0, out.indexOf('\n')));
    });
    child.once('close', () => reject(new Error(`the lab ended: ${said}`)));
  });
  const ready = JSON.parse(line) as { url: string; labFile: string; tokenFile: string };
  return {
    ...ready,
    pid: child.pid ?? 0,
    said: () => said,
    stop: async () => {
      child.stdin.end();
      await gone;
    },
  };
}
