/**
 * Faults of an operator's lab, each with what it must come to: right verdict, right blame, nothing left behind. Guests
 * are simulated: what is shown is about the harness only. Lost connections and pools, and calls without an answer, have
 * files of their own beside this one.
 */
import { readFileSync } from 'node:fs';
import type { Session } from '../../harness/xcpng/session.ts';
import { KINDS } from './calls-of-a-run.ts';
import { makeVm, runningGuest, shown, within } from './operators-vm.ts';
import { answering, lab, PASS, playRows, type Row, undetermined } from './rows.ts';
import type { Backstage, Play } from './witness.ts';

/** A row waits more than it works. */
const LANES = 10;
const { fixed = {} } = KINDS;
const OPERATORS = "the operator's VM: ";
const unseen = (says: string) => undetermined('PROBE_UNOBSERVED', new RegExp(says));
/** Where nobody can look any more, that is told, and what is known to stay by its uuid. */
const NOT_LISTED = /^LEFT IN THE LAB: unknown: the lab could not be listed again/m;
const NAMED =
  /^LEFT IN THE LAB: VDI [0-9a-f-]{36} bootwitness .*\n(.*\n)*LEFT IN THE LAB: unknown: the lab could not be/m;

const SLOW: readonly Row[] = [
  { name: 'a banner after 60 s', scale: 1.5, answers: delayed(62_000), ...PASS },
  {
    name: 'a start that fails late: told after a minute',
    scale: 1.5,
    ...{ mishaps: ['start-fails-late'], ...lab('VM_START_REFUSED'), says: /said yes, but VM \S+ did not run/ },
  },
  // Xen Orchestra itself tries for 45 s.
  { name: 'a disk that is in use for longer than XO waits', faults: ['vdi-in-use=12'], ...PASS },
];

const RESOURCES: readonly Row[] = [
  { name: 'a healthy lab', ...PASS },
  { name: 'SR full', mishaps: ['sr-full'], ...lab('UPLOAD_REFUSED'), says: /SR_BACKEND_FAILURE_44/ },
  { name: 'host out of memory', mishaps: ['no-memory'], ...lab('NO_HOST_AVAILABLE') },
  { name: `${OPERATORS}host out of memory`, ...fixed, mishaps: ['no-memory'], ...lab('NO_HOST_AVAILABLE') },
  { name: 'start is blocked', mishaps: ['blocked-operation=start'], ...lab('VM_START_REFUSED') },
  {
    name: 'destroy is blocked: the VM stays, and that is told',
    mishaps: ['blocked-operation=destroy'],
    ...{ ...PASS, leaves: 1, tells: /^LEFT IN THE LAB: VM \S+ .*blocked/m },
  },
  ...['hard_shutdown', 'clean_shutdown'].map(
    (operation): Row => ({ name: `${operation} is blocked`, mishaps: [`blocked-operation=${operation}`], ...PASS }),
  ),
  { name: `${OPERATORS}destroy is blocked`, ...fixed, mishaps: ['blocked-operation=destroy'], ...PASS },
  { name: 'a start that comes late', mishaps: ['start-comes-late=5'], ...PASS },
  { name: `${OPERATORS}a start that comes late`, ...fixed, mishaps: ['start-comes-late=5'], ...PASS },
  {
    name: 'a start that fails late: the budget ends first',
    mishaps: ['start-fails-late'],
    ...{ ...lab('XO_OBJECT_LATE'), says: /power_state Halted/ },
  },
  { name: 'a hard stop that says yes while the VM runs on', mishaps: ['stuck-power-state=5'], ...PASS },
  { name: 'vm.delete says yes and leaves the disk', mishaps: ['keep-disk'], ...PASS },
  ...[3600, -3600].flatMap((seconds): Row[] => [
    { name: `XO's clock ${seconds} s off`, mishaps: [`clock-offset=${seconds}`], ...PASS },
    { name: `${OPERATORS}XO's clock ${seconds} s off`, ...fixed, mishaps: [`clock-offset=${seconds}`], ...PASS },
  ]),
];

const EXPIRED = { ...lab('XO_TOKEN_EXPIRED'), says: /expired or was revoked/, tells: NOT_LISTED } as const;
const TOKEN: readonly Row[] = [
  { name: 'the token ends before anything is made', faults: ['revoke-token=vm.create:once'], ...EXPIRED },
  ...['vdi.set', 'vm.attachDisk', 'vm.start'].map(
    (method): Row => ({
      name: `the token ends at ${method}`,
      faults: [`revoke-token=${method}:once`],
      ...EXPIRED,
      ...{ leaves: 2, tells: NAMED },
    }),
  ),
  ...[
    ['vm.stop', 2],
    ['vm.delete', 2],
    ['vdi.delete', 1],
  ].map(([method, leaves]): Row => {
    const told = { ...PASS, leaves: Number(leaves), tells: NAMED };
    return { name: `the token ends in clean-up, at ${method}`, faults: [`revoke-token=${method}:once`], ...told };
  }),
  ...['tag.add', 'vm.start'].map(
    (method): Row => ({
      name: `${OPERATORS}the token ends at ${method}`,
      ...fixed,
      faults: [`revoke-token=${method}:once`],
      ...EXPIRED,
    }),
  ),
  {
    name: 'somebody deletes the token, and the session lives on without REST',
    onStage: (stage, { lab, other }) => {
      if (stage === 'provision') void deleteToken(other(), lab.token);
    },
    ...{ ...lab('XO_TOKEN_EXPIRED'), says: /401/ },
  },
];

const GONE = { ...lab('VM_LOST') } as const;
const SOMEBODY: readonly Row[] = [
  {
    name: 'somebody else deletes the VM while it boots',
    answers: { guests: [{ boot: { sshd: 'never' } }, {}] },
    ...atStage('boot', deleteGuest),
    ...{ ...GONE, says: /not listed any more, while its pool and host are/ },
  },
  {
    name: 'somebody else deletes the VM while it is probed',
    answers: answering({ delayMs: 5_000 }),
    ...atStage('probe', deleteGuest),
    ...{ ...GONE, says: /not listed any more, while its pool and host are/ },
  },
  // The disk is being uploaded when it goes; `tag.add` is the first to notice.
  ...['tag.add', 'vm.attachDisk', 'vm.setBootOrder', 'vm.start'].map(
    (method): Row => ({
      name: `somebody else deletes the VM before ${method}`,
      faults: [`deleted-before=${method}:once`],
      ...GONE,
    }),
  ),
  ...['vm.stop', 'vm.delete'].flatMap((method): Row[] => [
    { name: `somebody else deletes the VM before ${method}`, faults: [`deleted-before=${method}:once`], ...PASS },
    { name: `somebody else halts the VM before ${method}`, faults: [`halted-before=${method}:once`], ...PASS },
  ]),
  {
    name: `${OPERATORS}somebody else deletes it before vm.start`,
    ...{ ...fixed, faults: ['deleted-before=vm.start:once'], ...GONE },
  },
  {
    name: 'somebody else halts the VM while it is probed',
    answers: answering({ delayMs: 5_000 }),
    ...atStage('probe', haltGuest),
    ...halted(),
  },
  { name: 'the guest halts in the middle', answers: answering({ goes: 'halt' }), ...halted() },
  {
    name: 'the guest boots anew in the middle',
    answers: answering({ goes: 'reboot' }),
    ...undetermined('GUEST_REBOOTED', /in another boot: \S+ instead of/),
  },
  {
    name: 'the guest panics in the middle',
    answers: {
      guests: [{ boot: { serial: 'panic: page fault\nUptime: 1s\n' }, answers: { 'shepherd-status': { drop: true } } }],
    },
    ...{ result: 'FAIL', fault: 'GUEST_PANICKED', party: 'image', says: /panic: page fault/ },
  },
];

const ANSWERS: readonly Row[] = [
  {
    name: '10 MB of garbage before an answer',
    answers: answering({ garbage: 10_000_000 }),
    ...unseen('more output than is kept'),
  },
  { name: 'a channel that is never closed', answers: answering({ open: true }), ...PASS },
  {
    name: 'an address that changes while the guest is probed',
    labFile: withoutSlots,
    ...fixed,
    mishaps: ['guest-metrics=own,127.99.99.99@2'],
    ...{ answers: answering({ delayMs: 4_000 }), ...PASS },
  },
  {
    name: 'another machine on our address',
    ...{ labFile: withoutSlots, before: takenAddress, ...lab('WRONG_GUEST'), says: /guest identity/ },
  },
];

function delayed(delayMs: number): unknown {
  return { guests: [{ boot: { delayMs } }] };
}

function halted() {
  return { ...undetermined('GUEST_HALTED', /powered|halted|Halted/) };
}

function withoutSlots(text: string): string {
  return text.replace(/^\[\[slots\]\]\n(?:\w.*\n)+/gm, '');
}

/** Somebody else's guest runs, with the harness's key, at the address that is reported of ours. */
async function takenAddress(backstage: Backstage): Promise<readonly string[]> {
  const { vm } = await makeVm(backstage);
  const session = await backstage.other();
  await session.call('vm.start', { id: vm }, within());
  await shown(session, () => session.objects.get('VM', vm)?.powerState === 'Running');
  const text = readFileSync(backstage.lab.labFile, 'utf8');
  backstage.mishaps.set('guest-metrics', /address = "(.*)"/.exec(text)?.[1]);
  return [];
}

function atStage(wanted: string, act: (session: Session, vm: string) => Promise<unknown>): Pick<Play, 'onStage'> {
  return {
    onStage: (stage, { other }) => {
      if (stage === wanted) void other().then(async (session) => act(session, await runningGuest(session)));
    },
  };
}

/** What an administrator does who thinks that nobody needs this VM. */
function deleteGuest(session: Session, id: string): Promise<unknown> {
  return session.call('vm.delete', { id }, within());
}

function haltGuest(session: Session, id: string): Promise<unknown> {
  return session.call('vm.stop', { id, force: true }, within());
}

async function deleteToken(opening: Promise<Session>, token: string): Promise<void> {
  await (await opening).call('token.deleteOwn', { tokens: [token] }, within());
}

playRows([...SLOW, ...SOMEBODY, ...RESOURCES, ...TOKEN, ...ANSWERS], LANES);
