/** What is different between two runs of a case, as far as it was recorded. Pure. */
import type { RunRow } from '../history/run-row.ts';
import { shortDigest, shortPath } from './format.ts';

export interface Change {
  readonly what: string;
  readonly from: string;
  readonly to: string;
}

/** What is compared, and how it is shown. */
export type Look = readonly [what: string, value: (row: RunRow) => string | null, shown: (value: string) => string];

const asIs = (value: string): string => value;
export const LOOKS: readonly Look[] = [
  ['image', (row) => row.imageSha256, shortDigest],
  ['closure', (row) => row.closure, shortPath],
  ['scenario', (row) => row.scenarioSha256, shortDigest],
  ['harness', (row) => row.harness, asIs],
  ['Xen Orchestra', (row) => row.xo, asIs],
  ['host', (row) => row.host, asIs],
  ['firmware', (row) => row.firmware, asIs],
  ['boots', (row) => String(row.boots), asIs],
  ['budget scale', (row) => String(row.budgetScale), asIs],
];

export interface Comparison {
  readonly changed: readonly Change[];
  readonly same: readonly string[];
  /** Known of one of the two runs only, mostly since the other ended before it was seen. */
  readonly unknown: readonly string[];
}

export function compare(before: RunRow, after: RunRow): Comparison {
  const changed: Change[] = [];
  const [same, unknown]: [string[], string[]] = [[], []];
  for (const [what, value, shown] of LOOKS) {
    const [from, to] = [value(before), value(after)];
    if (from === to) {
      if (from !== null) same.push(what);
    } else if (from === null || to === null) unknown.push(what);
    else changed.push({ what, from: shown(from), to: shown(to) });
  }
  return { changed, same, unknown };
}
