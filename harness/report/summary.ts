/**
 * One or many cases as CI formats show them: a single phase is a summary of one case, a night one of all of them.
 * Pure.
 */
import { basename } from 'node:path';
import { EXIT } from '../../help/exits.ts';
import type { FaultRecord, JudgedCheck, Verdict } from '../model.ts';
import { headline, type Report } from './report.ts';

/** A failure that is known and has somebody who works on it. */
export interface KnownNote {
  /** Name of a check, or code of a fault that is the image's. */
  readonly check: string;
  readonly reason: string;
  readonly link: string;
  /** `2026-12-31`: the last day on which it counts as known. */
  readonly expires: string;
}

/** An attempt that ended by a fault of the lab, and was followed by another one. */
export interface Attempt {
  readonly cause: FaultRecord;
  readonly seconds: number;
  readonly workdir: string | null;
  /** What it left in the lab. */
  readonly leaked: readonly string[];
}

/** One case as it ended. */
export interface CaseSummary {
  /** Unique in the summary, e.g. `phase9/fruix-main/pool1`. */
  readonly name: string;
  readonly scenario: string;
  /** Name of the image, for people. */
  readonly image: string;
  readonly imageSha256: string | null;
  readonly lab: string;
  /** Null: it never ran. */
  readonly runId: string | null;
  readonly verdict: Verdict;
  readonly exitCode: number;
  /** What stayed in the lab; of an earlier attempt marked so: `VM 12 name (after attempt 1)`. */
  readonly leaked: readonly string[];
  /** ISO 8601. */
  readonly startedAt: string;
  readonly seconds: number;
  readonly workdir: string | null;
  /** Command that runs the same case again. */
  readonly repeat: string | null;
  /** In their order; empty: the first one counts. */
  readonly retried: readonly Attempt[];
  /** Those that cover a failure of this case. */
  readonly known: readonly KnownNote[];
}

/** Something of the night that is no case's. */
export interface Remark {
  /** `failure` ends a night with 1, `lost` (an output that could not be written) with 3, `warning` changes nothing. */
  readonly level: 'failure' | 'lost' | 'warning';
  /** One sentence. */
  readonly text: string;
}

export interface Summary {
  readonly title: string;
  readonly startedAt: string;
  readonly seconds: number;
  readonly exitCode: number;
  readonly cases: readonly CaseSummary[];
  readonly remarks: readonly Remark[];
}

/** How a case counts. `known`: a FAIL, all of which is known. `leak`: no other trouble, but something was left. */
export type Standing = 'pass' | 'known' | 'fail' | 'error' | 'leak' | 'skip';

/** What is known hides nothing else: no other failure, nothing that could not be observed, nothing that stayed. */
export function standing({ verdict, known, leaked }: CaseSummary): Standing {
  switch (verdict.status) {
    case 'PASS':
      return leaked.length > 0 ? 'leak' : 'pass';
    case 'FAIL':
      if (!coversAll(verdict, known)) return 'fail';
      if (verdict.checks.some(({ outcome }) => outcome === 'unobserved')) return 'error';
      return leaked.length > 0 ? 'leak' : 'known';
    case 'ERROR':
      return 'error';
    default:
      return leaked.length > 0 ? 'leak' : 'skip';
  }
}

/** Exit code that a case gives its night. A FAIL that is known leaves what stands beside it, which blames no image. */
export function nightCodeOf(each: CaseSummary): number {
  const stands = standing(each);
  // Known is the failure; what else went wrong with that run is not.
  if (stands === 'known') return each.exitCode === EXIT.failed ? EXIT.fine : each.exitCode;
  return stands === 'leak' || (stands === 'error' && each.verdict.status === 'FAIL') ? EXIT.lab : each.exitCode;
}

/** What of a FAIL wants an explanation: its failed checks; and its cause, where that is more than those. */
export function failuresOf(verdict: Verdict): readonly string[] {
  if (verdict.status !== 'FAIL') return [];
  const failed = verdict.checks.filter(({ outcome }) => outcome === 'failed').map(({ name }) => name);
  return verdict.cause.code === 'CHECKS_FAILED' ? failed : [...failed, verdict.cause.code];
}

function coversAll(verdict: Verdict, known: readonly KnownNote[]): boolean {
  const failures = failuresOf(verdict);
  return failures.length > 0 && failures.every((each) => known.some(({ check }) => check === each));
}

export const knownNote = ({ known }: CaseSummary, check: string): KnownNote | undefined =>
  known.find((note) => note.check === check);

/** `known until 2026-12-31: reason (link)` */
export const knownText = ({ reason, link, expires }: KnownNote): string =>
  `known until ${expires}: ${reason} (${link})`;

/** One point of a case in formats that know tests. */
export interface Point {
  readonly name: string;
  readonly state: 'held' | 'failed' | 'error' | 'known' | 'skipped';
  /** `ready_marker: expected ready, given missing`; empty where it held. */
  readonly message: string;
  /** Code or kind of what went wrong; empty where it held. */
  readonly type: string;
  /** More, for whoever looks closer. */
  readonly text: string;
}

function checkPoint(of: CaseSummary, check: JudgedCheck): Point {
  const { name, outcome, expected, actual, reason, evidence } = check;
  if (outcome === 'held') return { name, state: 'held', message: '', type: '', text: '' };
  const note = outcome === 'failed' ? knownNote(of, name) : undefined;
  const seen = `expected ${expected}, given ${actual}`;
  return {
    name,
    state: note ? 'known' : outcome === 'failed' ? 'failed' : 'error',
    message: note ? `${knownText(note)}; ${seen}` : seen,
    type: outcome === 'failed' ? 'CHECKS_FAILED' : 'PROBE_UNOBSERVED',
    text: `${reason}\nexpected: ${expected}\nactual: ${actual}\nevidence: ${evidence}`,
  };
}

const causeText = ({ workdir, repeat }: CaseSummary, { party, remedy, causes }: FaultRecord): string =>
  [
    `fault: ${party}`,
    `remedy: ${remedy}`,
    ...causes.map((cause) => `cause: ${cause}`),
    ...(workdir === null ? [] : [`workdir: ${workdir}`]),
    ...(repeat === null ? [] : [`again: ${repeat}`]),
  ].join('\n');

/**
 * The points of a case: its checks, one for a cause that is more than failed checks, one for what stayed in the lab.
 * A case has one at least.
 */
export function pointsOf(of: CaseSummary): readonly Point[] {
  const { verdict, leaked } = of;
  const points = verdict.checks.map((check) => checkPoint(of, check));
  if (verdict.status === 'ERROR') {
    const { code, message } = verdict.cause;
    points.push({ name: 'verdict', state: 'error', message, type: code, text: causeText(of, verdict.cause) });
  }
  if (verdict.status === 'FAIL' && failuresOf(verdict).includes(verdict.cause.code)) {
    const { code, message } = verdict.cause;
    const note = knownNote(of, code);
    const text = causeText(of, verdict.cause);
    const shown = note ? `${knownText(note)}; ${message}` : message;
    points.push({ name: 'boot', state: note ? 'known' : 'failed', message: shown, type: code, text });
  }
  if (verdict.status === 'SKIP') {
    points.push({ name: 'verdict', state: 'skipped', message: verdict.reason, type: 'SKIP', text: '' });
  }
  if (leaked.length > 0) {
    const message = `${leaked.length} left in the lab`;
    points.push({ name: 'clean_up', state: 'error', message, type: 'LEFT_IN_THE_LAB', text: leaked.join('\n') });
  }
  return points;
}

/** The name of an image file, for people. @param path null: the lab's own */
export const imageName = (path: string | null): string => (path === null ? 'reference' : basename(path));

/** A single phase, as a summary of one case. */
export function summaryOf(report: Report): Summary {
  const { startedAt, seconds, exitCode } = report;
  return { title: headline(report), startedAt, seconds, exitCode, cases: [caseOf(report)], remarks: [] };
}

function caseOf(report: Report): CaseSummary {
  const { scenario, lab, verdict, result } = report;
  const image = imageName(report.reference ? null : (report.image?.path ?? 'none'));
  return {
    ...{ name: `${scenario}/${image}/${lab.name}`, scenario, image, lab: lab.name, verdict },
    imageSha256: report.image?.sha256 ?? null,
    ...{ runId: report.runId, exitCode: report.exitCode, leaked: result?.leaked ?? [] },
    ...{ startedAt: report.startedAt, seconds: report.seconds, workdir: report.workdir, repeat: report.repeat },
    ...{ retried: [], known: [] },
  };
}
