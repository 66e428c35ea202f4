/** For tests: a report with something in every field, as a run of two boots on an operator's lab makes one. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JudgedCheck, Verdict } from '../../../harness/model.ts';
import type { Report } from '../../../harness/report/report.ts';
import { writeFiles } from '../../../harness/reporters/files.ts';
import { phase9XcpngBoot } from '../../../scenarios/phase9-xcpng-boot.ts';

export const held = (name: string, actual: string, evidence = 'evidence.ndjson#1'): JudgedCheck => ({
  ...{ name, expected: actual, actual, outcome: 'held', reason: '', evidence },
});

const CHECKS: readonly [JudgedCheck, ...JudgedCheck[]] = [
  held('sshd_status', 'running'),
  held('uname_output', 'Linux'),
];
const PASS: Verdict = { status: 'PASS', checks: CHECKS };
const [host, sr] = [
  { uuid: '11111111-1111-4111-8111-111111111111', name: 'xcp-1' },
  { uuid: '22222222-2222-4222-8222-222222222222', name: 'Local storage' },
];
const at = '2026-04-02T00:00:00.000Z';

export const SAMPLE: Report = {
  scenario: 'phase9-xcpng-boot',
  scenarioSha256: 'ab'.repeat(32),
  bootMode: 'freebsd-init+rc.d-shepherd',
  boots: 2,
  runId: 'r-1',
  caseId: 'c-1',
  workdir: '/tmp/x-1775142712',
  lab: { name: 'pool1', kind: 'xo', xoVersion: '5.207.2', reconnects: 1 },
  reference: false,
  tls: 'ca',
  asked: {
    options: { image: 'fruix.raw', lab: 'pool1', boots: '2' },
    folder: '/home/u',
    labFile: '/home/u/labs/pool1.toml',
    labUrl: 'https://xo.example.org',
    controlPath: '/home/u/control.raw',
    readBack: 'auto',
    timeLimitS: 3600,
    budgets: phase9XcpngBoot.budgets,
    probes: phase9XcpngBoot.probes.map(({ name }) => name),
    facts: { bootMode: 'freebsd-init+rc.d-shepherd', paths: phase9XcpngBoot.paths, expectedClosure: '/frx/store/x' },
    platform: 'linux x64',
  },
  image: {
    ...{ path: '/home/u/fruix.raw', format: 'raw', sizeBytes: 4_194_304, sha256: 'cd'.repeat(32), fileState: 's' },
    ...{ blocks: [0, 1], identity: { diskGuid: 'd', partitionGuids: ['p'] }, startsBy: ['bios'] },
    sidecar: { closure: '/frx/store/x', bootMode: null },
  },
  lint: [{ name: 'size', looked: 'size', status: 'ok', seen: '4 MiB', why: '', remedy: '' }],
  expectedClosure: '/frx/store/x',
  kept: {
    ...{ vm: '33333333-3333-4333-8333-333333333333', name: 'bootwitness x', until: at, afterwards: 'deleted' },
    ...{ address: { host: '192.0.2.7', port: 22 }, labFile: '/home/u/labs/pool1.toml', hostKey: 'SHA256:x' },
    ssh: {
      ...{ user: 'root', port: 22, key: '/home/u/key', passphraseFile: null, agent: null, become: null, keepaliveS: 5 },
      jump: { host: 'jump.example.org', port: 22, user: 'ci', key: null, hostKey: null },
    },
    commands: { shell: 'npm run -s shell -- x', console: 'c', ssh: 'ssh x', remove: 'npm run -s sweep -- x' },
  },
  verdict: PASS,
  result: {
    verdict: PASS,
    ...{ guestIdentity: 'verified', imageIdentity: 'verified', guestAddress: '192.0.2.7', addressSource: 'slot' },
    ...{
      addressOthers: ['arp=192.0.2.7'],
      hostKey: 'SHA256:x',
      bootIds: ['b1', 'b2'],
      records: { boot_firmware: 'bios' },
    },
    vm: '33333333-3333-4333-8333-333333333333',
    placed: {
      ...{ pool: host, host, hostOrdered: false, template: null, sr, network: null },
      ...{ firmware: 'bios', memoryMiB: 2048, cpus: 1, nic: 'e1000' },
    },
    imported: { path: 'rest', bytes: 9, ms: 3, mibPerS: 1, readBack: true, cache: 'made', entry: null },
    ...{
      stoppedBy: null,
      kept: null,
      console: { serial: true, screen: 'was read: console/screen.txt', noted: ['no-dhcp: udhcpc: no lease'] },
      leaked: [],
      timings: { boot: 1.5 },
    },
    timeline: [
      {
        ...{ stage: 'firmware+kernel', guest: 'image', boot: 1, startedAt: at, endedAt: at },
        ...{ seconds: 4, budgetS: 10, usedShare: 0.4, endedBy: 'the banner' },
      },
      {
        ...{ stage: 'plan', guest: null, boot: 1, startedAt: at, endedAt: at },
        ...{ seconds: 1, budgetS: null, usedShare: null, endedBy: 'done' },
      },
    ],
  },
  exitCode: 0,
  harnessVersion: '0.1.0',
  node: 'v20.0.0',
  budgetScale: 2,
  startedAt: at,
  seconds: 12.3456,
  repeat: 'npm run -s phase9 --',
};

/** Line of evidence; the last one of a whole file is the verdict. */
export const evidenceLine = (sequence: number, kind: string, name: string, data: unknown = {}): string =>
  `${JSON.stringify({ sequence, at, sinceStartMs: sequence, kind, name, data })}\n`;

/** Writes a workdir as the reporter writes it. @returns its path */
export function storeSample(root: string, name: string, more: Partial<Report> = {}): string {
  const workdir = join(root, name);
  mkdirSync(join(workdir, 'console'), { recursive: true });
  writeFileSync(join(workdir, 'console', 'serial.txt'), 'login:\n');
  writeFileSync(join(workdir, 'journal.ndjson'), `{"at":"${at}","event":"intent","what":"VM"}\n{"at":"20`);
  const lines = evidenceLine(1, 'lab', 'pool1') + evidenceLine(2, 'judged', 'verdict');
  writeFileSync(join(workdir, 'evidence.ndjson'), lines);
  writeFiles({ ...SAMPLE, ...more, workdir });
  return workdir;
}
