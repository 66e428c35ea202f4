/**
 * A run that has ended, as it was stored: its report, metadata, evidence, journal and console. What is damaged, foreign
 * or of a newer version is misuse, said in one sentence; what is older, cut or missing is said in `notes`.
 */
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { Fault } from '../faults/faults.ts';
import { SCHEMA } from '../report/report.ts';
import { isArchive, unarchive } from './archive.ts';
import { readEvidence, type StoredEvidence } from './evidence-lines.ts';
import { type Metadata, readMetadata, reportOf } from './metadata-text.ts';
import { packNotes } from './pack-list.ts';
import { archiveShelf, folderShelf, type Shelf, textOf } from './shelf.ts';
import { readReport, type StoredReport } from './stored-report.ts';

export interface StoredRun {
  /** As it was named, absolute. */
  readonly path: string;
  /** Folder of the run; null: it is in an archive. */
  readonly folder: string | null;
  readonly report: StoredReport;
  /** Empty where there is no `metadata.txt`. */
  readonly metadata: Metadata;
  readonly evidence: StoredEvidence;
  /** Lines of `journal.ndjson` as JSON; those that are none are left out. */
  readonly journal: readonly unknown[];
  /** Texts of `console/`, by file name. */
  readonly console: ReadonlyMap<string, string>;
  /** What a reader must know: older versions, what is cut or missing. One sentence each. */
  readonly notes: readonly string[];
  readonly files: Shelf;
}

/**
 * @param path a workdir, its `metadata.txt` or `result.json`, or a pack, as a file or unpacked
 * @throws Fault BAD_STORED_RUN
 */
export async function readStoredRun(path: string): Promise<StoredRun> {
  const { folder, files } = await locate(resolve(path));
  return storedRun(resolve(path), folder, files);
}

interface Located {
  /** Null: an archive. */
  readonly folder: string | null;
  readonly files: Shelf;
}

async function locate(path: string): Promise<Located> {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw new Fault('BAD_STORED_RUN', `expected ${WANTED}, given ${path}, which is not there`);
  if (found.isDirectory()) {
    const folder = holdsRun(path) ? path : onlyRunIn(path);
    return { folder, files: folderShelf(folder) };
  }
  if (!['metadata.txt', 'result.json'].includes(basename(path))) {
    if (isArchive(path)) return { folder: null, files: archiveShelf(await unarchive(path)) };
    throw new Fault('BAD_STORED_RUN', `expected ${WANTED}, given the file ${path}`);
  }
  const folder = dirname(path);
  return { folder, files: folderShelf(folder) };
}

const WANTED = 'a workdir, its metadata.txt or result.json, or a pack';

const holdsRun = (folder: string): boolean =>
  ['result.json', 'metadata.txt'].some((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.isFile());

/** Whoever unpacks an archive may name the folder that they did it in. */
function onlyRunIn(folder: string): string {
  const inner = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const runs = inner.map(({ name }) => join(folder, name)).filter(holdsRun);
  const [only] = runs;
  if (only !== undefined && runs.length === 1) return only;
  const begun = statSync(join(folder, 'evidence.ndjson'), { throwIfNoEntry: false }) !== undefined;
  const why = begun
    ? `whose run has not ended, or was killed (there is evidence, and no result.json)`
    : `a folder with ${runs.length === 0 ? 'neither of them' : `${runs.length} workdirs in it`}`;
  throw new Fault('BAD_STORED_RUN', `expected ${WANTED}, given ${folder}, ${why}`);
}

/** @throws Fault BAD_STORED_RUN */
function storedRun(path: string, folder: string | null, files: Shelf): StoredRun {
  const packed = packNotes(folder ?? path, files);
  const [json, lines] = [textOf(files, 'result.json'), textOf(files, 'metadata.txt')];
  if (json === null && lines === null) {
    throw new Fault('BAD_STORED_RUN', `expected ${WANTED}, given ${path}, an archive with neither of them`);
  }
  const where = (name: string): string => (folder === null ? `${path}: ${name}` : join(folder, name));
  const metadata: Metadata = lines === null ? new Map() : readMetadata(where('metadata.txt'), lines);
  const report = json === null ? reportOf(where('metadata.txt'), metadata) : readReport(where('result.json'), json);
  const told = metadata.get('run_id');
  if (told !== undefined && told !== report.runId) {
    const given = `run ${report.runId} in result.json and ${told} in metadata.txt`;
    throw new Fault('BAD_STORED_RUN', `${folder ?? path}: expected files of one run, given ${given}`);
  }
  const evidence = readEvidence(textOf(files, 'evidence.ndjson'));
  return {
    ...{ path, folder, report, metadata, evidence, files },
    journal: jsonLines(textOf(files, 'journal.ndjson') ?? ''),
    console: consoleOf(files),
    notes: [...packed, ...notes(report, metadata, evidence)],
  };
}

function notes({ schema }: StoredReport, metadata: Metadata, { cut }: StoredEvidence): readonly string[] {
  const age =
    schema === 0
      ? ['there is only metadata.txt: no checks, no timeline, nothing of what was asked']
      : schema < SCHEMA
        ? [`result.json is of schema ${schema}, older than ${SCHEMA}: it does not say what was asked`]
        : [];
  const torn = metadata.size === 0 ? ['there is no metadata.txt: the report was not written to its end'] : [];
  return [...age, ...torn, ...(cut === null ? [] : [cut])];
}

function jsonLines(text: string): readonly unknown[] {
  return text.split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as unknown];
    } catch {
      return []; // the line that was being written when the run died
    }
  });
}

function consoleOf(files: Shelf): ReadonlyMap<string, string> {
  const names = files.names().filter((name) => /^console\/[^/]+\.txt$/.test(name));
  return new Map(names.map((name) => [name.slice('console/'.length), textOf(files, name) ?? '']));
}
