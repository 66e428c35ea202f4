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
const FIRMWARE = 'SeaBIOS (version 1.16.2)\n\n\n\niPXE (http://ipxe.org) 00:03.0\n\n\n\nBooting from Hard Disk...\n';
const KERNEL = 'Linux version 6.12.0\nCommand line: root=LABEL=x\n\n\nRAMDISK: loading\nFreeing memory\n';
/** As a VGA shows it: firmware, nothing for a moment, the kernel, and again. */
const LOOP = {
  boot: {
    ...{ sshd: 'never', rebootAfterMs: 2_000 },
    screen: [{ text: FIRMWARE }, { afterMs: 900, text: '' }, { afterMs: 1_000, text: KERNEL }],
  },
};
const SERIAL_ONLY = { boot: { sshd: 'never', screen: [{ text: FIRMWARE }], serial: 'login: ' } };
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
  readonly args?: readonly string[];
  /** What the metadata has, by key. */
  readonly metadata?: Readonly<Record<string, RegExp>>;
  readonly secondsMax?: number;
}

const ROWS: readonly Row[] = [
  {
    name: 'a panic on the screen alone ends the wait, and is the image’s',
    guests: [{ boot: { sshd: 'never', screen: [{ text: LOGIN }, { afterMs: 1_500, text: PANIC }] } }],
    ...{ blind: true, scale: '1', code: 1, fault: 'GUEST_PANICKED', says: /panic: page fault.*freebsd-panic/ },
    evidence: /"file":"console\/001-power-on\.png"[\s\S]*"milestone":"end".*("file":"console\/\d{3}-|sameAsBefore)/,
    secondsMax: 50,
  },
  {
    name: 'the same with a serial port that says nothing of it',
    guests: [{ boot: { sshd: 'never', screen: [{ text: LOGIN }, { afterMs: 1_500, text: PANIC }] } }],
    ...{ blind: false, scale: '1', code: 1, fault: 'GUEST_PANICKED', says: /panic: page fault.*freebsd-panic/ },
    evidence: /"name":"screen read"/,
    secondsMax: 50,
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
    evidence: /"milestone":"answered".*001-(power-on|answered)\.png[\s\S]*"screen not read".*not changed since/,
    metadata: { console_serial: /^false$/, console_screen: /not changed since/, console_noted: /^none$/ },
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
    name: 'one that was there before the answer blames nobody when sshd dies',
    guests: [{ boot: { screen: [{ text: PANIC }] }, answers: { 'shepherd-status': { goes: 'deaf' } } }],
    ...{ blind: true, scale: '0.25', code: 3, fault: 'SSH_LOST', says: /did not answer again/ },
    evidence: /"milestone":"lost"/,
  },
  {
    name: 'one that comes after the answer, when the connection is lost, is the image’s',
    guests: [{ boot: { screen: 'serial' }, answers: { 'shepherd-status': { delayMs: 2_500, goes: 'panic' } } }],
    ...{ blind: true, scale: '0.5', code: 1, fault: 'GUEST_PANICKED', says: /panic: page fault.*freebsd-panic/ },
    evidence: /"milestone":"lost"/,
  },
  {
    name: 'a guest that boots again and again, on the screen alone: the wait ends, and nobody is blamed for it',
    guests: [LOOP],
    ...{ blind: true, scale: '0.5', code: 3, fault: 'SILENT_NO_CONTROL', says: /console: "[^"]*, \d+ times"/ },
    ...{ args: ['--control', 'none'], evidence: /"name":"boot-loop"/ },
  },
  {
    name: 'a guest whose console is serial only: its screen stays at the firmware, which is said',
    guests: [SERIAL_ONLY, ANSWERS, SERIAL_ONLY],
    ...{ blind: true, scale: '0.1', code: 1, fault: 'GUEST_SILENT', says: /while the control image answered/ },
    evidence: /"screen read"/,
    metadata: { console_screen: /no more than ".*" of a firmware, as that of a guest whose console is serial only/ },
  },
  {
    name: 'symptoms are noted, and decide nothing',
    guests: [{ boot: { serial: 'udhcpc: no lease, failing\nService sshd is disabled. (Respawning too fast.)\n' } }],
    ...{ blind: false, scale: '0.1', code: 0, fault: 'none', says: /every check held/ },
    evidence: /"noted on serial"/,
    metadata: { console_noted: /^shepherd-respawning: Service sshd .*; no-dhcp: udhcpc: no lease, failing$/ },
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

const outcomes = inLanes(2, ROWS, ({ guests, scale, blind, args = [] }) =>
  witness({
    answers: { guests },
    args: ['--budget-scale', scale, ...args],
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
    for (const [key, is] of Object.entries(row.metadata ?? {})) t.match(played.metadata.get(key), is, key);
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
