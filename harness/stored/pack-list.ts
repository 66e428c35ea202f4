/** `pack.json`: what was packed, what was masked and what was left out; by it a pack is known to be as it was made. */
import { createHash } from 'node:crypto';
import { Fault } from '../faults/faults.ts';
import { JsonReader } from './json-reader.ts';
import type { Shelf } from './shelf.ts';

export const PACK_LIST = 'pack.json';
const SCHEMA = 1;

export interface PackedFile {
  readonly name: string;
  readonly sha256: string;
  /** How many places of it were masked. */
  readonly masked: number;
}

export interface PackList {
  readonly runId: string;
  readonly harnessVersion: string;
  readonly files: readonly PackedFile[];
  /** Names of files that no run writes. */
  readonly leftOut: readonly string[];
}

export const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

export const packListJson = (list: PackList): string => `${JSON.stringify({ schema: SCHEMA, ...list }, null, 2)}\n`;

/**
 * What a reader of a pack must know, one sentence each; nothing for a workdir that was never packed.
 * @throws Fault BAD_STORED_RUN where a file is not as it was packed
 */
export function packNotes(where: string, files: Shelf): readonly string[] {
  const bytes = files.bytes(PACK_LIST);
  if (bytes === null) return [];
  const read = JsonReader.parse(`${where}: ${PACK_LIST}`, bytes.toString('utf8'));
  if (read.number('schema') > SCHEMA) read.wrong('schema', `${SCHEMA} or older`);
  const list = read.list('files', (entry): PackedFile => {
    return { name: entry.text('name'), sha256: entry.text('sha256'), masked: entry.number('masked') };
  });
  for (const { name, sha256: then } of list) {
    const now = files.bytes(name);
    if (now !== null && sha256(now) === then) continue;
    const given = now === null ? 'it is not there' : 'it was changed since';
    throw new Fault('BAD_STORED_RUN', `${where}: ${name}: expected the file that was packed, given none: ${given}`);
  }
  const masked = list.filter((file) => file.masked > 0).map((file) => `${file.masked} in ${file.name}`);
  return masked.length === 0 ? [] : [`secrets were masked when it was packed: ${masked.join(', ')}`];
}
