/** For tests: a Report as a run makes it, to be changed where a test wants something else. */
import type { StageRecord } from '../../../harness/budgets.ts';
import type { JudgedCheck, PlannedImage, Verdict } from '../../../harness/model.ts';
import type { Report } from '../../../harness/report/report.ts';
import type { CaseResult } from '../../../harness/run.ts';
import { SAMPLE } from '../stored/sample.ts';

export const check = (name: string, more: Partial<JudgedCheck> = {}): JudgedCheck => ({
  ...{ name, expected: 'ready', actual: 'ready', outcome: 'held', reason: '', evidence: 'evidence.ndjson#2' },
  ...more,
});

export const PASS: Verdict = { status: 'PASS', checks: [check('ready_marker')] };

export const IMAGE: PlannedImage = {
  path: '/images/fruix.raw',
  format: 'raw',
  sizeBytes: 8_388_608,
  sha256: 'ab'.repeat(32),
  fileState: '1',
  blocks: [0, 1],
  identity: null,
  startsBy: ['bios'],
  sidecar: null,
};

export const stage = (name: string, seconds: number, more: Partial<StageRecord> = {}): StageRecord => ({
  ...{ stage: name, guest: 'image', boot: 1, seconds, budgetS: 60, usedShare: seconds / 60, endedBy: 'seen' },
  ...{ startedAt: '2026-04-02T00:00:00.000Z', endedAt: '2026-04-02T00:00:01.000Z' },
  ...more,
});

export const result = (verdict: Verdict, more: Partial<CaseResult> = {}): CaseResult => ({
  verdict,
  guestIdentity: 'verified',
  imageIdentity: 'verified',
  guestAddress: '192.0.2.7',
  addressSource: 'slot',
  addressOthers: [],
  hostKey: null,
  bootIds: ['b-1'],
  records: {},
  vm: 'v-1',
  placed: null,
  imported: null,
  stoppedBy: null,
  console: null,
  kept: null,
  leaked: [],
  timings: { boot: 12 },
  timeline: [stage('plan', 0.1, { guest: null }), stage('firmware+kernel+services', 11), stage('ssh', 1)],
  ...more,
});

/** @param more what is different; `runId` names the file */
export function aReport(verdict: Verdict = PASS, more: Partial<Report> = {}): Report {
  return {
    scenario: 'phase9-xcpng-boot',
    scenarioSha256: 'cd'.repeat(32),
    bootMode: 'freebsd-init+rc.d-shepherd',
    boots: 1,
    runId: 'r-1',
    caseId: 'c-1',
    workdir: '/nowhere/phase9-xcpng-boot-1775142712',
    lab: { name: 'pool1', kind: 'xo', xoVersion: '5.207.2', reconnects: 0 },
    reference: false,
    tls: 'ca',
    asked: SAMPLE.asked,
    image: IMAGE,
    lint: [],
    expectedClosure: null,
    verdict,
    result: result(verdict),
    kept: null,
    exitCode: verdict.status === 'PASS' ? 0 : 1,
    harnessVersion: '0.1.0',
    node: 'v20.0.0',
    budgetScale: 1,
    startedAt: '2026-04-02T00:00:00.000Z',
    seconds: 60,
    repeat: 'npm run -s phase9 -- --lab pool1',
    ...more,
  };
}
