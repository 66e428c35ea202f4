/**
 * For tests: rows of faults as data (a broken guest or a broken lab, and what it must come to), and what is different
 * from that in a row that was played. One list serves the tests and `npm run matrix`.
 */
import type { Play, Played } from './witness.ts';

/** What a row must come to. */
export interface Expected {
  readonly result: 'PASS' | 'FAIL' | 'ERROR';
  readonly fault: string;
  readonly party: string;
  /** Exactly these checks did not hold; default: none. */
  readonly checks?: readonly string[];
  /** What the reason must say. */
  readonly says?: RegExp;
  /** The steps of the silence procedure as the evidence has them, the conclusion last; default: not looked at. */
  readonly path?: readonly RegExp[];
}

export interface Row extends Play, Expected {
  readonly name: string;
  /** What is otherwise where the lab shows neither serial text nor a screen. */
  readonly blind?: Partial<Expected>;
  /** What is otherwise where its screen is all that is seen; default: nothing, whatever serial text may show. */
  readonly screen?: Partial<Expected>;
  /** What stderr must say. */
  readonly tells?: RegExp;
  /** VMs and disks that cannot but stay; default: none. */
  readonly leaves?: number;
  /** Of the scenario's budgets, default 0.5: guests here answer at once or never. */
  readonly scale?: number;
  /** How often the session is made anew. */
  readonly reconnects?: number;
}

/**
 * With what a row is seen: a lab that shows serial text; one that shows neither it nor a screen; one that shows a
 * screen alone, as every real one does, with the guest printing there what it prints on its serial port.
 */
export const EYES = ['serial', 'blind', 'screen'] as const;
export type Eyes = (typeof EYES)[number];

export const PASS = { result: 'PASS', fault: 'none', party: 'none' } as const;
export const lab = (fault: string) => ({ result: 'ERROR', fault, party: 'lab' }) as const;
export const undetermined = (fault: string, says: RegExp) =>
  ({ result: 'ERROR', fault, party: 'undetermined', says }) as const;
/** Checks of a guest that failed: proof against the image. */
export const broken = (...checks: readonly string[]) =>
  ({ result: 'FAIL', fault: 'CHECKS_FAILED', party: 'image', checks }) as const;
/** Checks of a guest that could not be seen: says nothing about the image. */
export const unseen = (...checks: readonly string[]) =>
  ({ result: 'ERROR', fault: 'PROBE_UNOBSERVED', party: 'undetermined', checks }) as const;
/** The image, by the control image and a second chance. */
export const SILENT = { result: 'FAIL', fault: 'GUEST_SILENT', party: 'image' } as const;
/** The image, by its console. */
export const PANICKED = { result: 'FAIL', fault: 'GUEST_PANICKED', party: 'image' } as const;
/** One probe of a guest that is healthy otherwise. */
export const answering = (answer: unknown) => ({ guests: [{ answers: { 'shepherd-status': answer } }] });

const CODES = { PASS: 0, FAIL: 1, ERROR: 3 } as const;
/** Mishaps that come at their moment, once; one that never came proves nothing. */
const ONCE = [
  ...['drop-session-before', 'drop-session-after', 'drop-session-replied', 'stall', 'deleted-before', 'halted-before'],
  ...['restart', 'upload-restart', 'vanish-pool', 'revoke-token', 'vdi-in-use'],
];

export function expectedOf(row: Row, eyes: Eyes): Expected {
  return eyes === 'serial' ? row : { ...row, ...row[eyes] };
}

/** The row as it is played. */
export function playOf(row: Row, eyes: Eyes): Play {
  const shown = row.labFile ?? ((text: string) => text);
  return {
    ...row,
    // Reading takes its time, and a stop that was read ends the wait early anyway.
    args: ['--budget-scale', String(Math.max(row.scale ?? 0.5, eyes === 'screen' ? 1 : 0)), ...(row.args ?? [])],
    answers: withScreens(row.answers ?? {}, eyes === 'screen'),
    labFile: eyes === 'serial' ? shown : (text) => withoutSerial(shown(text)),
  };
}

/** What a console shows beyond the text that every guest prints. */
const SHOWS = /"serial":"|"(?:goes|reboot)":"panics?"/;

/** Whether a screen would show anything of the row; to others it is one without a console, and costs more. */
export const showsText = ({ answers }: Row): boolean => SHOWS.test(JSON.stringify(answers ?? {}));

/** @param shown true: each guest prints on its screen, too, unless it says what that shows; false: none has a screen */
function withScreens(answers: unknown, shown: boolean): unknown {
  const { guests = [], ...rest } = answers as { guests?: readonly { boot?: { screen?: unknown } }[] };
  const screenOf = ({ boot }: { boot?: { screen?: unknown } }): unknown => (shown ? (boot?.screen ?? 'serial') : null);
  return { ...rest, guests: guests.map((guest) => ({ ...guest, boot: { ...guest.boot, screen: screenOf(guest) } })) };
}

/** @throws Error where the lab file shows no serial text anyway: then the row would not be another one */
function withoutSerial(text: string): string {
  const blind = text.replace(/^\[console\]\n(?:\w.*\n)+/m, '');
  if (blind === text) throw new Error('the lab file has no [console] that could be taken away');
  return blind;
}

/** What is otherwise than expected, one sentence each; empty: the row came to what it must. */
export function differences(row: Row, eyes: Eyes, played: Played): readonly string[] {
  const wanted = expectedOf(row, eyes);
  const said = (key: string): string => played.metadata.get(key) ?? 'nothing';
  const leaves = row.leaves ?? 0;
  const code = wanted.result === 'PASS' && leaves > 0 ? 3 : CODES[wanted.result];
  // One that is switched on for the whole run is never spent.
  const awaited = [...(row.faults ?? []), ...(row.mishaps ?? []).filter((each) => each.endsWith(':once'))];
  const unspent = played.unspent.filter(
    (name) => ONCE.includes(name) && awaited.some((each) => each.startsWith(`${name}=`)),
  );
  return [
    ...unlike('result', wanted.result, said('result')),
    ...unlike('fault', wanted.fault, said('fault')),
    ...unlike('party', wanted.party, said('fault_party')),
    ...unlike('exit code', String(code), String(played.code)),
    ...unlike('checks', [...(wanted.checks ?? [])].sort().join(' '), ownCauses(wanted.checks ?? [], notHeld(played))),
    ...unmatched('the reason', wanted.says, whole(played, said('reason'))),
    ...unmatched('stderr', row.tells, played.stderr),
    ...(row.reconnects === undefined ? [] : unlike('reconnects', String(row.reconnects), said('xo_reconnects'))),
    ...unspent.map((name) => `the fault never came: ${name}`),
    ...(wanted.path === undefined ? [] : pathUnlike(wanted.path, played)),
    ...leftUnlike(leaves, played),
  ];
}

function unlike(what: string, expected: string, was: string): readonly string[] {
  return expected === was ? [] : [`${what}: expected ${expected || 'none'}, was ${was || 'none'}`];
}

function unmatched(what: string, expected: RegExp | undefined, was: string): readonly string[] {
  return expected === undefined || expected.test(was) ? [] : [`${what}: expected ${expected}, was: ${was}`];
}

/** Check → those that cannot hold where it does not: a module that is not loaded has no file and no values. */
const FOLLOWS: Readonly<Record<string, RegExp>> = {
  guile_module_smoke: /^(guile_module_file|shepherd_config|stale_cache)_/,
  // Another mode has another set of services.
  init_mode: /^shepherd_services$/,
  shepherd_status: /^(shepherd_services|process_prefixes)$/,
  shepherd_socket: /^(shepherd_services|process_prefixes)$/,
};

/** The checks that did not hold, without those that follow from one that is expected not to. */
function ownCauses(expected: readonly string[], names: readonly string[]): string {
  const follows = (name: string): boolean => expected.some((cause) => FOLLOWS[cause]?.test(name) === true);
  return names.filter((name) => expected.includes(name) || !follows(name)).join(' ');
}

/** A long value stands in a file of the workdir. */
function whole(played: Played, value: string): string {
  const file = /^see (evidence\/[\w.-]+)$/.exec(value)?.[1];
  return file === undefined ? value : played.file(file);
}

/** Names of the checks that did not hold, sorted. */
function notHeld(played: Played): readonly string[] {
  const { verdict } = JSON.parse(played.file('result.json')) as {
    verdict: { checks: readonly { name: string; outcome: string }[] };
  };
  return verdict.checks.flatMap(({ name, outcome }) => (outcome === 'held' ? [] : [name])).sort();
}

function pathUnlike(expected: readonly RegExp[], played: Played): readonly string[] {
  const lines = played.file('evidence.ndjson').trimEnd().split('\n');
  const record = lines.find((line) => line.includes('"kind":"silence"'));
  if (record === undefined) return ['the silence procedure is not in the evidence'];
  const { path } = (JSON.parse(record) as { data: { path: readonly string[] } }).data;
  const fits = path.length === expected.length && expected.every((step, at) => step.test(path[at] ?? ''));
  return fits ? [] : [`the silence procedure: expected ${expected.join(' ')}, was ${JSON.stringify(path)}`];
}

function leftUnlike(leaves: number, played: Played): readonly string[] {
  if (leaves === 0) return played.left.map((thing) => `left in the pool: ${thing}`);
  const things = played.left.filter((each) => /^(VM|VDI) /.test(each));
  return [
    ...unlike('things left in the pool', String(leaves), String(things.length)),
    ...unmatched('stderr', /^LEFT IN THE LAB: /m, played.stderr),
  ];
}
