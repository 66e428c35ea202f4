/** Keeps the cases of a night in the history, by the same function as a single run: also those that never ran. */
import { randomUUID } from 'node:crypto';
import { keepRun } from '../history/keep-run.ts';
import type { PlannedImage } from '../model.ts';
import { scenarioDigest } from '../options/scenario-digest.ts';
import type { Report } from '../report/report.ts';
import { type CaseSummary, type KnownNote, standing } from '../report/summary.ts';
import { version } from '../version.ts';
import type { NightCase } from './cases.ts';

/** The image of a `result.json`: with the number of its blocks in place of their list. */
type StoredImage = Omit<PlannedImage, 'blocks'> & { readonly nonZeroBlocks: number };

/** What a run wrote as its `result.json`. */
export type StoredReport = Omit<Report, 'image'> & { readonly image: StoredImage | null };

/**
 * As the run itself had it, but for the list of blocks, of which only the number is known any more, and for the command
 * that runs it again: where the night kept it is not part of that.
 */
function reportOf(stored: StoredReport, { repeat }: CaseSummary): Report {
  const { image } = stored;
  const report = { ...stored, repeat: repeat ?? stored.repeat };
  if (image === null) return { ...report, image };
  const { nonZeroBlocks, ...rest } = image;
  return { ...report, image: { ...rest, blocks: new Array<number>(nonZeroBlocks).fill(0) } };
}

/** A case that ended before its phase could say anything. */
function reportWithout({ phase, image, lab, name }: NightCase, of: CaseSummary, dir: string): Report {
  const { scenario } = phase;
  return {
    ...{ scenario: scenario.name, scenarioSha256: scenarioDigest(scenario), bootMode: scenario.bootMode },
    ...{ boots: scenario.boots, runId: randomUUID(), caseId: name, workdir: dir },
    lab: { name: of.lab, kind: of.lab === 'embedded' ? 'embedded' : 'xo', xoVersion: null, reconnects: 0 },
    ...{ reference: image.file === null, tls: 'plain', image: null, lint: null },
    ...{ expectedClosure: image.expectClosure, verdict: of.verdict, result: null, exitCode: of.exitCode },
    ...{ harnessVersion: version(), node: process.version, budgetScale: 1 },
    ...{ startedAt: of.startedAt, seconds: of.seconds, repeat: of.repeat ?? '', kept: null },
    asked: {
      ...{
        options: image.file === null ? {} : { image: image.file },
        folder: process.cwd(),
        labFile: lab.lab === 'embedded' ? null : lab.lab,
        labUrl: null,
      },
      ...{ controlPath: image.control, readBack: 'auto', timeLimitS: null, budgets: scenario.budgets, facts: null },
      ...{ probes: scenario.probes.map((probe) => probe.name), platform: `${process.platform} ${process.arch}` },
    },
  };
}

export interface KeepOptions {
  readonly reportsDir: string;
  /** Id of the night. */
  readonly night: string;
  readonly theCase: NightCase;
  readonly summary: CaseSummary;
  /** Folder of the night. */
  readonly dir: string;
}

/** @param stored null: the phase left none. @throws Error of the operating system */
export function keepInHistory(stored: StoredReport | null, options: KeepOptions): void {
  const { reportsDir, night, theCase, summary, dir } = options;
  const report = stored === null ? reportWithout(theCase, summary, dir) : reportOf(stored, summary);
  keepRun(reportsDir, report, { night, known: knownOf(summary) });
}

/**
 * The history has one known failure for a run: the one that ends first, which somebody must look at next. A run that
 * failed by more than what is known is not known there, either: its mark would hide the rest.
 */
function knownOf(summary: CaseSummary): Omit<KnownNote, 'check'> | null {
  if (standing(summary) !== 'known') return null;
  const { known } = summary;
  const [first] = [...known].sort((a, b) => a.expires.localeCompare(b.expires));
  return first === undefined ? null : { reason: first.reason, link: first.link, expires: first.expires };
}
