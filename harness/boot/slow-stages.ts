/** Stages in words, and which of them took long. Pure. */
import type { StageRecord } from '../budgets.ts';

/** From this share of its budget on a stage is named. */
export const SLOW_SHARE = 0.8;

/** Those that used more than `SLOW_SHARE` of their budget. */
export function slowStages(records: readonly StageRecord[]): readonly StageRecord[] {
  return records.filter(({ usedShare }) => usedShare !== null && usedShare > SLOW_SHARE);
}

const whose = ({ guest, boot }: StageRecord): string =>
  [guest === 'control' ? ' of the control image' : '', boot > 1 ? ` of boot ${boot}` : ''].join('');

/** `services 52.0 of 25 s` */
export function briefStage(record: StageRecord): string {
  const of = record.budgetS === null ? '' : ` of ${record.budgetS}`;
  return `${record.stage}${whose(record)} ${record.seconds.toFixed(1)}${of} s`;
}

/** One clause: `services used 92 % of its 25 s`. */
export function slowStage(record: StageRecord): string {
  const percent = Math.round((record.usedShare ?? 0) * 100);
  return `${record.stage}${whose(record)} used ${percent} % of its ${record.budgetS} s`;
}
