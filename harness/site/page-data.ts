/** What the first page's script needs of all runs, small: 5,000 of them are part of the page. Pure. */
import { type RunRow, STATUSES } from '../history/run-row.ts';
import { type CaseStanding, caseHistories } from './cases.ts';
import { LOOKS } from './changes.ts';
import { visible } from './html.ts';

/** Numbers the different texts in the order in which they come. */
class Words {
  readonly list: string[] = [];
  readonly #numbers = new Map<string, number>();
  number(word: string): number {
    const known = this.#numbers.get(word);
    if (known !== undefined) return known;
    this.#numbers.set(word, this.list.length);
    return this.list.push(word) - 1;
  }
}

const shownValue = (value: string | null, shown: (value: string) => string): string | null =>
  value === null ? null : visible(shown(value));

const round = (value: number): number => Math.round(value * 100) / 100;

/** The form is that of `Data` in `browser/shared.js`. */
export function pageData(rows: readonly RunRow[], standings: readonly CaseStanding[]): unknown {
  const histories = caseHistories(rows);
  const caseOf = new Map(histories.flatMap((history, number) => history.rows.map((row) => [row.id, number] as const)));
  const [codes, stages, facts] = [new Words(), new Words(), new Words()];
  const runs = rows.map((row) => [
    row.id,
    row.startedMs,
    caseOf.get(row.id) ?? 0,
    STATUSES.indexOf(row.status),
    codes.number(row.code ?? ''),
    round(row.seconds),
    row.bootS === null ? null : round(row.bootS),
    row.bakedPrefixes,
    Object.entries(row.stages).flatMap(([stage, seconds]) => [stages.number(stage), round(seconds)]),
    facts.number(JSON.stringify(LOOKS.map(([, value, shown]) => shownValue(value(row), shown)))),
  ]);
  return {
    cases: histories.map(({ scenario, image, lab }) => [scenario, image, lab].map(visible)),
    ...{ statuses: STATUSES, codes: codes.list.map(visible), stages: stages.list.map(visible), runs },
    looks: LOOKS.map(([what]) => what),
    facts: facts.list.map((list) => JSON.parse(list)),
    first: firstShown(histories, standings),
  };
}

/** A case that needs somebody, else the one with most runs. */
function firstShown(histories: ReturnType<typeof caseHistories>, standings: readonly CaseStanding[]): number {
  const red = standings.find(({ standing }) => standing === 'newly failing');
  const most = Math.max(0, ...histories.map(({ rows }) => rows.length));
  const number = histories.findIndex(({ rows }) =>
    red === undefined ? rows.length === most : rows[0]?.id === red.rows[0]?.id,
  );
  return Math.max(0, number);
}
