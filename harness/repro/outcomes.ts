/** What runs came to, counted: the rate of each outcome, beside that of the run which is repeated. Pure. */
import type { Report } from '../report/report.ts';
import type { StoredReport } from '../stored/stored-report.ts';

/** One run of the series. */
export interface Repeated {
  readonly workdir: string;
  readonly runId: string;
  readonly outcome: string;
  readonly exitCode: number;
  readonly seconds: number;
  /** Uuid of the guest that was kept; null: none was. */
  readonly kept: string | null;
}

export interface Counted {
  readonly outcome: string;
  readonly count: number;
  /** 0 to 1. */
  readonly rate: number;
  /** Is it the one of then? */
  readonly asThen: boolean;
}

const NAMES_MAX = 4;

type Judged = Pick<StoredReport, 'status' | 'checks' | 'cause'>;

/** Status, fault and the checks that did not hold: what two runs must share to have ended the same way. */
export function outcomeOf({ status, checks, cause }: Judged): string {
  const names = [...new Set(checks.filter(({ outcome }) => outcome !== 'held').map(({ name }) => name))].sort();
  const shown = [...names.slice(0, NAMES_MAX), ...(names.length > NAMES_MAX ? [`${names.length} in all`] : [])];
  return [status, ...(cause === null ? [] : [cause.code]), ...(names.length > 0 ? [`(${shown.join(', ')})`] : [])].join(
    ' ',
  );
}

export function outcomeOfReport({ verdict }: Pick<Report, 'verdict'>): string {
  const { status, checks } = verdict;
  return outcomeOf({ status, checks, cause: 'cause' in verdict ? verdict.cause : null });
}

/** The most frequent first. */
export function counted(runs: readonly Repeated[], then: string): readonly Counted[] {
  const counts = new Map<string, number>();
  for (const { outcome } of runs) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  return [...counts]
    .map(([outcome, count]) => ({ outcome, count, rate: count / runs.length, asThen: outcome === then }))
    .sort((a, b) => b.count - a.count || a.outcome.localeCompare(b.outcome));
}

/**
 * Exit code over several cases (design §3): an interrupt before all, then 70 > 1 > 3 > 0. A run that was refused in the
 * middle (2) says nothing about its image, as a 3 does; 0 is earned by each.
 */
export function exitCodeOf(codes: readonly number[]): number {
  if (codes.length > 0 && codes.every((code) => code === 0)) return 0;
  const worst = [130, 70, 1].find((code) => codes.includes(code));
  if (worst !== undefined) return worst;
  return codes.some((code) => code === 2 || code === 3) ? 3 : 70;
}

export function tableLines(rows: readonly Counted[], then: string, runs: number): readonly string[] {
  const same = rows.find(({ asThen }) => asThen)?.count ?? 0;
  const width = Math.max(5, String(runs).length);
  return [
    `then: ${then}`,
    `${'count'.padStart(width)}   rate  outcome`,
    ...rows.map(({ count, rate, outcome, asThen }) => {
      const percent = `${Math.round(rate * 100)} %`.padStart(5);
      return `${String(count).padStart(width)}  ${percent}  ${outcome}${asThen ? '   (as then)' : ''}`;
    }),
    same === 0 ? `not reproduced in ${runs} run(s)` : `reproduced ${same} of ${runs} time(s)`,
  ];
}
