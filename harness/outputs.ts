/**
 * Everything that a run leaves behind besides its evidence: history, files of the workdir, TAP, closing lines. What
 * goes wrong with the history never changes the verdict; it is said, and a PASS ends with another exit code.
 */
import type { Writable } from 'node:stream';
import { type StagedRun, stageRun } from './history/keep-run.ts';
import type { HistoryWish } from './history-wish.ts';
import type { Report } from './report.ts';
import { writeFiles } from './reporters/files.ts';
import type { People } from './reporters/people.ts';
import { printWhole } from './reporters/stream.ts';
import { tapText } from './reporters/tap.ts';

/** As after a PASS that left something in the lab. */
const HISTORY_LOST = 3;

interface Outlets {
  readonly history: HistoryWish;
  /** Takes the TAP. */
  readonly out: Writable;
  readonly people: People;
}

/** @returns the exit code @throws Error where the report itself cannot be written whole */
export async function writeOutputs(judged: Report, { history, out, people }: Outlets): Promise<number> {
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
  await printWhole(out, await tapText(report));
  people.closing(report, problems);
  return report.exitCode;
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
