/** Makes the folders that the command line names, or says in one sentence why not. */
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** A folder cannot be used; the message names the option and says why. */
export class FolderMisuse extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'FolderMisuse';
  }
}

/** One by one: Node's own recursive mkdir never comes back from a folder like /proc. */
function make(dir: string): void {
  if (!existsSync(dir)) {
    make(dirname(dir));
    try {
      mkdirSync(dir, { mode: 0o700 });
    } catch (error) {
      if (!existsSync(dir)) throw error; // another lab may have made it meanwhile
    }
  }
  if (!statSync(dir).isDirectory()) throw Object.assign(new Error(`${dir} is no folder`), { code: 'ENOTDIR' });
}

/** @param option that names it. @throws FolderMisuse */
export function makeFolder(option: string, dir: string): void {
  try {
    make(dir);
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    throw new FolderMisuse(`${option}: expected a folder that can be made, given ${dir}${why}`);
  }
}
