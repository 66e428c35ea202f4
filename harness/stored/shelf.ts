/** Where the files of a stored run lie: a folder, or the inside of an archive. Read, never written. */
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/** Files of one run, by path from its workdir on, with `/`. */
export interface Shelf {
  /** Sorted. */
  names(): readonly string[];
  /** Null: there is none. */
  bytes(name: string): Buffer | null;
}

/** No links are followed: what lies elsewhere is no file of the run. */
export function folderShelf(folder: string): Shelf {
  const names = (): readonly string[] => {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    return files.map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/')).sort();
  };
  const bytes = (name: string): Buffer | null => {
    const path = join(folder, ...name.split('/'));
    const found = lstatSync(path, { throwIfNoEntry: false });
    return found?.isFile() ? readFileSync(path) : null;
  };
  return { names, bytes };
}

/** @param files by name */
export const archiveShelf = (files: ReadonlyMap<string, Buffer>): Shelf => ({
  names: () => [...files.keys()].sort(),
  bytes: (name) => files.get(name) ?? null,
});

export const textOf = (shelf: Shelf, name: string): string | null => shelf.bytes(name)?.toString('utf8') ?? null;
