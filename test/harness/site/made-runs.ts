/** For tests and the benchmark: any number of runs, made from two recorded ones, the same each time. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const recorded = (name: string): string => readFileSync(new URL(`fixtures/${name}.json`, import.meta.url), 'utf8');
const TEMPLATES = [recorded('phase9-qemu'), recorded('phase11-simulated')] as const;
const IMAGES: readonly string[] = ['fruix', 'fruix-zfs', 'fruix-minimal', 'reference'];
const LABS = ['pool1', 'pool2'] as const;
const NIGHT_MS = 24 * 3_600_000;
/** When their pages are made: in the morning after the last of these nights. */
export const NOW = new Date('2026-11-26T05:30:00Z');
/** A made-up one: a picture of 1 × 1. */
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==',
  'base64',
);

// biome-ignore lint/suspicious/noExplicitAny: records are changed freely here.
type Loose = any;

/** Mulberry32: small, and the same everywhere. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const FAULTS = [
  [
    'XO_UNREACHABLE',
    'lab',
    'Xen Orchestra at https://xo.example.org: no answer for 300 s; last seen: connection reset',
  ],
  ['XO_CALL_FAILED', 'lab', 'vm.start: HOST_OFFLINE(OpaqueRef:1a2b)'],
  ['SR_FULL', 'lab', 'SR "Local storage": 1.2 GiB free, the image takes 8.0 GiB'],
  ['ADDRESS_UNKNOWN', 'undetermined', 'no source told an address of 02:00:00:f9:2c:03 within 120 s'],
] as const;

export interface MadeOptions {
  /** Changes a record before it is written. */
  readonly change?: (record: Loose, index: number) => void;
  /** Pictures of the console for each run that did not pass. */
  readonly frames?: number;
}

const hex = (next: () => number, length: number): string =>
  Array.from({ length }, () => Math.floor(next() * 16).toString(16)).join('');

/** Writes `count` records below `reportsDir`: nights of sixteen cases each, the last one the day before `NOW`. */
export function makeRuns(reportsDir: string, count: number, options: MadeOptions = {}): void {
  const runs = join(reportsDir, 'runs');
  mkdirSync(runs, { recursive: true });
  const next = random(7);
  const cases = TEMPLATES.flatMap((template) =>
    IMAGES.flatMap((image) => LABS.map((lab) => ({ template, image, lab }))),
  );
  const nights = Math.ceil(count / cases.length);
  const broken = new Map<number, number>();
  for (let index = 0; index < count; index++) {
    const [night, which] = [Math.floor(index / cases.length), index % cases.length];
    const { template, image, lab } = cases[which] ?? cases[0] ?? { template: TEMPLATES[0], image: '', lab: '' };
    const startedMs = NOW.getTime() - (nights - night) * NIGHT_MS + which * 240_000;
    const record: Loose = JSON.parse(template);
    const id = `${hex(next, 8)}-${hex(next, 4)}-4${hex(next, 3)}-8${hex(next, 3)}-${hex(next, 12)}`;
    record.runId = id;
    record.startedAt = new Date(startedMs).toISOString();
    record.workdir = `/var/lib/bootwitness/${record.scenario}-${Math.floor(startedMs / 1000)}`;
    record.lab = { name: lab, kind: 'xo', xoVersion: night > nights * 0.6 ? '5.208.0' : '5.207.2', reconnects: 0 };
    record.reference = false;
    const built = Math.floor(night / (image === 'reference' ? 1000 : 1 + (which % 3)));
    record.image.path = `/images/${image}-${20260000 + built}.raw`;
    record.image.sha256 = digestLike(`${image}${built}`);
    record.harnessVersion = night > nights * 0.8 ? '0.2.0' : '0.1.0';
    const usual = (0.55 + 0.25 * (night / nights)) * (lab === 'pool2' ? 1.3 : 1) * (1 + 0.1 * IMAGES.indexOf(image));
    stretch(record, startedMs, usual + 0.15 * next() + (next() < 0.03 ? 0.6 : 0));
    setActual(
      record,
      'baked_prefix_strings',
      String(
        Math.max(0, 340 - Math.floor((night / nights) * (300 - 40 * IMAGES.indexOf(image))) - Math.floor(next() * 6)),
      ),
    );
    const frames: string[] = [];
    outcome(record, { which, night, nights, next, broken });
    if (record.status !== 'PASS') {
      for (let n = 1; n <= (options.frames ?? 0); n++)
        frames.push(`${String(n).padStart(3, '0')}-${n === 1 ? 'firmware' : 'change'}.png`);
    }
    if (frames.length > 0) {
      mkdirSync(join(runs, `${id}.console`));
      for (const frame of frames) writeFileSync(join(runs, `${id}.console`, frame), PNG);
    }
    record.history = {
      ...{
        schema: 1,
        night: new Date(startedMs).toISOString().slice(0, 10),
        known: null,
        evidence: evidenceOf(record),
      },
      console: { frames, framesLeftOut: 0, text: { source: 'serial', end: 'Booting …\nlogin: ' } },
    };
    options.change?.(record, index);
    writeFileSync(join(runs, `${record.runId}.json`), `${JSON.stringify(record)}\n`);
  }
}

function digestLike(text: string): string {
  const next = random([...text].reduce((sum, sign) => (sum * 31 + (sign.codePointAt(0) ?? 0)) | 0, 17));
  return hex(next, 64);
}

/** All stages take longer or shorter by one factor, and begin one after another. */
function stretch(record: Loose, startedMs: number, factor: number): void {
  let atMs = startedMs;
  for (const stage of record.result.timeline) {
    stage.seconds = Math.round(stage.seconds * factor * 1000) / 1000;
    stage.usedShare = stage.budgetS === null ? null : stage.seconds / stage.budgetS;
    stage.startedAt = new Date(atMs).toISOString();
    atMs += stage.seconds * 1000;
    stage.endedAt = new Date(atMs).toISOString();
  }
  record.seconds = (atMs - startedMs) / 1000 + 0.4;
}

function setActual(record: Loose, name: string, actual: string, more: object = {}): void {
  const check = record.verdict.checks.find((each: Loose) => each.name === name);
  Object.assign(check, { actual }, more);
}

interface Fate {
  readonly which: number;
  readonly night: number;
  readonly nights: number;
  readonly next: () => number;
  /** Nights that a case stays broken. */
  readonly broken: Map<number, number>;
}

function outcome(record: Loose, { which, night, nights, next, broken }: Fate): void {
  const last = night === nights - 1;
  const left = broken.get(which) ?? 0;
  const fails = left > 0 || (last ? which === 2 || which === 9 : next() < 0.02);
  if (!last && left === 0 && fails) broken.set(which, 1 + Math.floor(next() * 4));
  if (last ? which === 9 : left > 0) broken.set(which, left - 1);
  const lab = last ? which === 13 : next() < 0.015 || (which === 5 && next() < 0.25);
  if (fails) {
    setActual(record, 'ready_marker', 'missing', {
      outcome: 'failed',
      reason: 'no file at /run/fruix-ready within 30 s',
    });
    fault(record, 'FAIL', 1, [
      'CHECKS_FAILED',
      'image',
      'ready_marker: expected ready, was missing (no file at /run/fruix-ready within 30 s)',
    ]);
  } else if (lab) {
    fault(record, 'ERROR', 3, FAULTS[Math.floor(next() * FAULTS.length)] ?? FAULTS[0]);
    record.verdict.checks = [];
    record.result.timeline = record.result.timeline.slice(0, 5);
  }
}

function fault(
  record: Loose,
  status: string,
  exitCode: number,
  [code, party, message]: readonly [string, string, string],
): void {
  record.status = status;
  record.exitCode = exitCode;
  const remedy = 'Look at the console first, then at network and sshd of the image.';
  record.verdict = { status, checks: record.verdict.checks, cause: { code, party, message, remedy, causes: [] } };
}

function evidenceOf(record: Loose): Loose {
  const excerpt = (name: string): Loose => ({
    ...{
      kind: 'observation',
      name,
      at: record.startedAt,
      facts: { kind: 'absent', path: '/run/fruix-ready' },
      unseen: '',
    },
    command: { exit: 0, ms: 21, stderr: '', flaw: '' },
  });
  const pairs = record.verdict.checks.map((check: Loose) => [
    String(check.evidence).replace(/^.*#/, ''),
    excerpt(check.name),
  ]);
  return Object.fromEntries(pairs);
}
