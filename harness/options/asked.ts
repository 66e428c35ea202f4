/**
 * What was asked of a run, so that the same can be asked again elsewhere, and its evidence be judged again. Never a
 * secret. What came of it is in the rest of the report.
 */
import type { Budgets } from '../budgets.ts';
import type { Case, CaseFacts, Scenario } from '../model.ts';
import type { Prepared } from '../prepare/prepare.ts';
import type { Request } from './config.ts';

export interface Asked {
  /** By name, however it came (flag or variable), as it was written; secrets left out. */
  readonly options: Readonly<Record<string, string>>;
  /** Where the call was made: what relative paths among the options are relative to. */
  readonly folder: string;
  /** Null: none was named (the embedded lab, or options alone). */
  readonly labFile: string | null;
  /** Xen Orchestra's, without credentials; null: the embedded lab, or the run did not come so far. */
  readonly labUrl: string | null;
  /** Image that would be asked where the image is silent; null: none. */
  readonly controlPath: string | null;
  readonly readBack: 'auto' | 'always';
  /** Seconds for the whole case; null: as the budgets say. */
  readonly timeLimitS: number | null;
  /** Seconds, not scaled. */
  readonly budgets: Budgets;
  /** Names of the probes, in the scenario's order. */
  readonly probes: readonly string[];
  /** What the probes were judged with; null: the run did not come so far. */
  readonly facts: CaseFacts | null;
  /** What the harness ran on, e.g. `linux x64`. */
  readonly platform: string;
}

/** @param prepared null: the run did not come so far, as for `theCase` */
export function askedOf(
  request: Request,
  scenario: Scenario,
  prepared: Pick<Prepared, 'settings' | 'controlPath'> | null,
  theCase: Pick<Case, 'facts'> | null,
): Asked {
  const { lab, options, readBack, timeLimitS } = request;
  return {
    ...{ options, readBack, timeLimitS },
    folder: process.cwd(),
    labFile: lab.kind === 'file' ? lab.path : null,
    labUrl: lab.kind === 'embedded' ? null : (prepared?.settings.url ?? request.xoUrl),
    controlPath: prepared?.controlPath ?? null,
    budgets: scenario.budgets,
    probes: scenario.probes.map(({ name }) => name),
    facts: theCase?.facts ?? null,
    platform: `${process.platform} ${process.arch}`,
  };
}
