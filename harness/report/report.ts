/**
 * What a case came to, as data and as `key=value` metadata. Pure over the result; the seed's keys
 * come first, with the seed's spelling and in the seed's order.
 */

import { slowStage, slowStages } from '../boot/slow-stages.ts';
import type { LintFinding } from '../finding.ts';
import { overAllBoots } from '../guest/over-boots.ts';
import type { BootMode, Check, JudgedCheck, NamedObject, Placed, PlannedImage, Verdict } from '../model.ts';
import type { Asked } from '../options/asked.ts';
import type { CaseResult } from '../run.ts';
import type { KeptReport } from './command-lines.ts';

/** Version of `result.json`; readers take older ones and refuse newer. 1: without `asked`. */
export const SCHEMA = 2;

/** Longer values go to a file of their own beside the metadata. */
export const VALUE_CHARACTERS_MAX = 1_000;

/** Everything that the outputs are made of. */
export interface Report {
  readonly scenario: string;
  readonly scenarioSha256: string;
  readonly bootMode: BootMode;
  /** How often the guest was to be booted. */
  readonly boots: number;
  readonly runId: string;
  readonly caseId: string;
  readonly workdir: string;
  readonly lab: {
    readonly name: string;
    readonly kind: 'embedded' | 'xo';
    readonly xoVersion: string | null;
    /** How often the connection to Xen Orchestra was lost and made anew. */
    readonly reconnects: number;
  };
  /** True where the image is the embedded lab's own: a PASS says nothing about anybody's image. */
  readonly reference: boolean;
  /** How Xen Orchestra's certificate was checked; `plain`: there was none, by the URL. */
  readonly tls: 'plain' | 'ca' | 'fingerprint' | 'insecure';
  readonly asked: Asked;
  readonly image: PlannedImage | null;
  /** What the lint said of it; null: the run did not come so far. */
  readonly lint: readonly LintFinding[] | null;
  readonly expectedClosure: string | null;
  readonly verdict: Verdict;
  readonly result: CaseResult | null;
  /** The guest that was kept, and how one gets at it; null: none was. */
  readonly kept: KeptReport | null;
  readonly exitCode: number;
  readonly harnessVersion: string;
  readonly node: string;
  readonly budgetScale: number;
  readonly startedAt: string;
  readonly seconds: number;
  /** Command that runs the same case again. */
  readonly repeat: string;
}

/** `PASS <scenario>` and so on, as the old harness ended; with the suffix that says what it does not prove. */
export function headline(report: Report): string {
  const suffix = report.reference ? ' (reference guest on the embedded lab: says nothing about your image)' : '';
  return `${report.verdict.status} ${report.scenario}${suffix}`;
}

/** What a reader must know before they believe any of it, or will soon; mostly nothing. */
export function warnings({ tls, result }: Pick<Report, 'tls' | 'result'>): readonly string[] {
  const slow = slowStages(result?.timeline ?? []).map((stage) => `WARNING: ${slowStage(stage)}`);
  const noted = (result?.console?.noted ?? []).map((each) => `NOTED on the console: ${escapeValue(each)}`);
  const dark = result?.console?.screen.startsWith('shows ')
    ? [`NOTED: its screen ${escapeValue(result.console.screen)}`]
    : [];
  const told = [...slow, ...noted, ...dark];
  if (tls !== 'insecure') return told;
  const unchecked =
    "WARNING: Xen Orchestra's certificate was not checked (xo.insecure): whoever answered has seen the token";
  return [unchecked, ...told];
}

const SEED_KEYS: Readonly<Record<BootMode, readonly string[]>> = {
  'freebsd-init+rc.d-shepherd': [
    ...['compat_prefix_shims', 'guile_module_smoke', 'ready_marker', 'shepherd_status', 'sshd_status'],
  ],
  'shepherd-pid1': [
    ...['compat_prefix_shims', 'guile_module_smoke', 'ready_marker', 'shepherd_pid', 'shepherd_status', 'sshd_status'],
  ],
};

/** The seed's keys that were judged, in the seed's order. */
export function keyFacts(report: Report): readonly (readonly [string, string])[] {
  return SEED_KEYS[report.bootMode].flatMap((key) => factOf(overAllBoots(report.verdict.checks), key));
}

function factOf(checks: readonly JudgedCheck[], name: string): (readonly [string, string])[] {
  const check = checks.find((entry) => entry.name === name);
  return check === undefined ? [] : [[name, shownValue(check)]];
}

function shownValue(check: Check): string {
  return check.outcome === 'unobserved' ? 'unobserved' : check.actual;
}

/** `ok`, or what is not: `broken boot-loader, warning gpt-backup`. */
function shownLint(lint: Report['lint']): string {
  if (lint === null) return 'not run';
  return lint.flatMap(({ name, status }) => (status === 'ok' ? [] : [`${status} ${name}`])).join(', ') || 'ok';
}

/** All metadata in order; values unescaped and uncut. */
export function metadata(report: Report): readonly (readonly [string, string])[] {
  const { verdict, result, image, lab } = report;
  const cause = verdict.status === 'FAIL' || verdict.status === 'ERROR' ? verdict.cause : null;
  const facts = keyFacts(report);
  const first = new Set(facts.map(([key]) => key));
  const judged = overAllBoots(verdict.checks);
  const otherFacts = judged.filter((check) => !first.has(check.name) && check.name !== 'init_mode');
  const [initMode] = factOf(judged, 'init_mode');
  return [
    ...facts,
    ['result', verdict.status],
    ['fault', cause?.code ?? 'none'],
    ['fault_party', cause?.party ?? 'none'],
    ['reason', cause?.message ?? 'every check held'],
    ['workdir', report.workdir],
    ['init_mode', initMode?.[1] ?? 'unobserved'],
    ['init_mode_expected', report.bootMode],
    ...otherFacts.map((check) => [check.name, shownValue(check)] as const),
    ...Object.entries(result?.records ?? {}),
    ['lab', lab.name],
    ['lab_kind', lab.kind],
    ['boot_backend', lab.kind === 'embedded' ? 'qemu-embedded-lab' : 'xcp-ng-xo-lib'],
    ['reference_guest', String(report.reference)],
    ['image_path', image?.path ?? 'none'],
    ['image_format', image?.format ?? 'none'],
    ['image_sha256', image?.sha256 ?? 'none'],
    ['image_bytes', String(image?.sizeBytes ?? 0)],
    ['lint', shownLint(report.lint)],
    ['closure', report.expectedClosure ?? 'not named'],
    ['boots', String(report.boots)],
    ['boot_ids', result?.bootIds.join(', ') || 'none'],
    ['guest_identity', result?.guestIdentity ?? 'unproven'],
    ['image_identity', result?.imageIdentity ?? 'unproven'],
    ['guest_ip', result?.guestAddress ?? 'none'],
    ['guest_ip_source', result?.addressSource ?? 'none'],
    ['guest_ip_others', result?.addressOthers.join(', ') || 'none'],
    ['ssh_host_key', result?.hostKey ?? 'none'],
    ['vm_uuid', result?.vm ?? 'none'],
    ...placement(result?.placed ?? null),
    ['import_path', result?.imported?.path ?? 'none'],
    ['cache', result?.imported?.cache ?? 'none'],
    ['cache_entry', result?.imported?.entry ?? 'none'],
    ['import_bytes', String(result?.imported?.bytes ?? 0)],
    ['import_seconds', ((result?.imported?.ms ?? 0) / 1000).toFixed(3)],
    ['import_mib_per_s', (result?.imported?.mibPerS ?? 0).toFixed(3)],
    ...stopAndConsole(result),
    ['read_back', String(result?.imported?.readBack ?? false)],
    ...stays(report),
    ['run_id', report.runId],
    ['case_id', report.caseId],
    ['scenario', report.scenario],
    ['scenario_sha256', report.scenarioSha256],
    ['harness_version', report.harnessVersion],
    ['node_version', report.node],
    ['xo_version', lab.xoVersion ?? 'unknown'],
    ['xo_reconnects', String(lab.reconnects)],
    ['tls', report.tls],
    ['budget_scale', String(report.budgetScale)],
    ['started_at', report.startedAt],
    ...Object.entries(stageSeconds(result)).map(([stage, s]) => [`time_${stage}_s`, s.toFixed(3)] as const),
    [
      'slow_stages',
      slowStages(result?.timeline ?? [])
        .map(slowStage)
        .join(', ') || 'none',
    ],
    ['time_total_s', report.seconds.toFixed(3)],
    ['exit_code', String(report.exitCode)],
  ];
}

/** What is still in the lab, by mistake or by wish. */
const stays = ({ result, kept }: Report): readonly (readonly [string, string])[] => [
  ['leaked', String(result?.leaked.length ?? 0)],
  ['kept', kept === null ? 'none' : `VM ${kept.vm} until ${kept.until}`],
];

/** By stage, those of all boots together; what is told to people as one stage keeps its name. */
function stageSeconds(result: CaseResult | null): Readonly<Record<string, number>> {
  const finer: Record<string, number> = {};
  for (const { stage, guest, seconds } of result?.timeline ?? []) {
    const key = `${guest === 'control' ? 'control_' : ''}${stage}`.replace(/\W+/g, '_');
    finer[key] = (finer[key] ?? 0) + seconds;
  }
  return { ...finer, ...result?.timings };
}

function stopAndConsole(result: CaseResult | null): readonly (readonly [string, string])[] {
  const told = result?.console;
  return [
    ['stopped_by', result?.stoppedBy ?? 'none'],
    ['console_serial', String(told?.serial ?? false)],
    ['console_screen', told?.screen ?? 'was not looked at'],
    ['console_noted', told?.noted.join('; ') || 'none'],
  ];
}

function placement(placed: Placed | null): readonly (readonly [string, string])[] {
  if (placed === null) return [];
  const shown = (object: NamedObject | null): string => (object === null ? 'none' : `${object.name} (${object.uuid})`);
  return [
    ['host', shown(placed.host)],
    ['host_ordered', String(placed.hostOrdered)],
    ['template', shown(placed.template)],
    ['sr', shown(placed.sr)],
    ['network', shown(placed.network)],
    ['firmware', placed.firmware],
  ];
}

/** No value can forge a key: control characters and backslashes are escaped. */
export function escapeValue(value: string): string {
  return value.replace(/[\\\p{Cc}\p{Zl}\p{Zp}]/gu, (character) => {
    if (character === '\\') return '\\\\';
    if (character === '\n') return '\\n';
    if (character === '\r') return '\\r';
    if (character === '\t') return '\\t';
    return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
  });
}

/** `result.json`: everything, with the schema's number first. The map of image blocks stays out. */
export function resultJson(report: Report): string {
  const { image, verdict, ...rest } = report;
  const { blocks, ...imageRest } = image ?? { blocks: [] };
  const imageOut = image === null ? null : { ...imageRest, nonZeroBlocks: blocks.length };
  return `${JSON.stringify({ schema: SCHEMA, status: verdict.status, ...rest, image: imageOut, verdict }, null, 2)}\n`;
}
