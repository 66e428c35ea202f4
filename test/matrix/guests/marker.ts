/** Ready markers that are wrong, late or old, and clocks that are: rows of the matrix. */
import { broken, PASS, type Row, unseen } from '../../wire/rows.ts';
import { type Facts, guest } from './facts.ts';

const CHECK = 'ready_marker';
/** Scale 0.2 of 30 s is how long a marker is awaited here. */
const SCALE = 0.2;
const ABSENT: Facts = { kind: 'absent', content: null, modified: '' };
const BOOT_S = 1_795_000_000;
const BEHIND_S = 1_136_000_000;
const AHEAD_S = 2_500_000_000;

const marker = (looks: readonly object[] | object) => guest({ 'ready-marker': looks });
const always = (facts: Facts) => marker({ facts });
const times = (boot: number, modified: number, now: number, device: number | null = null): Facts => ({
  ...{ boot: String(boot), modified: String(modified), now: String(now) },
  ...(device === null ? {} : { device_modified: String(device) }),
});

export const MARKER: readonly Row[] = [
  { name: 'no marker', answers: always(ABSENT), ...broken(CHECK) },
  { name: 'an empty marker', answers: always({ content: 'x' }), ...broken(CHECK) },
  { name: 'a marker that says something else', answers: always({ content: 'nearly\nx' }), ...broken(CHECK) },
  { name: 'a marker that says it twice', answers: always({ content: 'ready\nready\nx' }), ...broken(CHECK) },
  {
    name: 'a marker that is a directory',
    answers: always({ kind: 'no file', content: null, modified: '' }),
    ...broken(CHECK),
  },
  { name: 'a marker that is late, within its budget', answers: marker([{ facts: ABSENT }, { after: 4 }]), ...PASS },
  {
    name: 'a marker that is late, after its budget',
    answers: marker([{ facts: ABSENT }, { after: 40 }]),
    ...broken(CHECK),
  },
  {
    name: 'no marker, on a guest that takes seconds for a few commands',
    answers: marker({ facts: ABSENT, delayMs: 2_300 }),
    ...{ ...unseen(CHECK), says: /, \d looks: each took [23]\.\d s, so that the guest was too slow/ },
  },
  {
    name: 'a marker that is baked into the image',
    answers: always(times(BOOT_S, BOOT_S - 86_400, BOOT_S + 30, BOOT_S)),
    ...{ ...broken(CHECK), says: /86400 s older than this boot/ },
  },
  {
    name: 'a marker that is baked in, then written anew',
    answers: marker([
      { facts: times(BOOT_S, BOOT_S - 86_400, BOOT_S + 5, BOOT_S) },
      { after: 3, facts: times(BOOT_S, BOOT_S + 6, BOOT_S + 7) },
    ]),
    ...PASS,
  },
  { name: 'a marker that cannot be read', answers: always({ content: null }), ...unseen(CHECK) },
].map((row) => ({ scale: SCALE, ...row }));

export const CLOCK: readonly Row[] = [
  {
    name: "the guest's clock is years behind",
    answers: always(times(BEHIND_S, BEHIND_S + 3, BEHIND_S + 9)),
    ...PASS,
  },
  {
    name: "the guest's clock is at its epoch",
    answers: always(times(12, 20, 31)),
    ...PASS,
  },
  {
    name: "the guest's clock is years ahead",
    answers: always(times(AHEAD_S, AHEAD_S + 3, AHEAD_S + 9)),
    ...PASS,
  },
  {
    name: 'the clock steps forwards after the marker was written',
    answers: always(times(BOOT_S, BOOT_S - 3_600, BOOT_S + 30, BOOT_S - 3_605)),
    ...{ ...unseen(CHECK), says: /the clock was moved/ },
  },
  {
    name: 'the clock steps backwards after the marker was written',
    answers: always(times(BOOT_S - 3_600, BOOT_S, BOOT_S - 3_570)),
    ...{ ...unseen(CHECK), says: /in the future/ },
  },
].map((row) => ({ scale: SCALE, ...row }));
