/** What a stored `result.json` says, checked field by field. Pure. */
import type { StageRecord } from '../budgets.ts';
import type { ConsoleTold } from '../console/console-told.ts';
import { FAULTS } from '../faults/fault-table.ts';
import { Fault } from '../faults/faults.ts';
import { type LintFinding, STATUSES } from '../finding.ts';
import type { ImportRecord } from '../lab.ts';
import {
  BOOT_MODES,
  type FaultRecord,
  type Firmware,
  type ImageIdentity,
  type JudgedCheck,
  type NamedObject,
  NIC_TYPES,
  type Placed,
  type PlannedImage,
  type Status,
} from '../model.ts';
import { type Report, SCHEMA } from '../report/report.ts';
import type { CaseResult } from '../run.ts';
import { JsonReader, number, text } from './json-reader.ts';
import { asked, type StoredAsked } from './stored-asked.ts';
import { kept } from './stored-kept.ts';

/** An image as it is remembered: how many blocks it has, not which. */
export interface StoredImage extends Omit<PlannedImage, 'blocks'> {
  readonly nonZeroBlocks: number;
}

export type StoredResult = Omit<CaseResult, 'verdict' | 'stoppedBy' | 'kept'> & { readonly stoppedBy: string | null };

type Told = Omit<Report, 'verdict' | 'result' | 'image' | 'asked' | 'tls'>;

/** A report of then. `null` also stands for what a run of then did not write. */
export interface StoredReport extends Told {
  /** Version of `result.json`; 0: from `metadata.txt` alone. */
  readonly schema: number;
  readonly status: Status;
  /** Empty where no check was judged, and where there is no `result.json`. */
  readonly checks: readonly JudgedCheck[];
  /** Null for a PASS. */
  readonly cause: FaultRecord | null;
  readonly result: StoredResult | null;
  readonly image: StoredImage | null;
  readonly asked: StoredAsked | null;
  readonly tls: string;
}

const VERDICTS: readonly Status[] = ['PASS', 'FAIL', 'ERROR', 'SKIP'];
export const PARTIES = [...new Set(Object.values(FAULTS).map(({ party }) => party))];
const FIRMWARES: readonly Firmware[] = ['bios', 'uefi'];

/** @throws Fault BAD_STORED_RUN: damaged, somebody else's, or of a version that is newer than this one */
export function readReport(where: string, json: string): StoredReport {
  const read = JsonReader.parse(where, json);
  const schema = read.number('schema');
  if (schema > SCHEMA) {
    const version = read.orNull('harnessVersion', text) ?? 'unknown';
    const expected = `schema ${SCHEMA} or older, given ${schema}`;
    throw new Fault('BAD_STORED_RUN', `${where}: expected ${expected} (written by harness ${version}): use that one`);
  }
  const verdict = read.object('verdict');
  const status = verdict.oneOf('status', VERDICTS);
  if (read.text('status') !== status) read.wrong('status', `${status}, as its verdict says`);
  const caused = status === 'FAIL' || status === 'ERROR';
  if (verdict.has('cause') !== caused)
    verdict.wrong('cause', caused ? `the cause of a ${status}` : `none for a ${status}`);
  return {
    ...{ schema, status, ...general(read) },
    checks: verdict.list('checks', check),
    cause: verdict.orNull('cause', () => fault(verdict.object('cause'))),
    result: read.orNull('result', () => result(read.object('result'))),
    image: read.orNull('image', () => image(read.object('image'))),
    asked: read.orNull('asked', () => asked(read.object('asked'))),
  };
}

type General = Omit<StoredReport, 'schema' | 'status' | 'checks' | 'cause' | 'result' | 'image' | 'asked'>;

function general(read: JsonReader): General {
  const lab = read.object('lab');
  return {
    scenario: read.text('scenario'),
    scenarioSha256: read.text('scenarioSha256'),
    bootMode: read.oneOf('bootMode', BOOT_MODES),
    boots: read.orNull('boots', number) ?? 1,
    runId: read.text('runId'),
    caseId: read.text('caseId'),
    workdir: read.text('workdir'),
    lab: {
      name: lab.text('name'),
      kind: lab.oneOf('kind', ['embedded', 'xo'] as const),
      xoVersion: lab.orNull('xoVersion', text),
      reconnects: lab.orNull('reconnects', number) ?? 0,
    },
    reference: read.flag('reference'),
    tls: read.orNull('tls', text) ?? 'unknown',
    lint: read.orNull('lint', () => read.list('lint', finding)),
    expectedClosure: read.orNull('expectedClosure', text),
    kept: read.orNull('kept', () => kept(read.object('kept'))),
    exitCode: read.number('exitCode'),
    harnessVersion: read.text('harnessVersion'),
    node: read.text('node'),
    budgetScale: read.number('budgetScale'),
    startedAt: read.text('startedAt'),
    seconds: read.number('seconds'),
    repeat: read.text('repeat'),
  };
}

const check = (read: JsonReader): JudgedCheck => ({
  name: read.text('name'),
  expected: read.text('expected'),
  actual: read.text('actual'),
  outcome: read.oneOf('outcome', ['held', 'failed', 'unobserved'] as const),
  reason: read.text('reason'),
  evidence: read.text('evidence'),
});

const fault = (read: JsonReader): FaultRecord => ({
  code: read.text('code'),
  party: read.oneOf('party', PARTIES),
  message: read.text('message'),
  remedy: read.text('remedy'),
  causes: read.texts('causes'),
});

const finding = (read: JsonReader): LintFinding => ({
  name: read.text('name'),
  status: read.oneOf('status', STATUSES),
  seen: read.text('seen'),
  remedy: read.text('remedy'),
  looked: read.text('looked'),
  why: read.text('why'),
});

function image(read: JsonReader): StoredImage {
  // Before there were others it was not said.
  const format = read.orNull('format', text) ?? 'raw';
  if (!/^(raw|vhd-fixed|vhd-dynamic|qcow2)(\+(gz|xz|zst))?$/.test(format)) read.wrong('format', 'a format of images');
  const sha256 = read.text('sha256');
  if (!/^[0-9a-f]{64}$/.test(sha256)) read.wrong('sha256', '64 hex digits');
  return {
    ...{ path: read.text('path'), format: format as PlannedImage['format'], sha256 },
    sizeBytes: read.number('sizeBytes'),
    fileState: read.orNull('fileState', text) ?? '',
    nonZeroBlocks: read.orNull('nonZeroBlocks', number) ?? 0,
    identity: read.orNull('identity', () => identity(read.object('identity'))),
    startsBy: read.has('startsBy')
      ? read
          .texts('startsBy')
          .map((each) => FIRMWARES.find((one) => one === each) ?? read.wrong('startsBy', 'firmware'))
      : [],
    sidecar: read.orNull('sidecar', () => {
      const sidecar = read.object('sidecar');
      const bootMode = sidecar.orNull('bootMode', () => sidecar.oneOf('bootMode', BOOT_MODES));
      return { closure: sidecar.orNull('closure', text), bootMode };
    }),
  };
}

const identity = (read: JsonReader): ImageIdentity => ({
  diskGuid: read.text('diskGuid'),
  partitionGuids: read.texts('partitionGuids'),
});

function result(read: JsonReader): StoredResult {
  return {
    guestIdentity: read.oneOf('guestIdentity', ['verified', 'unproven'] as const),
    imageIdentity: read.oneOf('imageIdentity', ['verified', 'chain', 'unproven'] as const),
    guestAddress: read.orNull('guestAddress', text),
    addressSource: read.orNull('addressSource', text),
    addressOthers: read.has('addressOthers') ? read.texts('addressOthers') : [],
    hostKey: read.orNull('hostKey', text),
    bootIds: read.has('bootIds') ? read.texts('bootIds') : [],
    records: read.has('records') ? read.object('records').every(text) : {},
    vm: read.orNull('vm', text),
    placed: read.orNull('placed', () => placed(read.object('placed'))),
    imported: read.orNull('imported', () => imported(read.object('imported'))),
    stoppedBy: read.orNull('stoppedBy', text),
    console: read.orNull('console', () => console(read.object('console'))),
    leaked: read.texts('leaked'),
    timings: read.object('timings').every(number),
    timeline: read.has('timeline') ? read.list('timeline', stage) : [],
  };
}

const named = (read: JsonReader): NamedObject => ({ uuid: read.text('uuid'), name: read.text('name') });

function placed(read: JsonReader): Placed {
  const object = (name: string): NamedObject | null => read.orNull(name, () => named(read.object(name)));
  return {
    ...{
      pool: named(read.object('pool')),
      host: object('host'),
      hostOrdered: read.has('hostOrdered') && read.flag('hostOrdered'),
    },
    ...{ template: object('template'), sr: object('sr'), network: object('network') },
    firmware: read.oneOf('firmware', FIRMWARES),
    memoryMiB: read.orNull('memoryMiB', number),
    cpus: read.orNull('cpus', number),
    nic: read.orNull('nic', () => read.oneOf('nic', NIC_TYPES)),
  };
}

const console = (read: JsonReader): ConsoleTold => ({
  ...{ serial: read.flag('serial'), screen: read.text('screen'), noted: read.texts('noted') },
});

const imported = (read: JsonReader): ImportRecord => ({
  ...{ path: read.text('path'), bytes: read.number('bytes'), ms: read.number('ms') },
  mibPerS: read.orNull('mibPerS', number) ?? 0,
  readBack: read.orNull('readBack', () => read.flag('readBack')) ?? false,
  cache: read.orNull('cache', () => read.oneOf('cache', ['off', 'hit', 'made', 'miss'] as const)) ?? 'off',
  entry: read.orNull('entry', text),
});

const stage = (read: JsonReader): StageRecord => ({
  stage: read.text('stage'),
  guest: read.orNull('guest', () => read.oneOf('guest', ['image', 'control'] as const)),
  ...{ boot: read.number('boot'), startedAt: read.text('startedAt'), endedAt: read.text('endedAt') },
  ...{ seconds: read.number('seconds'), budgetS: read.orNull('budgetS', number) },
  ...{ usedShare: read.orNull('usedShare', number), endedBy: read.text('endedBy') },
});
