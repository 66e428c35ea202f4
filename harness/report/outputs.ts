/**
 * The files that a run leaves behind besides its evidence: history, and those of the workdir. What goes wrong with the
 * history never changes the verdict; it is said, and a PASS ends with another exit code.
 */
import { type StagedRun, stageRun } from '../history/keep-run.ts';
import type { HistoryWish } from '../options/history-wish.ts';
import { writeFiles } from '../reporters/files.ts';
import type { Report } from './report.ts';

/** As after a PASS that left something in the lab. */
const HISTORY_LOST = 3;

export interface Written {
  /** With the exit code that its files name. */
  readonly report: Report;
  /** Why the history has not kept the run, one line each; empty: it has. */
  readonly problems: readonly string[];
}

/** @throws Fault as `writeFiles`: the report itself cannot be written whole, and nothing of it is kept */
export function writeOutputs(judged: Report, history: HistoryWish): Written {
  const problems: string[] = [];
  const lost = (error: unknown): null => {
    const why = error instanceof Error ? error.message : String(error);
    problems.push(`NOT KEPT IN THE HISTORY (${history.reportsDir}): ${why}`);
    return null;
  };
  // Written first and named last: only now it is known whether the exit code can be the verdict's.
  const staged = stage(judged, history, lost);
  const withCode = (): Report => ({
    ...judged,
    exitCode: problems.length > 0 ? raised(judged.exitCode) : judged.exitCode,
  });
  let report = withCode();
  try {
    writeFiles(report);
  } catch (error) {
    staged?.discard(); // a run whose own report is not whole is none to compare with
    throw error;
  }
  if (staged !== null && !kept(staged, lost)) {
    report = withCode();
    writeFiles(report);
  }
  return { report, problems };
}

const raised = (code: number): number => (code === 0 ? HISTORY_LOST : code);

function stage(report: Report, { reportsDir, night }: HistoryWish, lost: (error: unknown) => null): StagedRun | null {
  if (reportsDir === null) return null;
  try {
    return stageRun(reportsDir, report, { night, known: null });
  } catch (error) {
    return lost(error);
  }
}

function kept(staged: StagedRun, lost: (error: unknown) => null): boolean {
  try {
    staged.keep();
    return true;
  } catch (error) {
    staged.discard();
    lost(error);
    return false;
  }
}
