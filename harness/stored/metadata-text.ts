/** Reads the `key=value` lines of a stored `metadata.txt`, and makes a report of what they hold. Pure. */
import { Fault } from '../faults/faults.ts';
import { BOOT_MODES, type FaultRecord, type Status } from '../model.ts';
import { PARTIES, type StoredImage, type StoredReport } from './stored-report.ts';

export type Metadata = ReadonlyMap<string, string>;

const NEEDED = ['result', 'run_id', 'scenario', 'workdir', 'harness_version'];
const STATUSES: readonly Status[] = ['PASS', 'FAIL', 'ERROR', 'SKIP'];

/** Values unescaped. @throws Fault BAD_STORED_RUN where it is no metadata of a run, or was damaged */
export function readMetadata(where: string, text: string): Metadata {
  const metadata = new Map<string, string>();
  if (!text.endsWith('\n')) throw bad(where, 'lines with an end', 'a last one without: it was cut');
  for (const [index, line] of text.slice(0, -1).split('\n').entries()) {
    const [, key, value] = /^([^\s=]+)=(.*)$/s.exec(line) ?? [];
    if (key === undefined || value === undefined) throw bad(where, 'key=value', `"${line.slice(0, 60)}"`, index + 1);
    if (metadata.has(key)) throw bad(where, `${key} once`, 'it twice', index + 1);
    metadata.set(key, unescaped(value));
  }
  const missing = NEEDED.find((key) => !metadata.has(key));
  if (missing !== undefined) throw bad(where, `metadata of a run of this harness (${missing}=…)`, 'none');
  return metadata;
}

function bad(where: string, expected: string, given: string, line: number | null = null): Fault {
  const at = line === null ? where : `${where}, line ${line}`;
  return new Fault('BAD_STORED_RUN', `${at}: expected ${expected}, given ${given}`);
}

const NAMED: Readonly<Record<string, string>> = { '\\': '\\', n: '\n', r: '\r', t: '\t' };

/** The reverse of `escapeValue`. */
function unescaped(value: string): string {
  return value.replace(/\\(?:u([0-9a-f]{4})|([\\nrt]))/g, (whole, code?: string, name?: string) =>
    code === undefined ? (NAMED[name ?? ''] ?? whole) : String.fromCodePoint(Number.parseInt(code, 16)),
  );
}

/**
 * What stands in `metadata.txt` alone: no checks, no timeline, nothing that was asked beyond a few words.
 * @throws Fault BAD_STORED_RUN
 */
export function reportOf(where: string, metadata: Metadata): StoredReport {
  const value = (key: string): string => metadata.get(key) ?? '';
  const known = (key: string): string | null => {
    const text = value(key);
    return ['', 'none', 'unknown', 'not named'].includes(text) ? null : text;
  };
  const oneOf = <T extends string>(key: string, choices: readonly T[]): T => {
    const found = choices.find((each) => each === value(key));
    if (found === undefined) throw bad(where, `${key}=${choices.join(' or ')}`, `"${value(key).slice(0, 60)}"`);
    return found;
  };
  const number = (key: string): number => {
    const given = Number(known(key) ?? '0');
    if (!Number.isFinite(given)) throw bad(where, `${key}= and a number`, `"${value(key).slice(0, 60)}"`);
    return given;
  };
  const status = oneOf('result', STATUSES);
  const code = known('fault');
  const cause: FaultRecord | null =
    code === null
      ? null
      : { code, party: oneOf('fault_party', PARTIES), message: value('reason'), remedy: '', causes: [] };
  return {
    ...{ schema: 0, status, checks: [], cause, result: null, image: imageOf(metadata), asked: null, lint: null },
    kept: null,
    ...{ scenario: value('scenario'), scenarioSha256: value('scenario_sha256') },
    bootMode: oneOf('init_mode_expected', BOOT_MODES),
    boots: number('boots') || 1,
    ...{ runId: value('run_id'), caseId: value('case_id'), workdir: value('workdir') },
    lab: {
      ...{ name: value('lab'), kind: oneOf('lab_kind', ['embedded', 'xo'] as const) },
      ...{ xoVersion: known('xo_version'), reconnects: number('xo_reconnects') },
    },
    reference: value('reference_guest') === 'true',
    tls: known('tls') ?? 'unknown',
    expectedClosure: known('closure'),
    exitCode: number('exit_code'),
    ...{ harnessVersion: value('harness_version'), node: value('node_version') },
    budgetScale: number('budget_scale') || 1,
    ...{ startedAt: value('started_at'), seconds: number('time_total_s'), repeat: '' },
  };
}

/** Null: the run planned none. */
function imageOf(metadata: Metadata): StoredImage | null {
  const [path, format, sha256] = [
    metadata.get('image_path'),
    metadata.get('image_format'),
    metadata.get('image_sha256'),
  ];
  if (path === undefined || format === undefined || sha256 === undefined || !/^[0-9a-f]{64}$/.test(sha256)) return null;
  return {
    ...{ path, format: format as StoredImage['format'], sha256, sizeBytes: Number(metadata.get('image_bytes')) },
    ...{ fileState: '', nonZeroBlocks: 0, identity: null, startsBy: [], sidecar: null },
  };
}
