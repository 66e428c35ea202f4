/**
 * The console as a witness, over the wire: pictures in the workdir, silence decided by the screen where the lab has no
 * serial text, and a stop that shows after every check held. Guests and their screens are simulated; the OCR is real.
 */
import { createHash } from 'node:crypto';
import { PNG } from 'pngjs';
import t from 'tap';
import { inLanes } from '../lanes.ts';
import { type Played, witness } from './witness.ts';

const PANIC = [
  'Trying to mount root from ufs:/dev/gpt/fruix-root [rw]...',
  'Fatal trap 12: page fault while in kernel mode',
  'panic: page fault',
  'cpuid = 0',
  'time = 1769999999',
  'KDB: stack backtrace:',
  '#0 0xffffffff80b9009d at kdb_backtrace+0x5d',
  'Uptime: 3s',
  'Automatic reboot in 15 seconds - press a key on the console to abort',
  '',
].join('\n');
const NO_ROOT = 'Mounting from ufs:/dev/ada0p2 failed with error 19.\n\nLoader variables:\n\nmountroot> ';
const LOGIN = 'Starting sshd.\n\nFreeBSD/amd64 (fruix) (ttyv0)\n\nlogin: ';
const ANSWERS = {};
const STUCK = { boot: { sshd: 'never', screen: [{ text: NO_ROOT }] } };
/** The last probe takes so long that what comes after the answer comes before the end. */
const SLOW = { 'sshd-status': { delayMs: 2_500 } };
const LATER_MS = 1_200;

interface Row {
  readonly name: string;
  readonly guests: readonly unknown[];
  /** The lab file names no serial text, as no real lab's does. */
  readonly blind: boolean;
  readonly scale: string;
  readonly code: number;
  readonly fault: string;
  readonly says: RegExp;
  /** What the evidence has. */
  readonly evidence: RegExp;
  readonly secondsMax?: number;
}

const ROWS: readonly Row[] = [
  {
    name: 'a panic on the screen alone ends the wait, and is the image’s',
    guests: [{ boot: { sshd: 'never', screen: [{ text: LOGIN }, { afterMs: 1_500, text: PANIC }] } }],
    ...{ blind: true, scale: '1', code: 1, fault: 'GUEST_PANICKED', says: /panic: page fault.*freebsd-panic/ },
    evidence: /"milestone":"end".*"file":"console\/\d{3}-|sameAsBefore/,
    secondsMax: 30,
  },
  {
    name: 'the same with a serial port that says nothing of it',
    guests: [{ boot: { sshd: 'never', screen: [{ text: LOGIN }, { afterMs: 1_500, text: PANIC }] } }],
    ...{ blind: false, scale: '1', code: 1, fault: 'GUEST_PANICKED', says: /panic: page fault.*freebsd-panic/ },
    evidence: /"name":"screen read"/,
    secondsMax: 30,
  },
  {
    name: 'a root that is not found, on the screen alone: the control is asked, and answers',
    guests: [STUCK, ANSWERS, STUCK],
    ...{ blind: true, scale: '1', code: 1, fault: 'GUEST_SILENT', says: /mountroot.*control image answered/ },
    evidence: /no-root/,
  },
  {
    name: 'a guest that answers: pictures are kept, and nothing is read',
    guests: [{ boot: { screen: [{ text: LOGIN }] } }],
    ...{ blind: true, scale: '0.1', code: 0, fault: 'none', says: /every check held/ },
    evidence: /"milestone":"answered".*001-(change|answered)\.png[\s\S]*"screen not read".*not changed since/,
  },
  {
    name: 'a panic that the screen shows after the answer makes an ERROR of a PASS, never a FAIL',
    guests: [{ boot: { screen: [{ text: LOGIN }, { afterMs: LATER_MS, text: PANIC }] }, answers: SLOW }],
    ...{
      blind: true,
      scale: '0.5',
      code: 3,
      fault: 'CONSOLE_FAULT',
      says: /every check held.*screen.*panic: page fault/,
    },
    evidence: /"milestone":"end"/,
  },
  {
    name: 'the same on the serial port',
    guests: [{ boot: { serial: PANIC, serialAfterMs: LATER_MS }, answers: SLOW }],
    ...{ blind: false, scale: '0.5', code: 3, fault: 'CONSOLE_FAULT', says: /serial port shows "panic: page fault"/ },
    evidence: /"name":"no screen"/,
  },
  {
    name: 'a panic that was on the screen before the answer is of the past',
    guests: [{ boot: { screen: [{ text: PANIC }] } }],
    ...{ blind: true, scale: '0.1', code: 0, fault: 'none', says: /every check held/ },
    evidence: /"screen not read"/,
  },
  {
    name: 'a guest that boots anew in the middle: its console has ended, and is opened again',
    guests: [{ boot: { screen: [{ text: LOGIN }] }, answers: { 'sshd-status': { goes: 'reboot' } } }],
    ...{ blind: true, scale: '0.5', code: 3, fault: 'GUEST_REBOOTED', says: /in another boot/ },
    evidence: /"name":"no screen"[\s\S]*"milestone":"end"/,
  },
  {
    name: 'a guest without a screen says so, and is judged by its answers',
    guests: [ANSWERS],
    ...{ blind: true, scale: '0.1', code: 0, fault: 'none', says: /every check held/ },
    evidence: /"name":"no screen".*Xen Orchestra closed it/,
  },
];

const withoutSerial = (text: string): string => text.replace(/^serial_path.*\n/m, '');

const outcomes = inLanes(1, ROWS, ({ guests, scale, blind }) =>
  witness({
    answers: { guests },
    args: ['--budget-scale', scale],
    ...(blind ? { labFile: withoutSerial } : {}),
  }),
);

for (const row of ROWS) {
  t.test(row.name, async (t) => {
    const played = await outcomes.get(row);
    if (played === undefined) throw new Error('not run');
    t.equal(played.metadata.get('fault'), row.fault, played.stderr);
    t.equal(played.code, row.code);
    t.match(played.metadata.get('reason'), row.says);
    t.match(played.file('evidence.ndjson'), row.evidence);
    t.equal(played.metadata.get('leaked'), '0');
    if (row.secondsMax !== undefined) t.ok(played.seconds <= row.secondsMax, `${played.seconds} s`);
    for (const { file, sha256 } of pictures(played)) {
      const bytes = Buffer.from(played.file(file, 'latin1'), 'latin1');
      t.equal(createHash('sha256').update(bytes).digest('hex'), sha256, `${file} is what the evidence says`);
      const { width, height } = PNG.sync.read(bytes);
      t.same([width, height], [720, 400], 'another decoder reads it');
    }
  });
}

function pictures(played: Played): readonly { readonly file: string; readonly sha256: string }[] {
  const lines = played.file('evidence.ndjson').trim().split('\n');
  const shots = lines.map((line) => JSON.parse(line)).filter(({ name }) => name === 'screenshot');
  return shots.map(({ data }) => data).filter(({ sha256 }) => sha256 !== undefined);
}
