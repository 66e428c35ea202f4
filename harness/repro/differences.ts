/** What cannot be reproduced exactly, said before anything is made. Pure. */
import type { Scenario } from '../model.ts';
import { scenarioDigest } from '../options/scenario-digest.ts';
import type { StoredReport } from '../stored/stored-report.ts';

export interface Difference {
  readonly what: string;
  readonly was: string;
  readonly is: string;
}

/** The scenario with the budgets and boots of then, as far as they are known. */
export function scenarioOfThen(scenario: Scenario, { asked, boots }: StoredReport): Scenario {
  return {
    ...scenario,
    boots,
    budgets: asked === null ? scenario.budgets : inOrderOf(scenario.budgets, asked.budgets),
  };
}

/** The digest goes by the order of fields, too. */
function inOrderOf<T extends object>(like: T, values: T): T {
  const of = values as Readonly<Record<string, unknown>>;
  const pairs = Object.entries(like).map(([key, known]) => {
    const value = of[key];
    const nested = typeof known === 'object' && known !== null && typeof value === 'object' && value !== null;
    return [key, nested ? inOrderOf(known as object, value) : value];
  });
  return Object.fromEntries(pairs) as T;
}

/** @param scenario with the budgets of then */
export function differencesBefore(report: StoredReport, scenario: Scenario, version: string): readonly Difference[] {
  const digest = scenarioDigest(scenario);
  const all: readonly (Difference & { readonly differs: boolean })[] = [
    {
      ...{ what: 'harness version', was: report.harnessVersion, is: version },
      differs: report.harnessVersion !== version,
    },
    {
      ...{ what: 'what is asserted (scenario digest)', was: short(report.scenarioSha256), is: short(digest) },
      differs: report.scenarioSha256 !== digest,
    },
    {
      ...{ what: 'options', was: 'not told by that version', is: 'those of this call' },
      differs: report.asked === null,
    },
  ];
  return all.filter(({ differs }) => differs).map(({ what, was, is }) => ({ what, was, is }));
}

/** @param now version of the Xen Orchestra that was signed in to */
export function xoDifference({ lab }: StoredReport, now: string): Difference | null {
  if (lab.xoVersion === null || lab.xoVersion === now) return null;
  return { what: 'Xen Orchestra', was: lab.xoVersion, is: now };
}

const short = (digest: string): string => digest.slice(0, 12);

export const sentence = ({ what, was, is }: Difference): string => `${what}: ${was} then, ${is} now`;
