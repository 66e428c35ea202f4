/** What the matrix prints: a line for each row, and the two figures that must be zero. Pure. */
import type { Expected, Eyes } from '../wire/rows.ts';

/** What a row came to. */
export interface Got {
  readonly result: string;
  readonly fault: string;
  readonly party: string;
}

export interface Entry {
  /** `class: name`. */
  readonly name: string;
  readonly eyes: Eyes;
  readonly expected: Pick<Expected, 'result' | 'fault' | 'party' | 'checks'>;
  /** Null: it was not played to an end. */
  readonly got: Got | null;
  /** Everything that is otherwise; empty: as expected. */
  readonly differences: readonly string[];
  readonly seconds: number;
}

export interface Tally {
  readonly rows: number;
  readonly falsePass: number;
  readonly wrongParty: number;
  /** Not as expected in any other way. */
  readonly otherwise: number;
}

/** Blames nobody: these are no wrong blame, whatever was expected. */
const NOBODY = ['none', 'nobody', 'undetermined'];

const isFalsePass = ({ expected, got }: Entry): boolean => got?.result === 'PASS' && expected.result !== 'PASS';
const isWrongParty = ({ expected, got }: Entry): boolean =>
  got !== null && !NOBODY.includes(got.party) && got.party !== expected.party;

export function tally(entries: readonly Entry[]): Tally {
  const falsePass = entries.filter(isFalsePass);
  const wrongParty = entries.filter(isWrongParty);
  const otherwise = entries.filter(
    (entry) => entry.differences.length > 0 && !falsePass.includes(entry) && !wrongParty.includes(entry),
  );
  return {
    rows: entries.length,
    falsePass: falsePass.length,
    wrongParty: wrongParty.length,
    otherwise: otherwise.length,
  };
}

const NAME_COLUMNS = 72;
const VERDICT_COLUMNS = 40;

const verdict = ({ result, fault, party }: Got): string =>
  result === 'PASS' ? 'PASS' : `${result} ${fault} (${party})`;

/** One row: what it is, what was expected, what it came to, and how long that took. */
export function lineOf(entry: Entry): string {
  const { name, eyes, expected, got, differences, seconds } = entry;
  const wanted = verdict(expected).padEnd(VERDICT_COLUMNS);
  const was = (got === null ? 'nothing' : verdict(got)).padEnd(VERDICT_COLUMNS);
  const head = `${`${name} [${eyes}]`.padEnd(NAME_COLUMNS)} ${wanted} ${was} ${seconds.toFixed(1).padStart(6)}`;
  const checks = expected.checks?.length ? `  ${expected.checks.join(' ')}` : '';
  return [`${head}${checks}`, ...differences.map((each) => `    DIFFERENT: ${each}`)].join('\n');
}

export const HEADING = `${'row'.padEnd(NAME_COLUMNS)} ${'expected'.padEnd(VERDICT_COLUMNS)} ${'got'.padEnd(
  VERDICT_COLUMNS,
)} ${'s'.padStart(6)}  checks that must not hold`;

/** The last lines. */
export function closing({ rows, falsePass, wrongParty, otherwise }: Tally, seconds: number): string {
  return [
    `${rows} rows in ${seconds.toFixed(0)} s; otherwise not as expected: ${otherwise}`,
    `false PASS: ${falsePass}`,
    `blamed on the wrong party: ${wrongParty}`,
  ].join('\n');
}

/** 0: all is as expected. No row at all is no success. */
export const exitOf = ({ rows, falsePass, wrongParty, otherwise }: Tally): number =>
  rows > 0 && falsePass + wrongParty + otherwise === 0 ? 0 : 1;
