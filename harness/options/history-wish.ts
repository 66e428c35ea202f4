/** Whether and where a run is kept for the history: asked for, and looked at before anything is made. */
import { accessSync, constants, existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Fault } from '../faults/faults.ts';
import { runsFolder } from '../history/keep-run.ts';
import { NIGHT_ID } from '../history/run-record.ts';
import { codeIn, makeFolder } from '../workdir/make-folder.ts';
import { bad, type Given } from './given.ts';

const DEFAULT = 'reports';

export interface HistoryWish {
  /** Folder of the history; null: none is kept. */
  readonly reportsDir: string | null;
  /** Nightly that the run is part of; null: it is a run by itself. */
  readonly night: string | null;
}

/** @throws Fault BAD_OPTION, BAD_ENVIRONMENT */
export function historyWish(given: Given): HistoryWish {
  return { reportsDir: reportsDir(given), night: night(given) };
}

/** Where reports are written to and read from; null: `none` was said. */
export function reportsDir(given: Given): string | null {
  const text = given.value('reports-dir')?.text ?? DEFAULT;
  return text === 'none' ? null : resolve(text);
}

function night(given: Given): string | null {
  const value = given.value('night');
  if (value === null || NIGHT_ID.test(value.text)) return value?.text ?? null;
  const expected = 'letters, digits, dots, dashes, colons and underscores (64 at most)';
  throw bad(value.from, expected, JSON.stringify(value.text));
}

/** Before a run, which may take an hour: can its record be written? @throws Fault BAD_OPTION */
export function checkReportsDir({ reportsDir }: Pick<HistoryWish, 'reportsDir'>): void {
  if (reportsDir === null) return;
  const runs = runsFolder(reportsDir);
  try {
    makeFolder(runs);
    accessSync(runs, constants.W_OK | constants.X_OK);
  } catch (cause) {
    const given = existsSync(runs) ? runs : reportsDir;
    const expected = 'a folder that can be made and written to, or none';
    throw new Fault('BAD_OPTION', `--reports-dir: expected ${expected}, given ${given}${codeIn(cause)}`, { cause });
  }
}
