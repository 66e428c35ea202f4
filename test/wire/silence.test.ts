/**
 * Who is to blame for silence, and for an answer from the wrong machine. Guests are simulated: the
 * first VM of a run is the image, the second the control, the third the image once more.
 */
import t from 'tap';
import { inLanes } from '../lanes.ts';
import { witness } from './witness.ts';

const SILENT = { boot: { sshd: 'immediate-end' } };
const ANSWERS = {};
/** Seconds of boot budget: simulated guests answer at once or never. */
const SCALE = '0.1';
/** A row waits far more than it works. */
const LANES = 8;

interface Row {
  readonly name: string;
  readonly guests: readonly unknown[];
  readonly args?: readonly string[];
  readonly code: number;
  readonly result: 'FAIL' | 'ERROR' | 'PASS';
  readonly fault: string;
  readonly party: string;
  readonly says: RegExp;
}

const PANIC = 'Booting\npanic: page fault\ncpuid = 0\ntime = 1\nKDB: stack backtrace:\n';

const ROWS: readonly Row[] = [
  {
    name: 'image silent, control answers, image silent again: the image',
    guests: [SILENT, ANSWERS, SILENT],
    ...{ code: 1, result: 'FAIL', fault: 'GUEST_SILENT', party: 'image', says: /twice .* control image answered/ },
  },
  {
    name: 'image silent, control silent: the lab',
    guests: [SILENT, SILENT],
    ...{ code: 3, result: 'ERROR', fault: 'CONTROL_SILENT', party: 'lab', says: /both silent/ },
  },
  {
    name: 'image silent once: undetermined',
    guests: [SILENT, ANSWERS, ANSWERS],
    ...{ code: 3, result: 'ERROR', fault: 'SILENT_ONCE', party: 'undetermined', says: /silent once/ },
  },
  {
    name: 'image silent and nothing to compare with: undetermined',
    guests: [SILENT],
    args: ['--control', 'none'],
    ...{ code: 3, result: 'ERROR', fault: 'SILENT_NO_CONTROL', party: 'undetermined', says: /no control image/ },
  },
  {
    name: 'banner, then silence',
    guests: [{ boot: { sshd: 'banner-then-silence' } }, ANSWERS, SILENT],
    ...{ code: 1, result: 'FAIL', fault: 'GUEST_SILENT', party: 'image', says: /then silence/ },
  },
  {
    name: 'the console shows a panic: the image, without a control',
    guests: [{ boot: { sshd: 'never', serial: PANIC } }],
    ...{ code: 1, result: 'FAIL', fault: 'GUEST_PANICKED', party: 'image', says: /panic: page fault/ },
  },
  {
    name: 'the console shows no root, the control answers',
    guests: [{ boot: { sshd: 'never', serial: 'mountroot> \n' } }, ANSWERS, SILENT],
    ...{ code: 1, result: 'FAIL', fault: 'GUEST_SILENT', party: 'image', says: /mountroot>/ },
  },
  {
    name: 'the console shows no root, and so it does for the control: the lab',
    guests: [{ boot: { sshd: 'never', serial: 'mountroot> \n' } }],
    ...{ code: 3, result: 'ERROR', fault: 'CONTROL_SILENT', party: 'lab', says: /mountroot>/ },
  },
  {
    name: 'a panic line of the past does not outweigh an answer',
    guests: [{ boot: { serial: PANIC } }],
    ...{ code: 0, result: 'PASS', fault: 'none', party: 'none', says: /every check held/ },
  },
  {
    name: 'the guest powers itself off while it is waited for',
    guests: [{ boot: { sshd: 'never', haltAfterMs: 300 } }, ANSWERS, { boot: { sshd: 'never', haltAfterMs: 300 } }],
    ...{ code: 1, result: 'FAIL', fault: 'GUEST_SILENT', party: 'image', says: /powered itself off/ },
  },
  {
    name: 'a refused key is undetermined',
    guests: [{ boot: { sshd: 'refuse-key' } }],
    ...{ code: 3, result: 'ERROR', fault: 'SSH_KEY_REFUSED', party: 'undetermined', says: /key refused/ },
  },
  {
    name: 'an sshd with which nothing can be agreed is no silence',
    guests: [{ boot: { sshd: 'old-algorithms' } }],
    ...{ code: 3, result: 'ERROR', fault: 'SSH_NO_AGREEMENT', party: 'undetermined', says: /no matching key exchange/ },
  },
  {
    name: 'image silent, and the control refuses the key: no control',
    guests: [SILENT, { boot: { sshd: 'refuse-key' } }],
    ...{ code: 3, result: 'ERROR', fault: 'SILENT_NO_CONTROL', party: 'undetermined', says: /control .*key refused/ },
  },
  {
    name: 'image silent, control answers, image refuses the key: silent once',
    guests: [SILENT, ANSWERS, { boot: { sshd: 'refuse-key' } }],
    ...{ code: 3, result: 'ERROR', fault: 'SILENT_ONCE', party: 'undetermined', says: /then spoke .*key refused/ },
  },
  {
    name: 'another machine at the address',
    guests: [{ answers: { 'guest-identity': { facts: { 'uuid.dmi': '11111111-2222-3333-4444-555555555555' } } } }],
    ...{ code: 3, result: 'ERROR', fault: 'WRONG_GUEST', party: 'lab', says: /guest identity/ },
  },
  {
    name: 'our machine, but its disk cannot be recognised',
    guests: [{ answers: { 'image-identity': { facts: { device: '', disk: '', 'gpt.vda': null } } } }],
    ...{
      code: 3,
      result: 'ERROR',
      fault: 'IMAGE_UNPROVEN',
      party: 'undetermined',
      says: /no disk to look at.*not read back/,
    },
  },
  {
    name: 'the connection ends between two probes',
    guests: [{ answers: { 'shepherd-status': { drop: true } } }],
    ...{ code: 3, result: 'ERROR', fault: 'SSH_LOST', party: 'undetermined', says: /ended at probe/ },
  },
  {
    name: 'an answer that is cut',
    guests: [{ answers: { 'current-system': { cut: 40 } } }],
    ...{
      code: 3,
      result: 'ERROR',
      fault: 'PROBE_UNOBSERVED',
      party: 'undetermined',
      says: /closed without an exit status/,
    },
  },
  {
    name: 'a forged fact outside the frame counts for nothing',
    guests: [{ answers: { 'compat-prefix-shims': { raw: 'compat_prefix_shims=absent\n', exit: 0 } } }],
    ...{ code: 3, result: 'ERROR', fault: 'PROBE_UNOBSERVED', party: 'undetermined', says: /compat_prefix_shims/ },
  },
];

const outcomes = inLanes(LANES, ROWS, ({ guests, args = [] }) =>
  witness({ answers: { guests }, args: ['--budget-scale', SCALE, ...args] }),
);
for (const row of ROWS) {
  t.test(row.name, async (t) => {
    const played = await outcomes.get(row);
    if (played === undefined) throw new Error('not run');
    t.equal(played.metadata.get('fault'), row.fault, played.stderr);
    t.equal(played.code, row.code);
    t.equal(played.metadata.get('result'), row.result);
    t.equal(played.metadata.get('fault_party'), row.party);
    t.match(played.metadata.get('reason'), row.says);
    t.equal(played.metadata.get('leaked'), '0');
    t.same(played.left, [], 'nothing is left in the pool');
    if (!/SILENT|PANICKED/.test(row.fault)) return;
    const procedure = new RegExp(`"kind":"silence".*concluded ${row.fault}`);
    t.match(played.file('evidence.ndjson'), procedure, 'the path taken is in the evidence');
  });
}
