/**
 * The end of a case: its report goes to disk, to stdout and to the person. A verdict whose evidence or report is not on
 * disk whole is no verdict: it becomes an ERROR of this machine, told on both streams where no file can be written.
 */
import type { Writable } from 'node:stream';
import type { Evidence } from './evidence.ts';
import { Fault, faultRecord } from './faults.ts';
import type { HistoryWish } from './history-wish.ts';
import { exitCode, judge } from './judge.ts';
import type { FaultRecord } from './model.ts';
import type { OutputFiles } from './output-files.ts';
import { writeOutputs } from './outputs.ts';
import type { Progress } from './progress/progress.ts';
import { runEnds } from './progress/run-ends.ts';
import { type Report, resultJson } from './report.ts';
import { writeFiles } from './reporters/files.ts';
import { writeFormats } from './reporters/formats.ts';
import { printWhole } from './reporters/stream.ts';
import { bailOut, tapText } from './reporters/tap.ts';
import { summaryOf } from './summary.ts';

export interface ClosingOptions {
  readonly evidence: Evidence;
  readonly history: HistoryWish;
  readonly formats: OutputFiles;
  /** Takes the TAP. */
  readonly out: Writable;
  readonly told: Progress;
}

/** An ERROR stays what it is: its cause came first. */
function unkept(report: Report, fault: FaultRecord): Report {
  if (report.verdict.status === 'ERROR') return report;
  const verdict = judge({ checks: report.verdict.status === 'SKIP' ? [] : report.verdict.checks, fault });
  return { ...report, verdict, exitCode: exitCode(verdict, report.result?.leaked ?? []) };
}

/** Why it did not work; null: it did. @throws what is not a fault of this machine */
function attempt(work: () => void): FaultRecord | null {
  try {
    work();
    return null;
  } catch (error) {
    if (!(error instanceof Fault) || error.party !== 'machine') throw error;
    return faultRecord(error);
  }
}

/** The TAP, or why there is none. */
const tapOf = (report: Report): Promise<string | FaultRecord> => tapText(report).catch(faultRecord);

/** As after a PASS that left something in the lab. */
const FORMAT_LOST = 3;

/** What somebody waits for and was not written turns no verdict. @returns why; null: all of them were */
function lostFormat(report: Report, formats: OutputFiles, tap: string): string | null {
  try {
    writeFormats(formats, { summary: summaryOf(report), json: () => resultJson(report), tap });
    return null;
  } catch (error) {
    return `A FORMAT WAS NOT WRITTEN: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** @returns the exit code */
export async function closeCase(
  complete: Report,
  { evidence, history, formats, out, told }: ClosingOptions,
): Promise<number> {
  const lost = attempt(() => evidence.close()) ?? evidence.missing;
  let report = lost === null ? complete : unkept(complete, lost);
  // Before any file says PASS: what prints it may not be had any more.
  const first = await tapOf(report);
  if (typeof first !== 'string') report = unkept(report, first);
  let problems: readonly string[] = [];
  const write = (): void => {
    ({ report, problems } = writeOutputs(report, history));
  };
  const failed = attempt(write);
  if (failed !== null) {
    report = unkept(report, failed);
    // Once more, as the ERROR that it is now: there may have been no room for a moment only.
    const again = attempt(write);
    if (again !== null) told.tell({ event: 'warning', text: `the workdir holds no report: ${again.message}` });
  }
  const tap = await tapOf(report);
  let text = typeof tap === 'string' ? tap : bailOut(report.verdict.status === 'ERROR' ? report.verdict.cause : tap);
  const missing = lostFormat(report, formats, text);
  if (missing !== null) {
    problems = [...problems, missing];
    if (report.exitCode === 0) report = { ...report, exitCode: FORMAT_LOST };
    const gone = attempt(() => writeFiles(report));
    if (gone !== null) {
      report = unkept(report, gone);
      told.tell({ event: 'warning', text: `the workdir holds no report: ${gone.message}` });
      const anew = await tapOf(report);
      text = typeof anew === 'string' ? anew : bailOut(gone);
    }
  }
  told.leave();
  await printWhole(out, text);
  told.tell(runEnds(report, problems));
  return report.exitCode;
}
