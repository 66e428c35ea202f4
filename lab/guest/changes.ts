/** Carries out a fault's changes inside the root file system of an image. */
import { copyFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Change } from './change.ts';
import { debugfs, existsInGuest, readGuestFile } from './recipe/debugfs.ts';

const DIRECTORY_MODE = '040755';

interface Patient {
  readonly image: string;
  /** Folder of the files that `file` changes name. */
  readonly files: string;
  /** Sources for debugfs are laid here. */
  readonly scratch: string;
}

/** Requests that put the scratch file `source` to `path`, in place of what is there. */
async function writing(patient: Patient, path: string, source: string, mode: number): Promise<string[]> {
  return [
    ...((await existsInGuest(patient.image, path)) ? [`rm "${path}"`] : []),
    `write ${source} "${path}"`,
    `sif "${path}" mode 0100${mode.toString(8).padStart(3, '0')}`,
    ...[`sif "${path}" uid 0`, `sif "${path}" gid 0`],
  ];
}

function making(path: string): string[] {
  return [`mkdir "${path}"`, `sif "${path}" mode ${DIRECTORY_MODE}`, `sif "${path}" uid 0`, `sif "${path}" gid 0`];
}

/** Requests for the folders above `path` that are not there. */
async function parents(patient: Patient, path: string): Promise<string[]> {
  const folder = dirname(path);
  if (folder === '/' || (await existsInGuest(patient.image, folder))) return [];
  return [...(await parents(patient, folder)), ...making(folder)];
}

async function contentOf(patient: Patient, path: string): Promise<string> {
  const text = await readGuestFile(patient.image, path);
  if (text === null) throw new Error(`${path} was expected in ${patient.image}, and it is not there`);
  return text;
}

/** How `text` reads after the change; throws unless `from` is in it exactly once. */
export function edited(text: string, change: { path: string; from: string; to: string }): string {
  const parts = text.split(change.from);
  if (parts.length !== 2) {
    throw new Error(`${change.path} was expected to hold "${change.from}" once, and it does ${parts.length - 1} times`);
  }
  return parts.join(change.to);
}

async function requestsFor(patient: Patient, change: Change, source: string): Promise<string[]> {
  const { path } = change;
  const inScratch = join(patient.scratch, source);
  switch (change.kind) {
    case 'directory':
      return [...(await parents(patient, path)), ...making(path)];
    case 'link':
      return [`symlink "${path}" "${change.target}"`];
    case 'remove':
      return [`rm "${path}"`];
    case 'file': {
      await copyFile(join(patient.files, change.file), inScratch);
      const times = change.mtime === undefined ? [] : [`sif "${path}" mtime ${change.mtime}`];
      return [...(await writing(patient, path, source, change.mode)), ...times];
    }
    case 'edit': {
      const text = await contentOf(patient, path);
      await writeFile(inScratch, edited(text, change));
      // The file keeps its inode's mode only where it is said again; programs of this guest begin with #!.
      return writing(patient, path, source, text.startsWith('#!') ? 0o755 : 0o644);
    }
    case 'move':
      await writeFile(inScratch, await contentOf(patient, path));
      return [
        ...(await parents(patient, change.to)),
        ...(await writing(patient, change.to, source, 0o644)),
        `rm "${path}"`,
      ];
  }
}

function mapped(change: Change, place: (text: string) => string): Change {
  const entries = Object.entries(change).map(([key, value]) => [key, typeof value === 'string' ? place(value) : value]);
  return Object.fromEntries(entries) as Change;
}

/** Applies `changes` to `image`, in their order. `closure` is what `@CLOSURE@` stands for. */
export async function applyChanges(
  options: Patient & { readonly changes: readonly Change[]; readonly closure: string },
): Promise<void> {
  if (options.changes.length === 0) return;
  const environment = await contentOf(options, `${options.closure}/etc/guile.env`);
  const extra = /^GUILE_EXTENSIONS_PATH=(\/frx\/store\/[^/:]+)\//m.exec(environment)?.[1];
  const shepherd = /^GUILE_LOAD_PATH=.*(\/frx\/store\/[^/:]+-shepherd)\//m.exec(environment)?.[1];
  if (extra === undefined || shepherd === undefined) {
    throw new Error(
      `${options.closure}/etc/guile.env was expected to name the items of the extensions and of Shepherd`,
    );
  }
  const items = { '@CLOSURE@': options.closure, '@EXTRA@': extra, '@SHEPHERD@': shepherd };
  const place = (text: string): string =>
    Object.entries(items).reduce((placed, [sign, path]) => placed.replaceAll(sign, path), text);
  const requests: string[] = [];
  for (const [index, change] of options.changes.entries()) {
    requests.push(...(await requestsFor(options, mapped(change, place), `source-${index}`)));
  }
  const requestFile = join(options.scratch, 'requests');
  await writeFile(requestFile, `${requests.join('\n')}\n`);
  await debugfs(options.image, requestFile, options.scratch);
}
