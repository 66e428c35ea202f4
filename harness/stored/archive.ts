/** Files of a run in one compressed archive, and out of it again. The only importer of modern-tar. */
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { packTar, unpackTar } from 'modern-tar';
import { Fault } from '../faults/faults.ts';

export type Files = ReadonlyMap<string, Buffer>;

/** Unpacked. A run of hours with a chatty guest has some MiB. */
const BYTES_MAX = 512 * 1024 * 1024;
const GZIP = Buffer.from([0x1f, 0x8b]);
/** Byte of the header that names the system which compressed: 255, unknown. */
const SYSTEM_AT = 9;
/** Always the same: the time of packing would make two archives of one run differ. */
const MODIFIED = new Date(0);

/** By its first bytes: somebody may name a disk image of many GiB. */
export function isArchive(path: string): boolean {
  const fd = openSync(path, 'r');
  try {
    const start = Buffer.alloc(GZIP.length);
    return readSync(fd, start, 0, start.length, 0) === GZIP.length && start.equals(GZIP);
  } finally {
    closeSync(fd);
  }
}

/** The same bytes for the same files. @param top folder that they come into when it is unpacked */
export async function archive(top: string, files: Files): Promise<Buffer> {
  const names = [...files.keys()].sort();
  const entries = names.map((name) => {
    const body = files.get(name) ?? Buffer.alloc(0);
    const owner = { uid: 0, gid: 0, uname: '', gname: '' };
    return { header: { name: `${top}/${name}`, size: body.length, mode: 0o644, mtime: MODIFIED, ...owner }, body };
  });
  const packed = gzipSync(await packTar(entries), { level: 9 });
  packed[SYSTEM_AT] = 255;
  return packed;
}

/**
 * By name from its one top folder on; links and whatever else is no file are left out.
 * @throws Fault BAD_STORED_RUN where it is damaged, holds more than one folder, or names a place outside
 */
export async function unarchive(path: string): Promise<Files> {
  const bad = (given: string, cause?: unknown): Fault =>
    new Fault('BAD_STORED_RUN', `expected a pack as npm run pack makes it, given ${path}, ${given}`, { cause });
  if (statSync(path).size > BYTES_MAX) throw bad('which is larger than any pack');
  let entries: Awaited<ReturnType<typeof unpackTar>>;
  try {
    entries = await unpackTar(gunzipSync(readFileSync(path), { maxOutputLength: BYTES_MAX }), { strict: true });
  } catch (cause) {
    throw bad('which is damaged, or no archive', cause);
  }
  const files = new Map<string, Buffer>();
  const tops = new Set<string>();
  for (const { header, data } of entries) {
    if ((header.type ?? 'file') !== 'file' || data === undefined) continue;
    const [top = '', ...rest] = header.name.replace(/^\.\//, '').split('/');
    if (rest.length === 0 || [top, ...rest].some((part) => part === '' || part === '.' || part === '..')) {
      throw bad(`which holds ${JSON.stringify(header.name)}`);
    }
    tops.add(top);
    if (files.has(rest.join('/'))) throw bad(`which holds ${JSON.stringify(header.name)} twice`);
    files.set(rest.join('/'), Buffer.from(data));
  }
  if (tops.size !== 1) throw bad(`which holds ${tops.size === 0 ? 'no file' : `${tops.size} folders`}`);
  return files;
}
