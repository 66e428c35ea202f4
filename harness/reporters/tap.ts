/** The report as TAP version 14, one point per check. The only importer of tap in the harness. */
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { exhausted, type Fault } from '../faults/faults.ts';
import type { FaultRecord, JudgedCheck } from '../model.ts';
import { headline, keyFacts, type Report, warnings } from '../report/report.ts';
import { type CaseSummary, knownText, pointsOf, type Summary, standing } from '../report/summary.ts';
import { scrub } from '../workdir/secrets.ts';

/** One point per check; a FAIL without a failed check has a point for its fault; ERROR is `Bail out!`. */
export async function tapText(report: Report): Promise<string> {
  const { verdict } = report;
  const test = await open(report.scenario);
  for (const check of verdict.checks) point(test, check);
  const anyFailed = verdict.checks.some((check) => check.outcome !== 'held');
  if (verdict.status === 'FAIL' && !anyFailed) {
    test.lib.fail(
      `boot: ${verdict.cause.code}`,
      extra({ reason: verdict.cause.message, remedy: verdict.cause.remedy }),
    );
  }
  const facts = keyFacts(report).map(([key, value]) => `${key}=${value}`);
  const closing = [headline(report), `workdir: ${report.workdir}`, ...warnings(report), ...facts];
  for (const line of closing) test.lib.comment(oneLine(line));
  if (verdict.status === 'ERROR') return test.bail(reasonOf(verdict.cause));
  return test.end();
}

/** Where nothing ran at all, or the library cannot be had any more. Needs nothing but this text. */
export function bailOut(cause: FaultRecord): string {
  return `TAP version 14\n${bailOutLine(reasonOf(cause))}`;
}

const bailOutLine = (reason: string): string => `Bail out! ${oneLine(reason)}\n`;

/** Why the library cannot be loaded; the module loader itself says of a machine that ran dry: no such package. */
function dry(): Fault | null {
  try {
    closeSync(openSync(fileURLToPath(import.meta.url), 'r'));
    return null;
  } catch (error) {
    return exhausted(error, 'the library that writes TAP');
  }
}

/** A night: one point per case. What is known to fail is a point that is still to do; a remark that fails one more. */
export async function tapNight(summary: Summary): Promise<string> {
  const test = await open(summary.title);
  for (const each of summary.cases) casePoint(test, each);
  for (const { level, text } of summary.remarks) {
    if (level === 'warning') test.lib.comment(oneLine(text));
    else test.lib.fail(oneLine(text), extra({}));
  }
  return test.end();
}

function casePoint(test: Open, of: CaseSummary): void {
  const state = standing(of);
  const bad = pointsOf(of).filter((point) => point.state !== 'held');
  const details = extra({
    ...{ status: of.verdict.status, run_id: of.runId ?? 'none', workdir: of.workdir ?? 'none' },
    ...Object.fromEntries(bad.map(({ name, type, message }) => [name, `${type}: ${message}`])),
  });
  const name = oneLine(of.name);
  if (state === 'pass') test.lib.pass(name, details);
  else if (state === 'skip') test.lib.pass(name, { ...details, skip: oneLine(bad[0]?.message ?? 'skipped') });
  else if (state === 'known') test.lib.fail(name, { ...details, todo: oneLine(of.known.map(knownText).join('; ')) });
  else test.lib.fail(name, details);
}

interface Open {
  readonly lib: Pick<Test, 'pass' | 'fail' | 'comment'>;
  end(): string;
  /** TAP 14's `Bail out!` ends the stream: nothing may follow. */
  bail(reason: string): string;
}

/**
 * Loaded late: from the moment of its import the library counts 30 seconds for the whole process and
 * then ends it, and it takes a third of a second that the start of a run can use better.
 */
async function open(name: string): Promise<Open> {
  const { Test } = await import('tap').catch((error: unknown) => {
    throw dry() ?? error;
  });
  const lib = new Test({ name });
  let text = '';
  lib.on('data', (chunk: string | Buffer) => {
    text += String(chunk);
  });
  const done = (): string => scrub(text.startsWith('TAP version') ? text : `TAP version 14\n${text}`);
  return {
    lib,
    end: () => {
      lib.end();
      return done();
    },
    bail: (reason) => {
      // The library's own bail-out ends the process of whoever reads it; the line alone is the format.
      text += bailOutLine(reason);
      return done();
    },
  };
}

function point(test: Open, check: JudgedCheck): void {
  const { name, expected, actual, outcome, reason, evidence } = check;
  const details = extra({ outcome, expected, actual, evidence, ...(reason === '' ? {} : { reason }) });
  if (outcome === 'held') test.lib.pass(oneLine(name), { ...details, diagnostic: true });
  else test.lib.fail(oneLine(name), details);
}

/**
 * Without the library's stack and source lines: they would show our code, not the guest. Without secrets before the
 * library folds long lines: half of one is not recognised.
 */
function extra(fields: Readonly<Record<string, string>>): Record<string, unknown> {
  const clean = Object.entries(fields).map(([name, text]) => [scrub(name), scrub(text)] as const);
  return { ...Object.fromEntries(clean), at: null, stack: '' };
}

function reasonOf(cause: FaultRecord): string {
  return `${cause.code} (${cause.party}): ${cause.message}`;
}

function oneLine(text: string): string {
  return scrub(text).replace(/\s+/g, ' ').trim();
}
