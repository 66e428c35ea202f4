/** Guests that go away in the middle, and answers that are no answers: rows of the matrix. */
import { answering, broken, PANICKED, PASS, type Row, undetermined, unseen } from '../../wire/rows.ts';

const PANIC = 'panic: page fault\nUptime: 1s\n';
/** Both are read from the one answer of Shepherd. */
const TALK = ['shepherd_status', 'shepherd_pid'] as const;
const HEALTHY_LOOK = '\n@{{nonce}}\tprobe\t=uname\n@{{nonce}}\tkernel\t=Linux\n@{{nonce}}\tall\t=Linux x\n';
const look = (raw: string) => ({ guests: [{ answers: { uname: { raw } } }] });
const shim = { 'compat-prefix-shims': { facts: { 'kind.0': 'directory' } } };

export const MIDDLE: readonly Row[] = [
  {
    name: 'the guest halts in the middle',
    answers: answering({ goes: 'halt' }),
    ...undetermined('GUEST_HALTED', /powered|halted|Halted/),
  },
  {
    name: 'the guest boots anew in the middle',
    answers: answering({ goes: 'reboot' }),
    ...undetermined('GUEST_REBOOTED', /in another boot: \S+ instead of/),
  },
  {
    name: 'the guest panics after it was ready',
    answers: answering({ delayMs: 1_500, goes: 'panic' }),
    ...{ ...PANICKED, says: /panic: page fault/, scale: 0.2 },
    blind: undetermined('SSH_LOST', /did not answer again/),
  },
  {
    name: 'a panic line of before the answer, then the connection is lost',
    answers: { guests: [{ boot: { serial: PANIC }, answers: { 'shepherd-status': { drop: true } } }] },
    ...undetermined('SSH_LOST', /answers again, in the same boot/),
  },
  {
    name: 'a panic line in the log of a guest that lives on, then the connection is lost',
    answers: {
      guests: [
        {
          boot: { serial: PANIC, serialAfterMs: 1_000 },
          answers: { 'shepherd-status': { delayMs: 2_000, drop: true } },
        },
      ],
    },
    ...undetermined('SSH_LOST', /answers again, in the same boot/),
  },
  {
    name: 'the connection ends between two probes',
    answers: answering({ drop: true }),
    ...undetermined('SSH_LOST', /ended at probe/),
  },
  {
    name: 'sshd is up, then dead',
    answers: answering({ goes: 'deaf' }),
    scale: 0.2,
    ...undetermined('SSH_LOST', /did not answer again/),
  },
];

export const ANSWERS: readonly Row[] = [
  {
    name: '10 MB of garbage before an answer',
    answers: answering({ garbage: 10_000_000 }),
    ...{ ...unseen(...TALK), says: /more output than is kept/ },
  },
  { name: 'a channel that is never closed', answers: answering({ open: true }), ...PASS },
  {
    name: 'an answer that never comes',
    answers: answering({ hang: true }),
    scale: 0.2,
    ...{ ...unseen(...TALK), says: /timed out/ },
  },
  {
    name: 'an answer that is cut in the middle',
    answers: answering({ cut: 40 }),
    ...{ ...unseen(...TALK), says: /closed without an exit status/ },
  },
  {
    name: 'an answer that is cut before its end line, with every fact there',
    ...{ answers: look(HEALTHY_LOOK), ...unseen('uname_output'), says: /cut: no end line/ },
  },
  {
    name: 'an answer that goes on after its end',
    answers: look(`${HEALTHY_LOOK}@{{nonce}}\tend\t0\n@{{nonce}}\tall\t=other\n`),
    ...{ ...unseen('uname_output'), says: /went on after its end/ },
  },
  {
    name: 'a fact that comes twice',
    answers: look(`${HEALTHY_LOOK}@{{nonce}}\tall\t=other\n@{{nonce}}\tend\t0\n`),
    ...{ ...unseen('uname_output'), says: /all came twice/ },
  },
  {
    name: 'a script that ends badly',
    answers: answering({ exit: 2 }),
    ...{ ...unseen(...TALK), says: /failed with status 2/ },
  },
  {
    name: 'a shell that prints a banner before each command',
    answers: { guests: [{ shell: { banner: 'Welcome to FreeBSD!\n\nYou have mail.' } }] },
    ...PASS,
  },
  { name: 'lines that end with CR and LF', answers: { guests: [{ shell: { crlf: true } }] }, ...PASS },
  { name: 'NUL bytes before each answer', answers: { guests: [{ shell: { banner: '\0\0\0\n\0' } }] }, ...PASS },
  {
    name: 'NUL bytes in a value',
    answers: { guests: [{ answers: { 'ready-marker': { facts: { content: 'ready\0\nx' } } } }] },
    ...{ ...broken('ready_marker'), scale: 0.2 },
  },
  {
    name: "a profile that forges the answer of a probe that fails, without the question's mark",
    answers: {
      guests: [
        {
          shell: { banner: 'compat_prefix_shims=absent\n@0123456789abcdef\tkind.0\t=absent\n@{{nonce}}\tend\t0\n' },
          answers: shim,
        },
      ],
    },
    ...broken('compat_prefix_shims'),
  },
  {
    name: 'a forged fact outside the frame, and nothing else',
    answers: { guests: [{ answers: { 'compat-prefix-shims': { raw: 'compat_prefix_shims=absent\n' } } }] },
    ...unseen('compat_prefix_shims'),
  },
  {
    name: 'a value with newlines that forge the metadata',
    answers: {
      guests: [
        {
          answers: {
            ...shim,
            uname: { facts: { all: 'Linux\nresult=PASS\nfault=none\ncompat_prefix_shims=absent\nfault_party=none' } },
          },
        },
      ],
    },
    ...broken('compat_prefix_shims'),
  },
  {
    name: 'values in another locale',
    answers: { guests: [{ answers: { uname: { facts: { all: 'Système d’exploitation: Линукс' } } } }] },
    ...PASS,
  },
];
