/** What differs between two stored runs. Pure; a reader decides what explains what. */

import { consoleLines } from '../console/console-text.ts';
import type { FaultRecord, Status } from '../model.ts';
import type { StoredRun } from '../stored/stored-run.ts';
import { diffLines, type LineDiff } from './line-diff.ts';
import { SECTIONS, type SectionName, sideOf } from './sides.ts';
import type { Values } from './told-facts.ts';
import { consoleKey, isVolatile, withoutUsual } from './usual.ts';

/** Of what `--json` prints. */
export const COMPARISON_SCHEMA = 1;

export interface Compared {
  readonly path: string;
  readonly scenario: string;
  readonly runId: string;
  readonly status: Status;
  readonly cause: FaultRecord | null;
  readonly startedAt: string;
  readonly seconds: number;
  /** What must be known of it: older, cut, incomplete. */
  readonly notes: readonly string[];
}

export interface Difference {
  readonly name: string;
  /** Null: this run does not say. */
  readonly a: string | null;
  readonly b: string | null;
  /** True for what differs between any two runs: ids, addresses, times of day, small differences of time. */
  readonly usual: boolean;
}

export interface Section {
  readonly name: SectionName;
  /** How many values are the same. */
  readonly alike: number;
  readonly differences: readonly Difference[];
}

export interface ConsoleComparison extends LineDiff {
  /** Below `console/`. */
  readonly file: string;
  /** Lines of each; null: this run has no such file. */
  readonly linesA: number | null;
  readonly linesB: number | null;
  /** The last line before they part; null: they part at once. */
  readonly parting: string | null;
}

export interface Comparison {
  readonly schema: number;
  readonly a: Compared;
  readonly b: Compared;
  readonly sections: readonly Section[];
  readonly console: readonly ConsoleComparison[];
}

export function compareRuns(a: StoredRun, b: StoredRun): Comparison {
  const [left, right] = [sideOf(a), sideOf(b)];
  return {
    schema: COMPARISON_SCHEMA,
    ...{ a: compared(a), b: compared(b) },
    sections: SECTIONS.map((name) => section(name, left[name], right[name], silentOf(a, b))),
    console: [...new Set([...a.console.keys(), ...b.console.keys()])].sort().map((file) => consoles(file, a, b)),
  };
}

function compared({ path, report, notes }: StoredRun): Compared {
  const { scenario, runId, status, cause, startedAt, seconds } = report;
  return { path, scenario, runId, status, cause, startedAt, seconds, notes };
}

/** Sections of which one of the runs, an older one, says little or nothing: that is a note, and no difference. */
function silentOf(a: StoredRun, b: StoredRun): readonly SectionName[] {
  const older = [a, b].some(({ report }) => report.asked === null);
  const poor = [a, b].some(({ report }) => report.schema === 0);
  const timeless = [a, b].some(({ report }) => (report.result?.timeline ?? []).length === 0);
  return [
    ...(older ? (['asked', 'versions', 'lab'] as const) : []),
    ...(poor ? (['image'] as const) : []),
    ...(timeless ? (['timeline'] as const) : []),
  ];
}

function section(name: SectionName, a: Values, b: Values, silent: readonly SectionName[]): Section {
  const names = [...new Set([...a.keys(), ...b.keys()])];
  const unlike = names.filter((each) => a.get(each) !== b.get(each));
  const differences = unlike.map((each): Difference => {
    const [left, right] = [a.get(each) ?? null, b.get(each) ?? null];
    const unsaid = (left === null || right === null) && silent.includes(name);
    return { name: each, a: left, b: right, usual: unsaid || isUsual(name, each, left, right) };
  });
  return { name, alike: names.length - unlike.length, differences };
}

/** Where the machine, not the run, decides: what is below says nothing. */
const SLOWER_S = 2;
const SLOWER_SHARE = 1.5;
const OF_A_RUN = ['address', 'vm', 'operator_home_listing', '--workdir-root', '--label'];

function isUsual(section: SectionName, name: string, a: string | null, b: string | null): boolean {
  if (a === null || b === null) return false;
  if (section === 'timeline') {
    const [shorter = 0, longer = 0] = [Number.parseFloat(a), Number.parseFloat(b)].sort((x, y) => x - y);
    return longer - shorter < SLOWER_S || longer < shorter * SLOWER_SHARE;
  }
  // Another number is no other guest; of what was counted it is a finding.
  if (section === 'checks') return name === 'shepherd_pid' && [a, b].every((each) => /^held: \d+$/.test(each));
  if (section === 'facts') return isVolatile(name) || withoutUsual(a) === withoutUsual(b);
  if (OF_A_RUN.includes(name)) return true;
  if (section === 'verdict') return /^hostKey /.test(name) || withoutUsual(a) === withoutUsual(b);
  return section === 'lab' && withoutUsual(a) === withoutUsual(b);
}

function consoles(file: string, a: StoredRun, b: StoredRun): ConsoleComparison {
  const [textA, textB] = [a.console.get(file), b.console.get(file)];
  const [left, right] = [consoleLines(textA ?? ''), consoleLines(textB ?? '')];
  const diff = diffLines(left, right, consoleKey);
  return {
    ...{ file, ...diff },
    ...{ linesA: textA === undefined ? null : left.length, linesB: textB === undefined ? null : right.length },
    parting: diff.head === 0 ? null : (left[diff.head - 1] ?? null),
  };
}
