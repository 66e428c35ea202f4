/** What of a run is compared with other runs: one row of the index. Pure over a record that was read. */
import { at, type Fields, fieldsOf, listAt, numberAt, textAt } from './fields.ts';
import { FRAME_NAME, type KnownFailure } from './run-record.ts';

export const STATUSES = ['PASS', 'FAIL', 'ERROR', 'SKIP'] as const;
export type RunStatus = (typeof STATUSES)[number];

export interface RunRow {
  readonly id: string;
  /** When it began; milliseconds since the epoch. */
  readonly startedMs: number;
  readonly scenario: string;
  readonly bootMode: string;
  readonly lab: string;
  readonly labKind: string;
  readonly status: RunStatus;
  /** Fault, and whose it is; null: none. */
  readonly code: string | null;
  readonly party: string | null;
  readonly message: string;
  /** What the person who must act can do; empty: nothing is known. */
  readonly remedy: string;
  /** Names of checks. */
  readonly failed: readonly string[];
  readonly unobserved: readonly string[];
  /** What the image is called: the same from night to night. */
  readonly image: string;
  readonly imageSha256: string | null;
  /** What the guest runs, or was to run where it did not tell; null: neither is known. */
  readonly closure: string | null;
  readonly scenarioSha256: string | null;
  readonly harness: string;
  readonly xo: string | null;
  readonly host: string | null;
  readonly firmware: string | null;
  readonly boots: number;
  readonly budgetScale: number;
  readonly reference: boolean;
  readonly seconds: number;
  readonly exitCode: number | null;
  /** From power-on to the first authenticated session of the first boot; null: it did not come so far. */
  readonly bootS: number | null;
  /** Seconds by stage, of the image and of the case, all its boots together. */
  readonly stages: Readonly<Record<string, number>>;
  /** Historical prefixes that are still in files of the store; null: not counted to the end. */
  readonly bakedPrefixes: number | null;
  readonly leaked: number;
  readonly night: string | null;
  readonly known: KnownFailure | null;
  readonly workdir: string;
  readonly repeat: string;
  /** The last picture of the console of the image, not of its control; null: there is none. */
  readonly lastFrame: string | null;
}

const BOOT_STAGES = new Set(['firmware', 'kernel', 'services', 'ssh']);
const STAGES_MAX = 40;
const OF_CONTROL = /^\d+-control-/;

/** @returns why it is none, where it is none */
export function runRow(record: Fields): RunRow | { readonly why: string } {
  const [id, scenario, startedAt] = [textAt(record, 'runId'), textAt(record, 'scenario'), textAt(record, 'startedAt')];
  const status = STATUSES.find((each) => each === textAt(record, 'status'));
  const startedMs = Date.parse(startedAt ?? '');
  const seconds = numberAt(record, 'seconds');
  if (id === null) return { why: 'no run: it has no run id' };
  if (scenario === null || status === undefined) return { why: 'no run: it has no scenario or no status' };
  if (Number.isNaN(startedMs) || seconds === null) return { why: 'no run: it does not say when it was' };
  const result = at(record, 'result');
  const checks = listAt(record, 'verdict', 'checks');
  return {
    ...{ id, startedMs, scenario, status, seconds },
    ...{ bootMode: textAt(record, 'bootMode') ?? 'unknown', exitCode: numberAt(record, 'exitCode') },
    ...{ lab: textAt(record, 'lab', 'name') ?? 'unknown', labKind: textAt(record, 'lab', 'kind') ?? 'unknown' },
    code: textAt(record, 'verdict', 'cause', 'code'),
    party: textAt(record, 'verdict', 'cause', 'party'),
    message: textAt(record, 'verdict', 'cause', 'message') ?? '',
    remedy: textAt(record, 'verdict', 'cause', 'remedy') ?? '',
    ...{ failed: namesOf(checks, 'failed'), unobserved: namesOf(checks, 'unobserved') },
    ...whatRan(record, checks),
    host: textAt(result, 'placed', 'host', 'name'),
    firmware: textAt(result, 'placed', 'firmware'),
    boots: numberAt(record, 'boots') ?? 1,
    budgetScale: numberAt(record, 'budgetScale') ?? 1,
    ...times(listAt(result, 'timeline')),
    bakedPrefixes: count(actualOf(checks, 'baked_prefix_strings')),
    leaked: listAt(result, 'leaked').length,
    ...ofNight(at(record, 'history')),
    workdir: textAt(record, 'workdir') ?? '',
    repeat: textAt(record, 'repeat') ?? '',
  };
}

const namesOf = (checks: readonly unknown[], outcome: string): readonly string[] =>
  checks.filter((check) => textAt(check, 'outcome') === outcome).map((check) => textAt(check, 'name') ?? 'unnamed');

const actualOf = (checks: readonly unknown[], name: string): string | null => {
  const found = checks.find((check) => textAt(check, 'name') === name && textAt(check, 'outcome') !== 'unobserved');
  return textAt(found, 'actual');
};

/** `12`; `at least 12` is no count: in a plot it would look like progress. */
const count = (text: string | null): number | null => (/^\d+$/.test(text ?? '') ? Number(text) : null);

type WhatRan = Pick<RunRow, 'image' | 'imageSha256' | 'closure' | 'scenarioSha256' | 'harness' | 'xo' | 'reference'>;

function whatRan(record: Fields, checks: readonly unknown[]): WhatRan {
  const reference = at(record, 'reference') === true;
  const closure = actualOf(checks, 'run_current_system_target');
  return {
    reference,
    // A case that ended before its image was looked at is a run of it all the same.
    image: reference
      ? 'reference guest'
      : imageName(textAt(record, 'image', 'path') ?? textAt(record, 'asked', 'options', 'image')),
    imageSha256: textAt(record, 'image', 'sha256'),
    closure: closure?.startsWith('/') ? closure : textAt(record, 'expectedClosure'),
    scenarioSha256: textAt(record, 'scenarioSha256'),
    harness: textAt(record, 'harnessVersion') ?? 'unknown',
    xo: textAt(record, 'lab', 'xoVersion'),
  };
}

const DATE = String.raw`\d{4}([-_.]?)\d\d\1\d\d(?:[T_-]\d\d[-:.]?\d\d(?:[-:.]?\d\d)?Z?)?`;
const DIGEST = '(?=[0-9a-f]*\\d)[0-9a-f]{7,64}';
const OF_THE_NIGHT = new RegExp(`(?<![0-9A-Za-z])(?:${DATE}|\\d{6,}|${DIGEST})(?![0-9A-Za-z])`, 'g');

/**
 * The file's name without what differs from night to night: `fruix-20261126.raw`, `fruix-2026-11-26T053000Z.raw` and
 * `fruix-1a2b3c4d.raw` are one.
 */
export function imageName(path: string | null): string {
  const name = path?.split(/[\\/]/).at(-1) ?? 'no image';
  return name.replace(OF_THE_NIGHT, '*');
}

function times(timeline: readonly unknown[]): Pick<RunRow, 'bootS' | 'stages'> {
  const stages: Record<string, number> = {};
  let bootS = 0;
  let answered = false;
  for (const entry of timeline) {
    const [stage, seconds] = [textAt(entry, 'stage'), numberAt(entry, 'seconds')];
    if (stage === null || seconds === null || textAt(entry, 'guest') === 'control') continue;
    if (stage in stages || Object.keys(stages).length < STAGES_MAX) stages[stage] = (stages[stage] ?? 0) + seconds;
    const parts = stage.split('+');
    if (numberAt(entry, 'boot') !== 1 || !parts.every((part) => BOOT_STAGES.has(part))) continue;
    bootS += seconds;
    answered ||= parts.includes('ssh') && (textAt(entry, 'endedBy') ?? '').startsWith('authenticated');
  }
  return { stages, bootS: answered ? Math.round(bootS * 1000) / 1000 : null };
}

function ofNight(history: unknown): Pick<RunRow, 'night' | 'known' | 'lastFrame'> {
  const known = fieldsOf(at(history, 'known'));
  const frames = listAt(history, 'console', 'frames').filter((name) => FRAME_NAME.test(String(name)));
  return {
    night: textAt(history, 'night'),
    known:
      textAt(known, 'reason') === null
        ? null
        : {
            reason: textAt(known, 'reason') ?? '',
            link: textAt(known, 'link') ?? '',
            expires: textAt(known, 'expires') ?? '',
          },
    lastFrame: textAt({ last: frames.findLast((name) => !OF_CONTROL.test(String(name))) }, 'last'),
  };
}
