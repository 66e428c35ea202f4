/** How each case stands after the last night, from its runs alone. Pure; runs come with the oldest first. */
import type { RunRow } from '../history/run-row.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Nights of other machines or plans that ended that long before are of the same morning. */
const SAME_MORNING_MS = 18 * HOUR_MS;
/** Nothing of this harness ran before. */
const FIRST_MS = Date.parse('2026-01-01T00:00:00Z');
/** Clocks of two machines differ by less. */
const CLOCKS_MS = HOUR_MS;
/** A case that has not run for longer is history and not missing. */
const MISSED_MS = 14 * DAY_MS;
/** How many runs with the same inputs are looked at, and how often the outcome must have turned. */
const FLAKY_RUNS = 10;
const FLAKY_TURNS = 2;

export const STANDINGS = ['newly failing', 'still failing', 'fixed', 'passing', 'not run'] as const;
export type Standing = (typeof STANDINGS)[number];

/** The runs that the page is about. */
export interface LastNight {
  /** None: no run names one; then the 24 hours up to the newest run count. */
  readonly names: readonly string[];
  readonly rows: readonly RunRow[];
}

/** All runs of one scenario with one image on one lab. */
export interface CaseHistory {
  readonly scenario: string;
  readonly image: string;
  readonly lab: string;
  readonly rows: readonly RunRow[];
}

export interface CaseStanding extends CaseHistory {
  readonly standing: Standing;
  /** The run that it stands by. */
  readonly last: RunRow;
  /** The last PASS before that; null: there was none. */
  readonly lastPass: RunRow | null;
  /** Runs since then that were not PASS, `last` included; 0 where it passes. */
  readonly redRuns: number;
  /** Runs of this case in the last night. */
  readonly attempts: number;
  /** Of the last runs with the same image, scenario and harness; null: they agree. */
  readonly flaky: { readonly passed: number; readonly of: number } | null;
}

/** Says something: neither skipped nor stopped by a person. */
export const decided = ({ status, party }: RunRow): boolean => status !== 'SKIP' && party !== 'nobody';

/**
 * Tells runs of a wrong clock from the others. Taken for the newest ones they would hide every night to come, and one
 * from before there was this harness would make its case one that had never run.
 */
export function byClock(
  rows: readonly RunRow[],
  nowMs: number,
): { readonly real: readonly RunRow[]; readonly misdated: readonly RunRow[] } {
  const isReal = ({ startedMs }: RunRow): boolean => startedMs >= FIRST_MS && startedMs <= nowMs + CLOCKS_MS;
  return { real: rows.filter(isReal), misdated: rows.filter((row) => !isReal(row)) };
}

/** The newest night, and what belongs to the same morning: other machines, other plans, a part that was run again. */
export function lastNight(rows: readonly RunRow[]): LastNight {
  const byName = new Map<string, RunRow[]>();
  for (const row of rows) {
    const own = row.night === null ? undefined : byName.get(row.night);
    if (own !== undefined) own.push(row);
    else if (row.night !== null) byName.set(row.night, [row]);
  }
  const newest = (own: readonly RunRow[]): number => own.at(-1)?.startedMs ?? 0;
  const nights = [...byName].sort(([, a], [, b]) => newest(b) - newest(a));
  if (nights[0] === undefined) {
    const fromMs = newest(rows) - DAY_MS;
    return { names: [], rows: rows.filter(({ startedMs }) => startedMs >= fromMs) };
  }
  const fromMs = newest(nights[0][1]) - SAME_MORNING_MS;
  const joined: ReadonlySet<string>[] = [];
  const names = nights.flatMap(([name, own]) => {
    const cases = new Set(own.map(keyOf));
    if (newest(own) < fromMs || !joined.every((later) => isBeside(cases, later))) return [];
    joined.push(cases);
    return name;
  });
  const all = new Set<string | null>(names);
  return { names: names.sort(), rows: rows.filter(({ night }) => all.has(night)) };
}

/** Another machine's or plan's night, or the one that the later one is a part of, run again; not the same once more. */
function isBeside(cases: ReadonlySet<string>, later: ReadonlySet<string>): boolean {
  const shared = [...later].filter((key) => cases.has(key)).length;
  return shared === 0 || (shared === later.size && later.size < cases.size);
}

const keyOf = ({ scenario, image, lab }: RunRow): string => JSON.stringify([scenario, image, lab]);

export function caseHistories(rows: readonly RunRow[]): readonly CaseHistory[] {
  const byKey = new Map<string, { scenario: string; image: string; lab: string; rows: RunRow[] }>();
  for (const row of rows) {
    const { scenario, image, lab } = row;
    const key = keyOf(row);
    const known = byKey.get(key);
    if (known === undefined) byKey.set(key, { scenario, image, lab, rows: [row] });
    else known.rows.push(row);
  }
  return [...byKey.values()].sort((a, b) => order(a).localeCompare(order(b), 'en', { numeric: true }));
}

const order = ({ scenario, lab, image }: CaseHistory): string => `${scenario}\n${lab}\n${image}`;

export const standingBy = (cases: readonly CaseStanding[], standing: Standing): readonly CaseStanding[] =>
  cases.filter((each) => each.standing === standing);

/** Flaky is beside the standing: a case may be red and flaky. */
export const flakyOf = (cases: readonly CaseStanding[]): readonly CaseStanding[] =>
  cases.filter(({ flaky }) => flaky !== null);

/** Those of the last night that did not pass. */
export const redOf = (cases: readonly CaseStanding[]): readonly CaseStanding[] =>
  cases.filter(({ standing }) => standing === 'newly failing' || standing === 'still failing');

/** @returns none of a case that has not been decided yet, or not for long */
export function standings(rows: readonly RunRow[], night: LastNight): readonly CaseStanding[] {
  const newestMs = rows.at(-1)?.startedMs ?? 0;
  const tonight = new Set(night.rows.map(({ id }) => id));
  return caseHistories(rows).flatMap((history) => {
    const own = history.rows.filter(decided);
    const inNight = own.filter(({ id }) => tonight.has(id));
    const last = inNight.at(-1) ?? own.at(-1);
    if (last === undefined) return [];
    if (inNight.length === 0 && newestMs - last.startedMs > MISSED_MS) return [];
    const first = inNight[0];
    const before = first === undefined ? [] : own.filter((row) => row.startedMs < first.startedMs);
    const upTo = own.slice(0, own.indexOf(last));
    const lastPass = upTo.findLast(({ status }) => status === 'PASS') ?? null;
    const since = lastPass === null ? upTo : upTo.slice(upTo.indexOf(lastPass) + 1);
    return {
      ...history,
      standing: first === undefined ? 'not run' : standing(last, before.at(-1) ?? null),
      ...{ last, lastPass, attempts: inNight.length, flaky: flaky(own.slice(0, own.indexOf(last) + 1)) },
      redRuns: last.status === 'PASS' ? 0 : since.length + 1,
    };
  });
}

function standing(last: RunRow, before: RunRow | null): Standing {
  if (last.status === 'PASS') return before === null || before.status === 'PASS' ? 'passing' : 'fixed';
  return before === null || before.status === 'PASS' ? 'newly failing' : 'still failing';
}

/** The same was asked of the same thing, and the answers differ. */
function flaky(own: readonly RunRow[]): CaseStanding['flaky'] {
  const last = own.at(-1);
  if (last === undefined || last.imageSha256 === null) return null;
  const alike = own.filter(
    ({ imageSha256, scenarioSha256, harness }) =>
      imageSha256 === last.imageSha256 && scenarioSha256 === last.scenarioSha256 && harness === last.harness,
  );
  const recent = alike.slice(-FLAKY_RUNS).map(({ status }) => status === 'PASS');
  const turns = recent.filter((passed, index) => index > 0 && passed !== recent[index - 1]).length;
  return turns < FLAKY_TURNS ? null : { passed: recent.filter(Boolean).length, of: recent.length };
}
