/** The wrong machine, the wrong disk, a lack of tools or of room: rows of the matrix. */
import { broken, lab, type Row, undetermined, unseen } from '../../wire/rows.ts';
import { type Facts, guest, talk } from './facts.ts';

const machine = (facts: Facts) => guest({ 'guest-identity': { facts } });
const disk = (facts: Facts) => guest({ 'image-identity': { facts } });
const UNPROVEN = (says: RegExp) => undetermined('IMAGE_UNPROVEN', says);
const STRANGER = '11111111-2222-3333-4444-555555555555';

/** A GPT of other GUIDs, as `od -Ax -tx1` prints its head: an image of last week on the same disk. */
const otherGpt = (): string => {
  const head = Buffer.alloc(1024);
  head.write('EFI PART', 512, 'latin1');
  head.writeUInt32LE(0x00010000, 520);
  head.writeUInt32LE(92, 524);
  head.fill(0x5a, 568, 584);
  head.writeBigUInt64LE(2n, 584);
  head.writeUInt32LE(128, 592);
  head.writeUInt32LE(128, 596);
  const whole = Buffer.concat([head, Buffer.alloc(24 * 1024 - head.length)]);
  const lines = Array.from({ length: whole.length / 16 }, (_, i) => {
    const bytes = whole.toString('hex', i * 16, i * 16 + 16).replaceAll(/../g, ' $&');
    return `${(i * 16).toString(16).padStart(6, '0')}${bytes}`;
  });
  return [...lines, whole.length.toString(16).padStart(6, '0')].join('\n');
};

export const IDENTITY: readonly Row[] = [
  {
    name: 'another machine at the address: its UUID',
    answers: machine({ 'uuid.dmi': STRANGER }),
    ...{ ...lab('WRONG_GUEST'), says: /the VM is \w+, but dmi says 1{8}/ },
  },
  {
    name: 'another machine at the address: its MAC',
    answers: machine({ macs: ' 00:16:3e:00:00:01' }),
    ...{ ...lab('WRONG_GUEST'), says: /MAC .* is not among/ },
  },
  {
    name: "yesterday's guest at the address",
    answers: machine({ uptime: '86400.5' }),
    ...{ ...lab('WRONG_GUEST'), says: /up for 86400\.5 s/ },
  },
  {
    name: 'a machine that cannot tell its UUID',
    answers: machine({ 'uuid.dmi': '' }),
    ...{ ...unseen(), says: /SMBIOS UUID unreadable/ },
  },
  {
    name: 'a machine that cannot tell its uptime',
    answers: machine({ uptime: '' }),
    ...{ ...unseen(), says: /uptime unreadable/ },
  },
  {
    name: 'the right VM with old disk content',
    answers: disk({ 'gpt.vda': otherGpt() }),
    ...UNPROVEN(/booted from another disk: .*disk GUID 5a5a5a5a/),
  },
  {
    name: 'a disk without a GPT',
    answers: disk({ 'gpt.vda': '000000 00 00\n000002' }),
    ...UNPROVEN(/./),
  },
  {
    name: 'a disk that cannot be recognised',
    answers: disk({ device: '', disk: '', 'gpt.vda': null }),
    ...UNPROVEN(/no disk to look at.*not read back/),
  },
  {
    name: 'another closure than the one of the image',
    answers: { guests: [{ closure: '/frx/store/fffffffffffffffffffffffffffffff0-another-system' }] },
    ...broken('run_current_system_target'),
  },
  {
    name: 'a current system outside the store',
    answers: { guests: [{ closure: '/usr/local/fruix-system' }] },
    ...broken('run_current_system_target'),
  },
  ...(['absent', 'no symlink', 'dangling symlink'] as const).map(
    (kind): Row => ({
      name: `the current system: ${kind}`,
      answers: guest({ 'current-system': { facts: { kind, real: '' } } }),
      ...broken('run_current_system_target'),
    }),
  ),
];

export const TOOLS: readonly Row[] = [
  {
    name: 'no readlink',
    answers: guest({ 'current-system': { facts: { kind: 'no tool: readlink', target: '', real: '' } } }),
    ...unseen('run_current_system_target'),
  },
  {
    name: 'no stat',
    answers: guest({ 'ready-marker': { facts: { modified: '' } } }),
    scale: 0.2,
    ...unseen('ready_marker'),
  },
  {
    name: 'no date',
    answers: guest({ 'ready-marker': { facts: { now: '' } } }),
    scale: 0.2,
    ...unseen('ready_marker'),
  },
  {
    name: 'neither /proc nor ps',
    answers: guest({ pid1: { facts: { missing: '/proc, ps', comm: '', command: '' } } }),
    ...unseen('init_mode', 'pid1_command'),
  },
  {
    name: 'nothing that shows sockets or processes',
    answers: guest({ 'sshd-status': { facts: { listener: 'unread', process: 'unread' } } }),
    ...unseen('sshd_status'),
  },
  {
    name: 'no uname',
    answers: guest({ uname: { facts: { missing: 'uname', kernel: null, all: null } } }),
    ...unseen('uname_output'),
  },
  {
    name: 'neither Guile nor herd',
    answers: guest({
      ...talk({ guile: '', talk_output: null, talk_status: null }),
      'guile-module-smoke': { facts: { guile: '', guile_output: null } },
    }),
    ...unseen('shepherd_status', 'shepherd_pid', 'guile_module_smoke'),
  },
  {
    name: 'another kernel',
    answers: guest({ uname: { facts: { kernel: 'Darwin', all: 'Darwin x' } } }),
    ...broken('uname_output'),
  },
];

const NO_MARKER: Facts = { kind: 'absent', content: null, modified: '' };

export const DISKS: readonly Row[] = [
  {
    name: 'a root that is mounted read-only: no marker, no socket, no pid file',
    answers: guest({
      'ready-marker': { facts: NO_MARKER },
      ...talk({ sockets: '', pid_file: null, pid_file_content: null, pid_alive: '', talk_output: null }),
      'shepherd-socket': { facts: { 'kind.0': 'absent' } },
    }),
    ...{ scale: 0.2, ...broken('ready_marker', 'shepherd_status', 'shepherd_pid', 'shepherd_socket') },
  },
  {
    name: 'a full disk: marker and pid file are empty',
    answers: guest({
      'ready-marker': { facts: { content: 'x' } },
      ...talk({ pid_file_content: '', pid_alive: '' }),
    }),
    ...{ scale: 0.2, ...broken('ready_marker', 'shepherd_pid') },
  },
];
