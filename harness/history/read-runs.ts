/** Reads the runs of a folder of reports. What is damaged, foreign or newer is named and left out, and ends nothing. */
import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SCHEMA } from '../report/report.ts';
import { type Fields, fieldsOf, numberAt, textAt } from './fields.ts';
import { runsFolder } from './keep-run.ts';
import { HISTORY_SCHEMA, RUN_ID } from './run-record.ts';
import { type RunRow, runRow } from './run-row.ts';

const BYTES_MAX = 8 * 1024 * 1024;

/** A file that is no run. */
export interface Skipped {
  readonly file: string;
  readonly why: string;
}

export interface Runs {
  /** The oldest first. */
  readonly rows: readonly RunRow[];
  readonly skipped: readonly Skipped[];
}

/** @throws Error of the operating system where there is a folder that cannot be read; none is no run */
export function readRuns(reportsDir: string): Runs {
  const rows: RunRow[] = [];
  const skipped: Skipped[] = [];
  for (const file of namesIn(runsFolder(reportsDir))) {
    const id = file.replace(/\.json$/, '');
    if (/^[^.].*\.console$/.test(file)) continue; // pictures
    if (file.startsWith('.') && file.endsWith('.part')) {
      skipped.push({ file, why: 'not finished: it is being written, or who wrote it was ended' });
    } else if (!file.endsWith('.json') || !RUN_ID.test(id)) {
      skipped.push({ file, why: 'foreign: its name is no run id' });
    } else {
      const read = readRecord(reportsDir, id);
      const row = 'why' in read ? read : runRow(read.record);
      if ('why' in row) skipped.push({ file, why: row.why });
      else rows.push(row);
    }
  }
  rows.sort((a, b) => a.startedMs - b.startedMs || (a.id < b.id ? -1 : 1));
  return { rows, skipped };
}

/** One record, as far as it can be read. */
export function readRecord(reportsDir: string, id: string): { readonly record: Fields } | { readonly why: string } {
  const read = textOf(join(runsFolder(reportsDir), `${id}.json`));
  if ('why' in read) return read;
  let record: Fields;
  try {
    record = fieldsOf(JSON.parse(read.text));
  } catch {
    return { why: 'damaged: no JSON' };
  }
  const [schema, history] = [numberAt(record, 'schema'), numberAt(record, 'history', 'schema')];
  if (schema === null || history === null) return { why: 'foreign: it has no schema of ours' };
  if (schema > SCHEMA || history > HISTORY_SCHEMA) {
    const known = `${SCHEMA} and ${HISTORY_SCHEMA}`;
    return { why: `written by a newer version (schema ${schema}, history ${history}); this one reads up to ${known}` };
  }
  if (textAt(record, 'runId') !== id) return { why: 'damaged: it holds the run of another name' };
  return { record };
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function textOf(path: string): { readonly text: string } | { readonly why: string } {
  let fd: number | null = null;
  try {
    // Neither a link out of the folder is followed, nor is a pipe waited for.
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const found = fstatSync(fd);
    if (!found.isFile()) return { why: 'foreign: no regular file' };
    if (found.size > BYTES_MAX) return { why: `foreign: ${found.size} bytes, at most ${BYTES_MAX} are read` };
    return { text: readFileSync(fd, 'utf8') };
  } catch (error) {
    return { why: `cannot be read (${String((error as NodeJS.ErrnoException).code)})` };
  } finally {
    if (fd !== null) closeSync(fd);
  }
}
