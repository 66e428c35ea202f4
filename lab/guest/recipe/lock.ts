/** One build at a time: a lock that ends with its holder, also when that one is killed. */
import { spawn } from 'node:child_process';

/** Waits for the lock on `file` and returns what gives it back. `waiting` is called where somebody else has it. */
export async function lock(file: string, waiting: () => void): Promise<() => Promise<void>> {
  // flock holds the lock as long as cat runs, and cat ends when our end of its pipe does.
  const holder = spawn('flock', [file, 'sh', '-c', 'echo held && exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const closed = new Promise<void>((resolve) => holder.on('close', () => resolve()));
  const slow = setTimeout(waiting, 500);
  try {
    await new Promise<void>((resolve, reject) => {
      holder.stdout.once('data', () => resolve());
      holder.on('error', (cause) => reject(new Error('flock of util-linux cannot be started', { cause })));
      holder.on('close', (status) => reject(new Error(`flock ${file} ended with ${status} before it had the lock`)));
    });
  } finally {
    clearTimeout(slow);
  }
  return async () => {
    holder.stdin.end();
    await closed;
  };
}
