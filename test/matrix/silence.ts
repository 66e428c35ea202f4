/**
 * Silence on every kind of lab, each branch of the procedure that decides it (design §3): rows of the matrix, with the
 * steps that must stand in the evidence.
 */
import { fixedOptions, makeVm } from '../wire/operators-vm.ts';
import { type Expected, lab, PANICKED, type Row, SILENT, undetermined } from '../wire/rows.ts';
import type { Play } from '../wire/witness.ts';
import type { Classes } from './classes.ts';
import { withoutSlots } from './labs/network.ts';

/** Seconds of boot budget: simulated guests answer at once or never. */
const SCALE = 0.15;
const MUTE = { boot: { sshd: 'never' } };
const REFUSES = { boot: { sshd: 'refuse-key' } };
const PANIC = { boot: { sshd: 'never', serial: 'Booting\npanic: page fault\ncpuid = 0\n' } };
const NO_ROOT = { boot: { sshd: 'never', serial: 'mountroot> \n' } };
const HALTS = { boot: { sshd: 'never', haltAfterMs: 300 } };
const WELL = {};

const FIRST = /^image silent: /;
const concluded = (code: string): RegExp => new RegExp(`^concluded ${code}$`);
const ANSWERED = [FIRST, /^control answered$/] as const;

const IMAGE = { ...SILENT, path: [...ANSWERED, /^image again .* after \d+ s/, concluded('GUEST_SILENT')] };
const CONTROL = { ...lab('CONTROL_SILENT'), path: [FIRST, /^control .* after \d+ s/, concluded('CONTROL_SILENT')] };
const ONCE = {
  ...undetermined('SILENT_ONCE', /silent once .* answered when booted again/),
  path: [...ANSWERED, /^image again answered$/, concluded('SILENT_ONCE')],
};
const NO_CONTROL = {
  ...undetermined('SILENT_NO_CONTROL', /no control image is configured/),
  path: [FIRST, /^no control$/, concluded('SILENT_NO_CONTROL')],
};
const AT_ONCE = { ...PANICKED, path: [FIRST, concluded('GUEST_PANICKED')] };

/** One branch: the first guest is the image, the second the control, the third the image once more. */
interface Branch extends Expected, Pick<Row, 'blind'> {
  readonly name: string;
  readonly guests: readonly object[];
}

const DECIDED: readonly Branch[] = [
  { name: 'silent, control answers, silent again', guests: [MUTE, WELL, MUTE], ...IMAGE },
  { name: 'silent, and so is the control', guests: [MUTE, MUTE], ...CONTROL },
  { name: 'silent once', guests: [MUTE, WELL, WELL], ...ONCE },
  {
    name: 'silent, and the control refuses the key',
    guests: [MUTE, REFUSES],
    ...undetermined('SILENT_NO_CONTROL', /control .*key refused/),
    path: [FIRST, /^control could not be asked: SSH_KEY_REFUSED/, concluded('SILENT_NO_CONTROL')],
  },
  {
    name: 'silent, control answers, then the image refuses the key',
    guests: [MUTE, WELL, REFUSES],
    ...undetermined('SILENT_ONCE', /then spoke .*key refused/),
    path: [...ANSWERED, /^image again spoke: SSH_KEY_REFUSED/, concluded('SILENT_ONCE')],
  },
  { name: 'a panic', guests: [PANIC, WELL, PANIC], ...AT_ONCE, blind: { ...IMAGE } },
  {
    name: 'a panic, in a lab where the control panics, too',
    guests: [PANIC, PANIC],
    ...AT_ONCE,
    blind: { ...CONTROL },
  },
  { name: 'no root, control answers', guests: [NO_ROOT, WELL, NO_ROOT], ...IMAGE },
  { name: 'no root, nor for the control', guests: [NO_ROOT, NO_ROOT], ...CONTROL },
  { name: 'powers itself off, control answers', guests: [HALTS, WELL, HALTS], ...IMAGE },
  {
    name: 'silent, and the control is another machine',
    guests: [
      MUTE,
      { answers: { 'guest-identity': { facts: { 'uuid.dmi': '11111111-2222-3333-4444-555555555555' } } } },
    ],
    ...lab('WRONG_GUEST'),
    path: [FIRST, /^stopped by WRONG_GUEST$/],
  },
];

const UNDECIDED: readonly Branch[] = [
  { name: 'silent', guests: [MUTE], ...NO_CONTROL },
  { name: 'powers itself off', guests: [HALTS], ...NO_CONTROL },
  { name: 'no root', guests: [NO_ROOT], ...NO_CONTROL },
  { name: 'a panic', guests: [PANIC], ...AT_ONCE, blind: { ...NO_CONTROL } },
];

const on = (kind: string, play: Play, branches: readonly Branch[], counts: 'VMs' | 'starts'): readonly Row[] =>
  branches.map(
    ({ name, guests, ...rest }): Row => ({
      ...{ ...play, ...rest, name: `${kind}: ${name}`, scale: SCALE, answers: { guests, counts } },
    }),
  );

const fixedWith = (...more: readonly string[]): Play => ({
  before: async (backstage) => [...fixedOptions(await makeVm(backstage)), ...more],
});

/** The guest's tools tell its address, and nothing else does. */
const TOLD: Play = { ...fixedWith('--fixed-control'), labFile: withoutSlots, mishaps: ['guest-metrics=own'] };

/** Of the three boots the named ones are told an address: where nobody knows one, nobody can be asked. */
function toldAt(...told: readonly number[]): Play {
  // By run: a row is played with serial text and without, perhaps at the same time.
  const counts = new WeakMap<object, number>();
  return {
    ...fixedWith('--fixed-control'),
    labFile: withoutSlots,
    onStage: (stage, { lab, mishaps }) => {
      if (!/^boot( control)?$/.test(stage)) return;
      const boots = (counts.get(lab) ?? 0) + 1;
      counts.set(lab, boots);
      if (told.includes(boots)) mishaps.set('guest-metrics', 'own');
      else mishaps.clear('guest-metrics');
    },
  };
}

const WITHOUT_ADDRESS: readonly Row[] = [
  { name: 'no slots: the image gets no address, the control does', ...toldAt(2), ...IMAGE },
  { name: 'no slots: nobody gets an address', ...toldAt(), ...CONTROL },
  { name: 'no slots: the image gets none at first', ...toldAt(2, 3), ...ONCE },
  {
    name: 'no slots: no address, and no control',
    ...{ ...fixedWith(), labFile: withoutSlots },
    ...undetermined('ADDRESS_UNKNOWN', /guest-metrics knows none/),
    path: [FIRST, /^no control$/, concluded('ADDRESS_UNKNOWN')],
  },
  {
    name: 'no slots: a panic before there is an address',
    ...{ ...toldAt(2), answers: { guests: [PANIC, WELL, PANIC], counts: 'starts' }, ...AT_ONCE },
    blind: { ...IMAGE },
  },
  {
    name: 'no slots: it powers itself off before there is an address',
    ...{ ...toldAt(2), answers: { guests: [HALTS, WELL, HALTS], counts: 'starts' }, ...IMAGE },
  },
].map((row) => ({ scale: SCALE, ...row }));

/** By kind of lab. */
export const SILENCE: Classes = {
  'a VM of our own': on('ephemeral', {}, DECIDED, 'VMs'),
  'no control': on('ephemeral, no control', { args: ['--control', 'none'] }, UNDECIDED, 'VMs'),
  "the operator's VM, control not allowed": on('fixed', fixedWith(), UNDECIDED, 'starts'),
  "the operator's VM, control allowed": on('fixed, control allowed', fixedWith('--fixed-control'), DECIDED, 'starts'),
  'no slots': [...on('no slots', TOLD, DECIDED.slice(0, 3), 'starts'), ...WITHOUT_ADDRESS],
};
