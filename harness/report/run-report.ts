/** Puts together what a report is made of, from what a run had when it ended. */

import { exitCode } from '../judge.ts';
import type { Lab } from '../lab.ts';
import type { Case, PlannedImage, Scenario, Verdict } from '../model.ts';
import { askedOf } from '../options/asked.ts';
import type { Request } from '../options/config.ts';
import { scenarioDigest } from '../options/scenario-digest.ts';
import { labOfReport } from '../options/which-lab.ts';
import type { Prepared } from '../prepare/prepare.ts';
import type { CaseResult } from '../run.ts';
import { version } from '../version.ts';
import { certificateCheck } from '../xcpng/settings.ts';
import { keptReport } from './command-lines.ts';
import type { Report } from './report.ts';

/** Null is what the run did not come to. */
export interface RunFacts {
  readonly scenario: Scenario;
  readonly request: Request;
  readonly prepared: Prepared | null;
  readonly lab: Lab | null;
  readonly theCase: Case | null;
  readonly image: PlannedImage | null;
  readonly verdict: Verdict;
  readonly result: CaseResult | null;
  readonly runId: string;
  readonly workdir: string;
  /** Of the embedded lab that was started for the run. */
  readonly embeddedLabFile: string | null;
  readonly startedAt: Date;
  readonly seconds: number;
  readonly repeat: string;
}

export function reportOf(run: RunFacts): Report {
  const { scenario, request, prepared, lab, theCase, image, verdict, result, runId, workdir } = run;
  return {
    scenario: scenario.name,
    scenarioSha256: scenarioDigest(theCase?.scenario ?? scenario),
    bootMode: scenario.bootMode,
    boots: theCase?.scenario.boots ?? scenario.boots,
    ...{ runId, caseId: theCase?.id ?? 'none', workdir },
    lab: labOfReport(request, prepared?.settings ?? null, lab),
    reference: request.imagePath === null && prepared?.settings.kind === 'embedded',
    tls: prepared === null ? 'plain' : certificateCheck(prepared.settings),
    asked: askedOf(request, scenario, prepared, theCase),
    ...{ image, lint: theCase?.lint ?? null, expectedClosure: theCase?.facts.expectedClosure ?? null },
    ...{ verdict, result, kept: keptOf(run) },
    exitCode: exitCode(verdict, result?.leaked ?? []),
    ...{ harnessVersion: version(), node: process.version },
    budgetScale: request.budgetScale ?? prepared?.budgetScale ?? 1,
    ...{ startedAt: run.startedAt.toISOString(), seconds: run.seconds, repeat: run.repeat },
  };
}

function keptOf({ result, prepared, request, runId, workdir, embeddedLabFile }: RunFacts): Report['kept'] {
  if (!result?.kept || prepared === null) return null;
  const { hostKey } = result;
  return keptReport(result.kept, { request, runId, workdir, ssh: prepared.ssh, hostKey, embeddedLabFile });
}
