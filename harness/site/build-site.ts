/** Makes everything in a folder of reports that is made from its runs: index, first page, a page for each run. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fieldsOf, textAt } from '../history/fields.ts';
import { framesFolder, runsFolder } from '../history/keep-run.ts';
import { type Runs, readRecord, readRuns, type Skipped } from '../history/read-runs.ts';
import type { RunRow } from '../history/run-row.ts';
import { makeFolder } from '../workdir/make-folder.ts';
import { byClock, type CaseStanding, caseHistories, decided, lastNight, redOf, standings } from './cases.ts';
import { nightMain } from './night-page.ts';
import { pageData } from './page-data.ts';
import { type Assets, firstPage, type Light, readAssets, runFrame } from './page-frame.ts';
import { type Neighbours, runMain } from './run-page.ts';

/** Version of `index.json`. */
const INDEX_SCHEMA = 1;
/** Which pages of runs are as they would be written again. */
const STATE = 'site.json';

export interface Built {
  /** Path of the first page. */
  readonly page: string;
  readonly runs: number;
  readonly pagesWritten: number;
  readonly skipped: readonly Skipped[];
  /** Cases of the last night that did not pass. */
  readonly red: number;
}

/**
 * @param now time of day: what began after it counts for no night
 * @throws Error of the operating system where the folder cannot be read or written
 */
export function buildSite(reportsDir: string, now: Date): Built {
  const read = readRuns(reportsDir);
  const assets = readAssets();
  for (const folder of ['run', 'assets']) makeFolder(join(reportsDir, folder));
  write(join(reportsDir, 'assets', assets.styleName), assets.style);
  const { written, gone } = runPages(reportsDir, read.rows, assets);
  const rows = read.rows.filter(({ id }) => !gone.has(id));
  const skipped = [...read.skipped, ...[...gone].map(([id, why]) => ({ file: `${id}.json`, why }))];
  const { real, misdated } = byClock(rows, now.getTime());
  const night = lastNight(real);
  const cases = standings(real, night).map((each) => ({ ...each, last: withFrame(reportsDir, each.last) }));
  write(join(reportsDir, 'index.json'), indexText({ rows, skipped }));
  const page = join(reportsDir, 'index.html');
  const red = redOf(cases);
  const main = nightMain({ rows: real, misdated, night, cases, skipped });
  write(page, firstPage(assets, { ...tab(real, red), main, data: pageData(real, cases) }));
  removeOthers(join(reportsDir, 'assets'), new Set([assets.styleName]));
  removeOthers(join(reportsDir, 'run'), new Set(rows.map(({ id }) => `${id}.html`)));
  return { page, runs: rows.length, pagesWritten: written, skipped, red: red.length };
}

/** What stands in the tab: a failure that is known is no reason to look. */
function tab(rows: readonly RunRow[], red: readonly CaseStanding[]): { readonly title: string; readonly light: Light } {
  if (rows.length === 0) return { title: 'Bootwitness', light: 'grey' };
  if (red.length === 0) return { title: 'nothing red · Bootwitness', light: 'green' };
  const news = red.filter(({ last }) => last.known === null).length;
  const parts = [news > 0 ? `${news} red` : '', news < red.length ? `${red.length - news} known` : ''];
  return { title: `${parts.filter(Boolean).join(', ')} · Bootwitness`, light: news > 0 ? 'red' : 'amber' };
}

/** One run a line, so that it can be searched and compared. */
function indexText({ rows, skipped }: Runs): string {
  const lines = rows.map((row) => JSON.stringify(row)).join(',\n');
  return `{"schema": ${INDEX_SCHEMA}, "runs": [\n${lines}\n],\n"skipped": ${JSON.stringify(skipped)}}\n`;
}

/** A record is immutable, so that its page changes with its neighbours and with the form of pages only. */
function runPages(
  reportsDir: string,
  rows: readonly RunRow[],
  assets: Assets,
): { readonly written: number; readonly gone: ReadonlyMap<string, string> } {
  const form = formDigest(assets);
  const before = readState(join(reportsDir, STATE));
  const after: Record<string, string> = {};
  const gone = new Map<string, string>();
  let written = 0;
  for (const { row, neighbours } of withNeighbours(rows)) {
    const { lastPass, previous, next } = neighbours;
    const { size, mtimeMs } = statSync(join(runsFolder(reportsDir), `${row.id}.json`));
    const beside = [previous, next].map((each) => `${each?.id} ${each?.status}`);
    const pictures = namesIn(framesFolder(reportsDir, row.id));
    const key = digest([form, size, mtimeMs, lastPass?.id, ...beside, ...pictures].join('\n'));
    after[row.id] = key;
    const page = join(reportsDir, 'run', `${row.id}.html`);
    if (before[row.id] === key && existsSync(page)) continue;
    const read = readRecord(reportsDir, row.id);
    if ('why' in read) {
      gone.set(row.id, read.why);
      continue;
    }
    const title = `${row.status} ${row.scenario} · Bootwitness`;
    const light = row.status === 'PASS' ? 'green' : 'red';
    write(page, runFrame(assets, { title, light, ...runMain(row, read.record, neighbours, new Set(pictures)) }));
    written += 1;
  }
  write(join(reportsDir, STATE), JSON.stringify(after));
  return { written, gone };
}

function withNeighbours(rows: readonly RunRow[]): readonly { readonly row: RunRow; readonly neighbours: Neighbours }[] {
  return caseHistories(rows).flatMap(({ rows: own }) => {
    let lastPass: RunRow | null = null;
    return own.map((row, index) => {
      const neighbours = { lastPass, previous: own[index - 1] ?? null, next: own[index + 1] ?? null };
      if (row.status === 'PASS' && decided(row)) lastPass = row;
      return { row, neighbours };
    });
  });
}

/** A row whose last picture is there, or has none. */
function withFrame(reportsDir: string, row: RunRow): RunRow {
  const { id, lastFrame } = row;
  if (lastFrame === null || existsSync(join(framesFolder(reportsDir, id), lastFrame))) return row;
  return { ...row, lastFrame: null };
}

/** Pictures may have been left behind when records were copied. */
function namesIn(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

/** Changes when a page would look different for the same run: with the style, and with the source that makes it. */
function formDigest({ styleName }: Assets): string {
  const sources = ['.', '../history'].flatMap((name) => {
    const folder = fileURLToPath(new URL(name, import.meta.url));
    const files = readdirSync(folder).filter((file) => file.endsWith('.ts'));
    return files.sort().map((file) => readFileSync(join(folder, file), 'utf8'));
  });
  return digest([styleName, ...sources].join('\n'));
}

/** Damaged or not there: all pages are written again. */
function readState(path: string): Readonly<Record<string, string>> {
  try {
    const state = fieldsOf(JSON.parse(readFileSync(path, 'utf8')));
    return Object.fromEntries(Object.keys(state).map((id) => [id, textAt(state, id) ?? '']));
  } catch (error) {
    const known = error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (!known) throw error;
    return {};
  }
}

/** Whole or as it was before: somebody may be reading it, and two may write. */
function write(path: string, text: string): void {
  const aside = `${path}.${process.pid}.part`;
  try {
    writeFileSync(aside, text);
    renameSync(aside, path);
  } catch (error) {
    rmSync(aside, { force: true });
    throw error;
  }
}

function removeOthers(folder: string, kept: ReadonlySet<string>): void {
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) {
    if (/\.(html|css)$/.test(name) && !kept.has(name)) rmSync(join(folder, name), { force: true });
  }
}
