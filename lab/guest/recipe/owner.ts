/** Makes everything in the guest's root file system belong to root where the builder is somebody else. */
import { readdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { debugfs } from './debugfs.ts';

/** mke2fs takes over the owners of the folder it is given; those are the builder's where that is not root. */
export async function ownByRoot(options: { image: string; tree: string; scratch: string }): Promise<void> {
  if (process.getuid?.() === 0) return;
  const entries = await readdir(options.tree, { recursive: true, withFileTypes: true });
  const paths = entries.map((entry) => `/${relative(options.tree, join(entry.parentPath, entry.name))}`);
  const requests = paths.flatMap((path) => [`sif "${path}" uid 0`, `sif "${path}" gid 0`]);
  const file = join(options.scratch, 'owners');
  await writeFile(file, `${requests.join('\n')}\n`);
  await debugfs(options.image, file, options.scratch);
}
