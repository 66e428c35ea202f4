/** Changes files inside the root file system of an image, without mounting it. */
import { command } from './command.ts';
import { ROOT_OFFSET } from './layout.ts';

/**
 * Runs the requests in `requestFile` on `image`, in the folder `cwd` (where `write` finds its sources).
 * debugfs ends with 0 whatever happens; what it says on stderr, but for its version, is a failure.
 */
export async function debugfs(image: string, requestFile: string, cwd: string): Promise<void> {
  const { stderr } = await command('debugfs', ['-w', '-f', requestFile, `${image}?offset=${ROOT_OFFSET}`], { cwd });
  const complaints = complaintsOf(stderr);
  if (complaints.length > 0) throw new Error(`debugfs could not change ${image}: ${complaints.slice(0, 3).join('; ')}`);
}

/** Content of the file `path` in `image`, or null where there is none. */
export async function readGuestFile(image: string, path: string): Promise<string | null> {
  const { stdout, stderr } = await command('debugfs', ['-R', `cat "${path}"`, `${image}?offset=${ROOT_OFFSET}`]);
  const complaints = complaintsOf(stderr);
  if (complaints.some((line) => line.includes('File not found'))) return null;
  if (complaints.length > 0) throw new Error(`debugfs could not read ${path} of ${image}: ${complaints.join('; ')}`);
  return stdout;
}

/** Whether anything is at `path` in `image`. */
export async function existsInGuest(image: string, path: string): Promise<boolean> {
  const { stdout } = await command('debugfs', ['-R', `stat "${path}"`, `${image}?offset=${ROOT_OFFSET}`]);
  return stdout.startsWith('Inode:');
}

function complaintsOf(stderr: string): string[] {
  return stderr.split('\n').filter((line) => line !== '' && !/^debugfs \d/.test(line));
}
