/** Guests that stop, or boot again and again, while they are waited for: rows of the matrix. */
import { PANICKED, PASS, type Row, SILENT } from '../../wire/rows.ts';

const SCALE = 0.15;
const FIRMWARE = 'SeaBIOS (version 1.16.2)\n\n\niPXE (http://ipxe.org)\n\n\nBooting from Hard Disk...\n';
const twice = (boot: object) => ({ guests: [{ boot }, {}, { boot }] });
const PANIC = 'panic: page fault\ncpuid = 0\ntime = 1\nKDB: stack backtrace:\n';

/** What only the image can cause is its fault at once where it is seen, and by the control where it is not. */
const FATAL: readonly (readonly [name: string, serial: string])[] = [
  ['panic of FreeBSD’s kernel', PANIC],
  ['panic of Linux’s kernel', 'Kernel panic - not syncing: Attempted to kill init!\n'],
  ['init died', 'init died (signal 0, exit 1)\npanic: Going nowhere without my init!\ncpuid = 0\n'],
  ['fsck refuses', '/dev/ada0p2: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY.\n'],
  ['a shell for a person', 'Enter full pathname of shell or RETURN for /bin/sh: '],
  ['rc gives up', 'ERROR: ABORTING BOOT (sending SIGTERM to parent)!\n'],
];

/** What a lab can cause as well goes through the control. */
const STUCK: readonly (readonly [name: string, serial: string])[] = [
  ['mountroot> of FreeBSD', 'Mounting from ufs:/dev/ada0p2 failed with error 19.\nmountroot> '],
  ['no root for Linux', 'Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\n'],
  ['no bootable device', 'Booting from Hard Disk...\nNo bootable device.\n'],
];

export const CONSOLE: readonly Row[] = [
  ...FATAL.map(
    ([name, serial]): Row => ({
      ...{ name, answers: twice({ sshd: 'never', serial }), scale: SCALE, ...PANICKED },
      blind: { ...SILENT },
    }),
  ),
  ...STUCK.map(([name, serial]): Row => ({ name, answers: twice({ sshd: 'never', serial }), scale: SCALE, ...SILENT })),
  {
    name: 'a guest that boots again and again',
    answers: twice({
      ...{ delayMs: 60_000, rebootAfterMs: 1_500, serial: 'Booting from Hard Disk...\n---<<BOOT>>---\n' },
      screen: [{ text: FIRMWARE }, { afterMs: 700, text: 'Copyright (c) 1992-2024 The FreeBSD Project.\n\n\nCPU: x' }],
    }),
    ...{ scale: SCALE, ...SILENT },
  },
  {
    name: 'a guest that powers itself off while it is waited for',
    answers: twice({ sshd: 'never', haltAfterMs: 300 }),
    ...{ scale: SCALE, ...SILENT, says: /powered itself off/ },
  },
  {
    name: 'a panic line of the past does not outweigh an answer',
    answers: { guests: [{ boot: { serial: `Booting\n${PANIC}` } }] },
    ...PASS,
  },
];
