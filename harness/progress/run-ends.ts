/** The end of a run as an event: all that people and programs are told of it. Pure. */

import type { FaultRecord, Verdict } from '../model.ts';
import { headline, keyFacts, type Report, warnings } from '../report/report.ts';
import type { Cause, RunEnds } from './event.ts';

export const causeOf = ({ code, party, message, remedy }: FaultRecord): Cause => ({ code, party, message, remedy });

/** Null: nothing went wrong. */
export const causeIn = (verdict: Verdict): Cause | null =>
  verdict.status === 'FAIL' || verdict.status === 'ERROR' ? causeOf(verdict.cause) : null;

/**
 * @param problems what went wrong with the outputs themselves
 * @param look what of the workdir tells more
 */
export function runEnds(report: Report, problems: readonly string[], look: readonly string[]): RunEnds {
  const { runId, scenario, verdict, exitCode, seconds, workdir, result, repeat, kept } = report;
  return {
    ...{ event: 'run-ends', runId, scenario, status: verdict.status, headline: headline(report) },
    ...{ cause: causeIn(verdict), exitCode, seconds, workdir, facts: Object.fromEntries(keyFacts(report)) },
    warnings: warnings(report),
    kept: kept && { vm: kept.vm, name: kept.name, until: kept.until, ...pathsOf(kept) },
    ...{ leaked: result?.leaked ?? [], problems, repeat, look },
  };
}

const pathsOf = ({ afterwards, commands }: NonNullable<Report['kept']>) => ({ afterwards, commands });
