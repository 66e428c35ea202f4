/** The recipe's digest: every file that decides what the guest is made of, and nothing else. */
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';

/** SHA-256, lower-case hex, over paths, permissions and contents of all files below `folders`, sorted. */
export async function recipeDigest(root: string, folders: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  const files: string[] = [];
  for (const folder of folders) {
    const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
    files.push(...entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)));
  }
  for (const file of files.sort()) {
    const content = await readFile(file);
    const executable = ((await stat(file)).mode & 0o100) !== 0;
    hash.update(`${relative(root, file)}\0${executable ? 'x' : '-'}\0${content.length}\0`);
    hash.update(content);
  }
  return hash.digest('hex');
}
