/**
 * Faults of an operator's lab, each with what it must come to: right verdict, right blame, nothing left behind. Guests
 * are simulated: what is shown is about the harness only.
 */
import t from 'tap';
import { Deadline } from '../../harness/deadline.ts';
import type { Session } from '../../harness/xcpng/session.ts';
import type { Lab } from '../../lab/lab.ts';
import { inLanes } from '../lanes.ts';
import { type Play, type Played, witness } from './witness.ts';

/** A row waits more than it works. */
const LANES = 6;

interface Row extends Play {
  readonly name: string;
  readonly result: 'PASS' | 'FAIL' | 'ERROR';
  readonly fault: string;
  readonly party: string;
  readonly says?: RegExp;
  /** VMs and disks that cannot but stay; default: none. */
  readonly leaves?: number;
}

const PASS = { result: 'PASS', fault: 'none', party: 'none' } as const;
const lab = (fault: string) => ({ result: 'ERROR', fault, party: 'lab' }) as const;
/** One probe of a guest that is healthy otherwise. */
const answering = (answer: unknown) => ({ guests: [{ answers: { 'shepherd-status': answer } }] });
const unseen = (says: string) =>
  ({ result: 'ERROR', fault: 'PROBE_UNOBSERVED', party: 'undetermined', says: new RegExp(says) }) as const;
const CODES = { PASS: 0, FAIL: 1, ERROR: 3 } as const;

/** Calls of a run whose answer may be lost: cut before it is carried out, or after that and before the reply. */
const CUT_AT = [
  'vdi.set',
  'vm.create',
  'vm.attachDisk',
  'vm.setBootOrder',
  'tag.add',
  'vm.start',
  'vm.stop',
  'vm.delete',
];
const CUTS = ['drop-session-before', 'drop-session-after', 'drop-session-replied'];

const ROWS: readonly Row[] = [
  // First, since it takes longest: Xen Orchestra itself tries for 45 s.
  { name: 'a disk that is in use for longer than XO waits', mishaps: ['vdi-in-use=12'], ...PASS },
  { name: 'a healthy lab', ...PASS },
  ...CUTS.flatMap((cut) =>
    CUT_AT.map((method): Row => ({ name: `${cut}: ${method}`, mishaps: [`${cut}=${method}:once`], ...PASS })),
  ),
  { name: 'SR full', mishaps: ['sr-full'], ...lab('UPLOAD_REFUSED'), says: /SR_BACKEND_FAILURE_44/ },
  { name: 'host out of memory', mishaps: ['no-memory'], ...lab('NO_HOST_AVAILABLE') },
  ...['vdi.set', 'vm.create', 'vm.attachDisk', 'vm.start', 'vm.delete'].map(
    (method): Row => ({ name: `XO restarts at ${method}`, mishaps: [`restart=${method}:1`], ...PASS }),
  ),
  ...['boot', 'probe', 'dispose'].map(
    (at): Row => ({
      name: `XO restarts at the stage ${at}`,
      onStage: (stage, { lab }) => void (stage === at && restartXo(lab)),
      ...PASS,
    }),
  ),
  {
    name: 'the token is revoked in the middle: what stays is told',
    mishaps: ['revoke-token=vm.attachDisk'],
    ...lab('XO_TOKEN_EXPIRED'),
    says: /expired or was revoked/,
    leaves: 2,
  },
  { name: 'XO loses its pool for seconds, while the guest boots', mishaps: ['vanish-pool=4'], ...PASS },
  { name: 'vm.delete says yes and leaves the disk', mishaps: ['keep-disk'], ...PASS },
  { name: 'XO an hour ahead', mishaps: ['clock-offset=3600'], ...PASS },
  { name: 'XO an hour behind', mishaps: ['clock-offset=-3600'], ...PASS },
  { name: 'an operation that is blocked', mishaps: ['blocked-operation=start'], ...lab('VM_START_REFUSED') },
  {
    name: 'a start that fails late',
    mishaps: ['start-fails-late'],
    ...lab('XO_OBJECT_LATE'),
    says: /power_state Halted/,
  },
  { name: 'a call that is never answered', mishaps: ['stall=vm.start'], ...lab('XO_CALL_TIMEOUT'), says: /vm\.start/ },
  { name: 'a banner that comes late', answers: { guests: [{ boot: { delayMs: 15_000 } }] }, ...PASS },
  {
    name: '10 MB of garbage before an answer',
    answers: answering({ garbage: 10_000_000 }),
    ...unseen('more output than is kept'),
  },
  { name: 'a channel that is never closed', answers: answering({ open: true }), ...PASS },
  {
    name: 'the guest halts in the middle',
    answers: answering({ goes: 'halt' }),
    ...{ result: 'ERROR', fault: 'GUEST_HALTED', party: 'undetermined', says: /powered|halted|Halted/ },
  },
  {
    name: 'the guest boots anew in the middle',
    answers: answering({ goes: 'reboot' }),
    ...{ result: 'ERROR', fault: 'GUEST_REBOOTED', party: 'undetermined', says: /in another boot: \S+ instead of/ },
  },
  {
    name: 'the guest panics in the middle',
    answers: {
      guests: [{ boot: { serial: 'panic: page fault\nUptime: 1s\n' }, answers: { 'shepherd-status': { drop: true } } }],
    },
    ...{ result: 'FAIL', fault: 'GUEST_PANICKED', party: 'image', says: /panic: page fault/ },
  },
  {
    name: 'somebody else deletes the VM',
    answers: { guests: [{ boot: { sshd: 'never' } }] },
    onStage: (stage, { other }) => {
      if (stage === 'boot') void deleteGuest(other());
    },
    ...lab('VM_LOST'),
    says: /not listed any more, while its pool and host are/,
  },
];

function restartXo({ url, token }: Lab): void {
  const headers = { cookie: `authenticationToken=${token}` };
  void fetch(`${url}/embedded/v0/restart?seconds=1`, { method: 'POST', headers });
}

/** What an administrator does who thinks that nobody needs this VM. */
async function deleteGuest(opening: Promise<Session>): Promise<void> {
  const session = await opening;
  const within = Deadline.after(30_000, new AbortController().signal);
  const vm = await session.objects.waitFor(within, 'the guest', 'XO_OBJECT_LATE', () => {
    const found = session.objects.all('VM').find(({ name, powerState }) => {
      return name.startsWith('bootwitness ') && powerState === 'Running';
    });
    return found ? { done: found } : { seen: 'none runs' };
  });
  await session.call('vm.delete', { id: vm.id }, within);
}

const outcomes = inLanes<Row, Played>(LANES, ROWS, (row) =>
  witness({ ...row, args: ['--budget-scale', '0.5', ...(row.args ?? [])] }),
);
for (const row of ROWS) {
  t.test(row.name, async (t) => {
    const played = await outcomes.get(row);
    if (played === undefined) throw new Error('not run');
    t.equal(played.metadata.get('result'), row.result, played.stderr);
    t.equal(played.metadata.get('fault'), row.fault);
    t.equal(played.metadata.get('fault_party'), row.party);
    t.equal(played.code, CODES[row.result]);
    if (row.says) t.match(played.metadata.get('reason'), row.says);
    const lost = /^(drop|XO restarts)/.test(row.name) && !/vm.delete|dispose/.test(row.name);
    if (lost) t.equal(played.metadata.get('xo_reconnects'), '1', 'and the report says so');
    if (row.leaves === undefined) t.same(played.left, [], 'nothing is left in the pool');
    else {
      const things = played.left.filter((each) => /^(VM|VDI) /.test(each));
      t.equal(things.length, row.leaves, played.left.join('; '));
      t.match(played.stderr, /^LEFT IN THE LAB: /m, 'what stays is told');
    }
    t.comment(`${played.seconds.toFixed(1)} s`);
  });
}
