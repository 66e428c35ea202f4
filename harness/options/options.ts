/**
 * The one table of options: flag, environment variable, form, meaning. Help, parsing and the check
 * for unknown variables all read it.
 */
import { PATH_TABLE } from './path-table.ts';
import { STOP_STAGES } from './stop-at.ts';

/** Headings of --help. Commands beside the phases know some of them and their own. */
export const GROUPS = {
  probe: 'What is looked at',
  sweep: 'What is swept',
  images: 'Which images go (by default none: prune must be told)',
  lint: 'What the image is for, and how the findings are told',
  doctor: 'What is looked at',
  compare: 'How it is shown',
  rejudge: 'How it is shown',
  pack: 'What is packed',
  repro: 'How a run is repeated',
  shell: 'How one gets in',
  console: 'Where it is kept',
  run: 'What is run',
  lab: 'The lab',
  placement: 'Guests made for a run',
  cache: 'Images kept in the lab',
  fixed: 'A VM allotted by an operator, [fixed] of the lab file (by default a VM is made)',
  night: 'What is run, and how',
  outputs: 'What is shown and written, besides the workdir and TAP on stdout (by default no file)',
  ssh: 'SSH to guests',
  addresses: 'Addresses of guests without guest tools',
  paths: 'Where the guest keeps its things (by default as [paths] of the lab file says, else the scenario)',
} as const;

export interface Option {
  readonly name: string;
  readonly environment: string;
  readonly group: keyof typeof GROUPS;
  /** How the value looks in --help; null: it takes none (its variable is `true` or `false`). */
  readonly form: string | null;
  readonly meaning: string;
  /** Key of the lab file that it overrides, `table.key`. */
  readonly key?: string;
  /** True for what must not stand in a process list: environment or file only. */
  readonly secret?: true;
  /** True for what does too much to be left lying in an environment. */
  readonly flagOnly?: true;
}

type More = Pick<Option, 'key' | 'secret' | 'flagOnly'>;

export const inGroup =
  (group: keyof typeof GROUPS) =>
  (name: string, form: string | null, meaning: string, more: More = {}): Option => ({
    name,
    environment: `BOOTWITNESS_${name.toUpperCase().replaceAll('-', '_')}`,
    ...{ group, form, meaning, ...more },
  });

const run = inGroup('run');
const lab = inGroup('lab');
const placement = inGroup('placement');
const cache = inGroup('cache');
const fixed = inGroup('fixed');
const outputs = inGroup('outputs');
const ssh = inGroup('ssh');
const addresses = inGroup('addresses');

const paths = inGroup('paths');

const PATH_OPTIONS = PATH_TABLE.map(({ option, key, list, is, meaning }) => {
  const one = { text: 'TEXT', names: 'NAME', settings: 'NAME=VALUE' };
  const word = is in one ? one[is as keyof typeof one] : 'PATH';
  const form = list ? `${word}[:${word}…]` : word;
  return paths(option, form, meaning, { key: `paths.${key}` });
});

/** Also those of the night. */
export const OUTPUT_OPTIONS: readonly Option[] = [
  outputs('junit', 'FILE', 'JUnit XML: ERROR as error, FAIL as failure'),
  outputs('markdown', 'FILE', 'summary for the page of a CI job; appended to $GITHUB_STEP_SUMMARY, else written anew'),
  outputs('report-json', 'FILE', 'the same as JSON'),
  outputs('tap', 'FILE', 'TAP, as it goes to stdout without --json'),
  outputs('json', null, 'events on stdout instead of TAP, a JSON object a line, while they happen (docs/events.md)'),
  outputs('quiet', null, 'nothing on stderr but what ended badly, and what stays in the lab'),
];

export const OPTIONS: readonly Option[] = [
  lab(
    'lab',
    'embedded | NAME | FILE',
    'labs/NAME.toml, a lab file, or the lab that is started here (default: that of --xo-url, else embedded)',
  ),
  run(
    'image',
    'FILE',
    'disk image: raw, VHD or qcow2, also as gz, xz or zst (default on the embedded lab: its reference guest)',
  ),
  run('expect-closure', 'PATH', "store path that /run/current-system must lead to (default: the image's sidecar)"),
  run(
    'control',
    'FILE | none',
    'image known to pass here, asked when the image is silent (default: [control] of the lab file)',
  ),
  run(
    'read-back',
    'auto | always',
    'read the disk back before boot: where identity needs it, or always (default: auto)',
  ),
  run(
    'budget-scale',
    'NUMBER',
    "factor for all of the scenario's budgets (default: budget_scale of the lab file, else 1)",
  ),
  run('boots', 'NUMBER', "boot the guest this often, all checks after each (default: the scenario's, 1)"),
  run('time-limit', 'SECONDS', 'end in this time at the latest, clean-up included (default: by the budgets)'),
  run(
    'stop-at',
    'STAGE',
    `stop when this stage begins, and keep the machine: ${STOP_STAGES.join(', ')} (default: never)`,
  ),
  run('keep', null, 'keep the machine afterwards, whatever came out, until it is removed or its time is over'),
  run('keep-hours', 'NUMBER', 'how long a machine is kept (default: 2, or keep_hours of the lab file)'),
  run('workdir-root', 'DIR', 'folder in which the workdir is made (default: the temp folder)'),
  run('label', 'NAME', "first part of the workdir's name (default: the scenario's name)"),
  run('reports-dir', 'DIR | none', 'where the run is kept for the history (default: reports, here)'),
  run('night', 'NAME', 'nightly that this run is part of, kept with it (default: none)'),
  lab('xo-url', 'URL', "Xen Orchestra's URL", { key: 'xo.url' }),
  lab('xo-token-file', 'FILE', 'file that holds the token (default: xo.token_file of the lab file)'),
  lab('xo-token', 'TOKEN', 'the token itself; only as an environment variable', { secret: true }),
  lab('xo-email', 'NAME', 'user to sign in as by password, instead of a token', { key: 'xo.email' }),
  lab('xo-password-file', 'FILE', "file that holds that user's password", { key: 'xo.password_file' }),
  lab('xo-password', 'PASSWORD', 'the password itself; only as an environment variable', { secret: true }),
  lab('xo-ca-file', 'FILE', "CA certificates that XO's is signed by (PEM)", { key: 'xo.ca_file' }),
  lab('xo-fingerprint', 'SHA256', "SHA-256 of XO's own certificate, checked before anything else", {
    key: 'xo.fingerprint',
  }),
  lab('xo-insecure', null, 'take any certificate; the report says so', { key: 'xo.insecure' }),
  placement(
    'template',
    'NAME | UUID | none',
    "template of the VM (default, and none: the pool's Other install media)",
    {
      key: 'placement.template',
    },
  ),
  placement('sr', 'NAME | UUID', "SR of its disk (default: the pool's default SR)", { key: 'placement.sr' }),
  placement('network', 'NAME | UUID', 'network of its VIF', { key: 'placement.network' }),
  placement('host', 'NAME | UUID | any', 'host that it must run on (default: any that sees SR and network)', {
    key: 'placement.host',
  }),
  placement('memory-mib', 'NUMBER', 'memory of the VM in MiB (default: 2048)', { key: 'placement.memory_mib' }),
  placement('cpus', 'NUMBER', 'virtual CPUs (default: 1)', { key: 'placement.cpus' }),
  placement('firmware', 'bios | uefi', "firmware of the VM (default: the template's)", { key: 'placement.firmware' }),
  placement('nic', 'rtl8139 | e1000', "NIC for guests without PV drivers (default: the template's)", {
    key: 'placement.nic',
  }),
  placement('max-guests', 'NUMBER', 'guests in the pool at a time, over all runs that are told so (default: any)', {
    key: 'max_guests',
  }),
  placement('ticket-wait', 'SECONDS', 'how long to wait until there are fewer (default: 14400)', {
    key: 'ticket_wait_s',
  }),
  cache(
    'cache',
    'on | off',
    'off: send the image although the lab file has a [cache]; on: insist on one (default: as it says)',
  ),
  cache('cache-sr', 'NAME | UUID', 'SR that images are kept on as templates, and where guests are cloned from them', {
    key: 'cache.sr',
  }),
  cache('cache-gib', 'NUMBER', 'how many GiB of it they may take; those that were not used for longest go', {
    key: 'cache.gib',
  }),
  cache('cache-chain-max', 'NUMBER', 'longest copy-on-write chain, 2 to 29; then the image is sent again', {
    key: 'cache.chain_max',
  }),
  cache('cache-keep-failed-days', 'DAYS', 'an image that failed stays there so long, to be looked at (default: 3)', {
    key: 'cache.keep_failed_days',
  }),
  fixed('fixed-vm', 'UUID', 'VM to use instead of making one; nothing else is touched', { key: 'fixed.vm' }),
  fixed('fixed-vdi', 'UUID', 'its disk, which is overwritten with the image', { key: 'fixed.vdi' }),
  fixed('leave', 'halted | running', 'how that VM is left (default: halted)', { key: 'fixed.leave' }),
  fixed('fixed-control', null, 'the control image may be written to that disk, too', { key: 'fixed.control' }),
  fixed('lock-wait', 'SECONDS', 'how long to wait for a run that holds that VM (default: 0)', {
    key: 'fixed.lock_wait_s',
  }),
  fixed('pad', null, 'make the image as large as the disk, its backup GPT at the new end', { key: 'fixed.pad' }),
  ...OUTPUT_OPTIONS,
  ssh('ssh-key', 'FILE', 'private key whose public half is in the image (default: ssh.key of the lab file)'),
  ssh('ssh-passphrase-file', 'FILE', "file that holds the key's passphrase", { key: 'ssh.passphrase_file' }),
  ssh('ssh-passphrase', 'TEXT', 'the passphrase itself; only as an environment variable', { secret: true }),
  ssh('ssh-agent', 'env | SOCKET', 'agent that holds the key: that of SSH_AUTH_SOCK, or at a socket', {
    key: 'ssh.agent',
  }),
  ssh('ssh-user', 'NAME', 'user in the guest (default: root)', { key: 'ssh.user' }),
  ssh('ssh-become', 'su | doas | sudo', 'how that user gets root without a question', { key: 'ssh.become' }),
  ssh('ssh-port', 'NUMBER', 'port of sshd in the guest (default: 22)', { key: 'ssh.port' }),
  ssh('ssh-jump-host', 'HOST', 'host through which guests are reached', { key: 'ssh.jump.host' }),
  ssh('ssh-jump-port', 'NUMBER', 'port of its sshd (default: 22)', { key: 'ssh.jump.port' }),
  ssh('ssh-jump-user', 'NAME', 'user there (default: the user in the guest)', { key: 'ssh.jump.user' }),
  ssh('ssh-jump-key', 'FILE', 'private key for it (default: the key for the guest)', { key: 'ssh.jump.key' }),
  ssh('ssh-jump-host-key', 'SHA256:…', 'its host key (default: any, recorded)', { key: 'ssh.jump.host_key' }),
  addresses('neighbours', 'here | jump', 'read the neighbour table of this machine or of the jump host', {
    key: 'addresses.neighbours',
  }),
  addresses('stimulate', 'CIDR', 'ping this network there first, to fill the table (default: never)', {
    key: 'addresses.stimulate',
  }),
  addresses('address-command', 'COMMAND', 'program that is given the MAC and prints the address', {
    key: 'addresses.command',
  }),
  ...PATH_OPTIONS,
];

interface Variable {
  readonly name: string;
  readonly meaning: string;
  /** It concerns the commands that have one of these options. */
  readonly beside: readonly string[];
}

/** Read elsewhere than here, but known: not an error in the environment. */
export const OTHER_VARIABLES: readonly Variable[] = [
  {
    name: 'BOOTWITNESS_CACHE_DIR',
    meaning: 'where plans of images, records of runs and the reference guest are kept (default: ~/.cache/bootwitness)',
    beside: ['xo-url', 'plan'],
  },
  {
    name: 'BOOTWITNESS_DEBIAN_MIRROR',
    meaning: "Debian mirror for the reference guest's packages (default: Debian's own)",
    beside: ['image', 'plan'],
  },
  {
    name: 'BOOTWITNESS_EVENTS_FD',
    meaning: 'open descriptor (3 or more) that gets the events, too (default: none)',
    beside: ['quiet'],
  },
];
