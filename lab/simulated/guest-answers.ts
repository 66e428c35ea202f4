/**
 * The file that tells simulated guests to be other than healthy (`--guest-answers FILE`), read and
 * checked key by key: a misspelt key that is ignored would make a broken guest healthy.
 */
import { readFileSync } from 'node:fs';
import { Fields, listOf, misfit } from './fields.ts';

export const BOOT_MODES = ['freebsd-init+rc.d-shepherd', 'shepherd-pid1'] as const;
export type BootMode = (typeof BOOT_MODES)[number];

const SSHD = ['normal', 'never', 'refuse-key', 'banner-then-silence', 'immediate-end', 'old-algorithms'] as const;
/**
 * - `never`: connected, no byte ever, as of a guest that hangs;
 * - `immediate-end`: connected and closed at once, as of a guest that is up without sshd;
 * - `banner-then-silence`: an sshd that says its banner and nothing more;
 * - `refuse-key`: an sshd that knows another key;
 * - `old-algorithms`: an sshd that has no key exchange in common with today's clients.
 */
export type Sshd = (typeof SSHD)[number];

const REBOOT = ['boots', 'ignores', 'stays-silent', 'halts', 'keeps-boot-id', 'panics'] as const;
/**
 * What a guest does that is asked to reboot.
 * - `keeps-boot-id`: its connections end, and it answers again in the same boot;
 * - `panics`: a panic of FreeBSD's on the serial port, and silence.
 */
export type Reboot = (typeof REBOOT)[number];

const BECOME = ['su', 'doas', 'sudo'] as const;
export type Become = (typeof BECOME)[number];

export interface BootBehaviour {
  /** From power-on to sshd. Default 0. */
  readonly delayMs: number;
  readonly sshd: Sshd;
  /** Who may log in. Default root. */
  readonly user: string;
  /** How that user becomes root; null: no such program lets it. Root itself needs none. */
  readonly become: Become | null;
  /** From power-on to the guest's own power-off; null: never. */
  readonly haltAfterMs: number | null;
  readonly reboot: Reboot;
  /** From power-on, and from each boot after it, to the guest's own reboot; null: never. */
  readonly rebootAfterMs: number | null;
  /** Appended to what the serial port says, from `serialAfterMs` after power-on. */
  readonly serial: string;
  /** Default 0. */
  readonly serialAfterMs: number;
  /**
   * What the screen shows, each from its time after power-on; `serial`: what the serial port says in this boot, as a
   * guest that prints on both; null: the VM has no screen.
   */
  readonly screen: readonly ScreenText[] | 'serial' | null;
}

/** Text of a screen of 80 by 25 letters; what goes beyond is cut. */
export interface ScreenText {
  readonly afterMs: number;
  readonly text: string;
}

/** What the shell of a login does to every answer. */
export interface ShellBehaviour {
  /** Said before each answer, as by a profile; `{{nonce}}` is not filled in: no profile can know it. */
  readonly banner: string;
  /** Every line ends with CR and LF. */
  readonly crlf: boolean;
}

/** How one question is answered. Without any of these: as a healthy guest does. */
export interface Answer {
  /** Applies from the n-th time this probe is asked; 1 is the first. */
  readonly after: number;
  /** Applies from the n-th boot on; 1 is the first. */
  readonly boot: number;
  /** Laid over the healthy facts; null takes one away. */
  readonly facts: Readonly<Record<string, string | null>>;
  /** Standard output word by word, instead of facts; `{{nonce}}` is filled in. */
  readonly raw: string | null;
  readonly stderr: string;
  /** Exit status: of the shell for `raw`, else of the script as its end line names it. */
  readonly exit: number;
  /** No answer, and the channel stays open. */
  readonly hang: boolean;
  /** Standard output ends after this many bytes and the channel closes without an exit status. */
  readonly cut: number | null;
  /** The whole connection ends instead of an answer. */
  readonly drop: boolean;
  /** The guest halts, boots anew, panics, or loses its sshd for good (`deaf`), instead of an answer. */
  readonly goes: 'halt' | 'reboot' | 'panic' | 'deaf' | null;
  /** Standard output starts with this many bytes that mean nothing. */
  readonly garbage: number;
  /** All is said and the exit status told, but the channel is never closed. */
  readonly open: boolean;
  readonly delayMs: number;
}

export interface GuestBehaviour {
  /** Null: that of the image where it is known. */
  readonly bootMode: BootMode | null;
  /** What `/run/current-system` leads to. Null: that of the image where it is known. */
  readonly closure: string | null;
  readonly boot: BootBehaviour;
  readonly shell: ShellBehaviour;
  /** By probe; of several answers the last whose `after` has come counts. */
  readonly answers: Readonly<Record<string, readonly Answer[]>>;
}

export interface GuestAnswers {
  /** For the first VM started, the second, …; the last one for all later ones. */
  readonly guests: readonly GuestBehaviour[];
  /** Whether `guests` counts VMs, or power-ons: a VM that is overwritten and started again is another guest then. */
  readonly counts: 'VMs' | 'starts';
  /** By GUID of the VM's first disk, before `guests`: for its first VM, its second, …; the last for all later ones. */
  readonly disks: Readonly<Record<string, readonly GuestBehaviour[]>>;
}

/** Says nothing of its own. */
export const HEALTHY: GuestBehaviour = {
  bootMode: null,
  closure: null,
  boot: {
    ...{ delayMs: 0, sshd: 'normal', user: 'root', become: null, haltAfterMs: null, rebootAfterMs: null },
    ...{ reboot: 'boots', serial: '', serialAfterMs: 0, screen: null },
  },
  shell: { banner: '', crlf: false },
  answers: {},
};

/** @throws Error naming the file and the key, what was expected and what was given. */
export function readGuestAnswers(path: string): GuestAnswers {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`guest answers: expected a JSON file, given ${path}: ${why}`, { cause });
  }
  return guestAnswersOf(value, path);
}

/** @param where stands at the head of every message. */
export function guestAnswersOf(value: unknown, where: string): GuestAnswers {
  const fields = new Fields(value, where, ['guests', 'disks', 'counts']);
  const disks: Record<string, readonly GuestBehaviour[]> = {};
  for (const [guid, list] of Object.entries(fields.object('disks'))) {
    disks[guid.toLowerCase()] = listOf(list, `${where}: disks.${guid}`, guestOf);
  }
  const counts = fields.oneOf('counts', ['VMs', 'starts']) ?? 'VMs';
  return { guests: listOf(fields.value('guests') ?? [], `${where}: guests`, guestOf), disks, counts };
}

function guestOf(value: unknown, where: string): GuestBehaviour {
  const fields = new Fields(value, where, ['bootMode', 'closure', 'boot', 'shell', 'answers']);
  const answers: Record<string, readonly Answer[]> = {};
  for (const [probe, given] of Object.entries(fields.object('answers'))) {
    answers[probe] = listOf(Array.isArray(given) ? given : [given], `${where}.answers.${probe}`, answerOf);
  }
  return {
    bootMode: fields.oneOf('bootMode', BOOT_MODES),
    closure: fields.text('closure'),
    boot: bootOf(fields.object('boot'), `${where}.boot`),
    shell: shellOf(fields.object('shell'), `${where}.shell`),
    answers,
  };
}

const AFTER = ['haltAfterMs', 'rebootAfterMs', 'serialAfterMs'];
const BOOT_KEYS = ['delayMs', 'sshd', 'user', 'become', 'reboot', ...AFTER, 'serial', 'screen'];

function bootOf(value: unknown, where: string): BootBehaviour {
  const fields = new Fields(value, where, BOOT_KEYS);
  return {
    delayMs: fields.whole('delayMs') ?? 0,
    sshd: fields.oneOf('sshd', SSHD) ?? 'normal',
    user: fields.text('user') ?? 'root',
    become: fields.oneOf('become', BECOME),
    haltAfterMs: fields.whole('haltAfterMs'),
    reboot: fields.oneOf('reboot', REBOOT) ?? 'boots',
    rebootAfterMs: fields.whole('rebootAfterMs'),
    serial: fields.text('serial') ?? '',
    serialAfterMs: fields.whole('serialAfterMs') ?? 0,
    screen: screensOf(fields.value('screen') ?? null, `${where}.screen`),
  };
}

function screensOf(value: unknown, where: string): BootBehaviour['screen'] {
  return value === null || value === 'serial' ? value : listOf(value, where, screenOf);
}

function shellOf(value: unknown, where: string): ShellBehaviour {
  const fields = new Fields(value, where, ['banner', 'crlf']);
  return { banner: fields.text('banner') ?? '', crlf: fields.flag('crlf') };
}

function screenOf(value: unknown, where: string): ScreenText {
  const fields = new Fields(value, where, ['afterMs', 'text']);
  return { afterMs: fields.whole('afterMs') ?? 0, text: fields.text('text') ?? '' };
}

const ANSWER_KEYS = [
  ...['after', 'facts', 'raw', 'stderr', 'exit', 'hang', 'cut', 'drop', 'goes', 'garbage', 'open', 'delayMs', 'boot'],
];
const GOES = ['halt', 'reboot', 'panic', 'deaf'] as const;

function answerOf(value: unknown, where: string): Answer {
  const fields = new Fields(value, where, ANSWER_KEYS);
  const facts: Record<string, string | null> = {};
  for (const [key, fact] of Object.entries(fields.object('facts'))) {
    if (fact !== null && typeof fact !== 'string') throw misfit(`${where}.facts.${key}`, 'a string or null', fact);
    facts[key] = fact;
  }
  return {
    after: fields.whole('after') ?? 1,
    boot: fields.whole('boot') ?? 1,
    facts,
    raw: fields.text('raw'),
    stderr: fields.text('stderr') ?? '',
    exit: fields.whole('exit') ?? 0,
    hang: fields.flag('hang'),
    cut: fields.whole('cut'),
    drop: fields.flag('drop'),
    goes: fields.oneOf('goes', GOES),
    garbage: fields.whole('garbage') ?? 0,
    open: fields.flag('open'),
    delayMs: fields.whole('delayMs') ?? 0,
  };
}
