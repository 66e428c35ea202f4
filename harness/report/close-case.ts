/**
 * The end of a case: its report goes to disk, to stdout and to the person. A verdict whose evidence or report is not on
 * disk whole is no verdict: it becomes an ERROR of this machine, told on both streams where no file can be written.
 */
import type { Writable } from 'node:stream';
import { EXIT } from '../../help/exits.ts';
import { Fault, faultRecord } from '../faults/faults.ts';
import { exitCode, judge } from '../judge.ts';
import type { FaultRecord } from '../model.ts';
import type { HistoryWish } from '../options/history-wish.ts';
import type { OutputFiles } from '../options/output-files.ts';
import type { Progress } from '../progress/progress.ts';
import { runEnds } from '../progress/run-ends.ts';
import { writeFiles } from '../reporters/files.ts';
import { writeFormats } from '../reporters/formats.ts';
import { printWhole } from '../reporters/stream.ts';
import { bailOut, tapText } from '../reporters/tap.ts';
import type { Evidence } from '../workdir/evidence.ts';
import { worthLooking } from '../workdir/worth-looking.ts';
import { writeOutputs } from './outputs.ts';
import { type Report, resultJson } from './report.ts';
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

/** What somebody waits for and was not written turns no verdict. @returns why; null: all of them were */
function lostFormat(report: Report, formats: OutputFiles, tap: string): string | null {
  const lost = writeFormats(formats, { summary: summaryOf(report), json: () => resultJson(report), tap });
  return lost.length === 0 ? null : `A FORMAT WAS NOT WRITTEN: ${lost.join('; ')}`;
}

/** The TAP, or one line that says why there is none. */
async function textOf(report: Report): Promise<string> {
  const tap = await tapOf(report);
  return typeof tap === 'string' ? tap : bailOut(report.verdict.status === 'ERROR' ? report.verdict.cause : tap);
}

/** Why not all of it was printed; null: it was. @throws what is not a fault of this machine */
async function unprinted(out: Writable, text: string): Promise<FaultRecord | null> {
  try {
    await printWhole(out, text);
    return null;
  } catch (error) {
    return attempt(() => {
      throw error;
    });
  }
}

/** Its files have another exit code now; where they cannot be had any more, a PASS is none. */
function writtenAnew(report: Report, told: Progress): Report {
  const gone = attempt(() => writeFiles(report));
  if (gone === null) return report;
  told.tell({ event: 'warning', text: `the workdir holds no report: ${gone.message}` });
  return unkept(report, gone);
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
  let text = await textOf(report);
  const missing = lostFormat(report, formats, text);
  if (missing !== null) {
    problems = [...problems, missing];
    report = writtenAnew(report.exitCode === 0 ? { ...report, exitCode: EXIT.lab } : report, told);
    text = await textOf(report);
  }
  told.leave();
  const silent = await unprinted(out, text);
  if (silent !== null) {
    problems = [...problems, silent.message];
    // Who reads TAP cannot have seen what failed, either.
    const says = report.exitCode === 0 || report.exitCode === 1;
    report = writtenAnew(says ? { ...report, exitCode: EXIT.lab } : report, told);
  }
  told.tell(runEnds(report, problems, worthLooking(report.workdir)));
  return report.exitCode;
}
