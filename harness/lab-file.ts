/** Reads a lab file (TOML), with what the caller gave besides laid over it. Nothing is resolved here but paths. */
import { readFileSync } from 'node:fs';
import { Fault } from './faults.ts';
import type {
  AddressesTable,
  FixedTable,
  JumpTable,
  LabFile,
  PlacementTable,
  SshTable,
  XoTable,
} from './lab-tables.ts';
import { BOOT_MODES, type BootMode, type GuestPaths } from './model.ts';
import { type Overrides, type Table, TomlReader } from './toml-reader.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const FINGERPRINT = /^(sha256:)?[0-9a-f]{2}(:?[0-9a-f]{2}){31}$/i;

/** Every key that a lab file may have, by table. */
export const KNOWN_KEYS: Readonly<Record<string, readonly string[]>> = {
  '': [
    ...['name', 'kind', 'budget_scale', 'claim_hours', 'xo', 'placement', 'fixed', 'ssh', 'addresses', 'console'],
    ...['slots', 'control', 'reference', 'paths'],
  ],
  xo: ['url', 'token_file', 'email', 'password_file', 'insecure', 'ca_file', 'fingerprint'],
  placement: ['template', 'sr', 'network', 'memory_mib', 'cpus', 'firmware'],
  fixed: ['vm', 'vdi', 'leave', 'control', 'lock_wait_s', 'pad'],
  ssh: ['user', 'port', 'key', 'passphrase_file', 'agent', 'become', 'keepalive_s', 'jump'],
  'ssh.jump': ['host', 'port', 'user', 'key', 'host_key'],
  addresses: ['neighbours', 'stimulate', 'stimulate_per_s', 'command'],
  console: ['serial_path'],
  control: BOOT_MODES,
  reference: BOOT_MODES,
  paths: [
    ...['shim_prefixes', 'store', 'current_system', 'ready_marker', 'ready_marker_content', 'shepherd_socket'],
    ...['shepherd_pid_file', 'herd', 'guile', 'guile_environment'],
  ],
};

const NOTHING: Overrides = new Map();

/** @throws Fault BAD_LAB_FILE with file and line, BAD_OPTION or BAD_ENVIRONMENT for what was given outside of it */
export function loadLabFile(path: string, overrides: Overrides = NOTHING): LabFile {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new Fault('BAD_LAB_FILE', `lab: expected a lab file that can be read, given ${path}`, { cause });
  }
  return parseLabFile(path, text, overrides);
}

/** The pure part of `loadLabFile`. Relative paths in the file are relative to the file. */
export function parseLabFile(path: string, text: string, overrides: Overrides = NOTHING): LabFile {
  const reader = new TomlReader(path, text, overrides);
  for (const [table, keys] of Object.entries(KNOWN_KEYS)) reader.knownOnly(table, keys);
  return {
    path,
    name: reader.string('', 'name') ?? 'lab',
    kind: reader.choice('', 'kind', ['embedded', 'xo'] as const) ?? 'xo',
    budgetScale: reader.number('', 'budget_scale', { min: 0.01, max: 1000 }) ?? 1,
    claimHours: reader.number('', 'claim_hours', { min: 0.1, max: 720 }) ?? 4,
    xo: xo(reader),
    placement: placement(reader),
    fixed: reader.has('fixed') ? fixed(reader) : null,
    ssh: ssh(reader),
    addresses: addresses(reader),
    serialPath: reader.string('console', 'serial_path'),
    slots: slots(reader),
    control: images(reader, 'control'),
    reference: images(reader, 'reference'),
    paths: paths(reader),
  };
}

function xo(reader: TomlReader): XoTable {
  const fingerprint = reader.matching('xo', 'fingerprint', 'a SHA-256 as 64 hex digits', FINGERPRINT);
  return {
    url: reader.string('xo', 'url') ?? reader.wrong('xo', 'url', 'the URL of Xen Orchestra', undefined),
    urlFrom: reader.from('xo', 'url'),
    tokenFile: reader.file('xo', 'token_file'),
    email: reader.string('xo', 'email'),
    passwordFile: reader.file('xo', 'password_file'),
    insecure: reader.boolean('xo', 'insecure') ?? false,
    caFile: reader.file('xo', 'ca_file'),
    fingerprint:
      fingerprint
        ?.replace(/^sha256:/i, '')
        .replaceAll(':', '')
        .toLowerCase() ?? null,
  };
}

function placement(reader: TomlReader): PlacementTable {
  return {
    template: reader.string('placement', 'template'),
    sr: reader.string('placement', 'sr'),
    network: reader.string('placement', 'network'),
    memoryMiB: reader.whole('placement', 'memory_mib', { min: 64, max: 1_048_576 }) ?? 2048,
    cpus: reader.whole('placement', 'cpus', { min: 1, max: 256 }) ?? 1,
    firmware: reader.choice('placement', 'firmware', ['bios', 'uefi'] as const) ?? 'bios',
  };
}

function fixed(reader: TomlReader): FixedTable {
  const uuid = (key: 'vm' | 'vdi'): string =>
    reader.matching('fixed', key, 'a uuid', UUID) ??
    reader.wrong('fixed', key, `the uuid of the ${key.toUpperCase()} (or --fixed-${key})`, undefined);
  return {
    vm: uuid('vm').toLowerCase(),
    vdi: uuid('vdi').toLowerCase(),
    leave: reader.choice('fixed', 'leave', ['halted', 'running'] as const) ?? 'halted',
    control: reader.boolean('fixed', 'control') ?? false,
    lockWaitS: reader.number('fixed', 'lock_wait_s', { min: 0, max: 86_400 }) ?? 0,
    pad: reader.boolean('fixed', 'pad') ?? false,
  };
}

function ssh(reader: TomlReader): SshTable {
  const user = reader.string('ssh', 'user') ?? 'root';
  return {
    user,
    port: reader.whole('ssh', 'port', { min: 1, max: 65_535 }) ?? 22,
    key: reader.file('ssh', 'key'),
    passphraseFile: reader.file('ssh', 'passphrase_file'),
    agent: reader.string('ssh', 'agent'),
    become: reader.choice('ssh', 'become', ['su', 'doas', 'sudo'] as const),
    keepaliveS: reader.number('ssh', 'keepalive_s', { min: 1, max: 600 }) ?? 5,
    jump: reader.has('ssh.jump') ? jump(reader, user) : null,
  };
}

function jump(reader: TomlReader, guestUser: string): JumpTable {
  const expected = 'SHA256: and 43 characters, as ssh-keygen -l prints it';
  return {
    host: reader.string('ssh.jump', 'host') ?? reader.wrong('ssh.jump', 'host', 'the name of a host', undefined),
    port: reader.whole('ssh.jump', 'port', { min: 1, max: 65_535 }) ?? 22,
    user: reader.string('ssh.jump', 'user') ?? guestUser,
    key: reader.file('ssh.jump', 'key'),
    hostKey: reader.matching('ssh.jump', 'host_key', expected, /^SHA256:[A-Za-z0-9+/]{43}$/),
  };
}

function addresses(reader: TomlReader): AddressesTable {
  const cidr = /^\d{1,3}(\.\d{1,3}){3}\/(2\d|3[0-2])$/;
  return {
    neighbours: reader.choice('addresses', 'neighbours', ['here', 'jump'] as const),
    stimulate: reader.matching('addresses', 'stimulate', 'an IPv4 network like 192.0.2.0/24 (/20 at most)', cidr),
    stimulatePerS: reader.number('addresses', 'stimulate_per_s', { min: 1, max: 1000 }) ?? 50,
    command: reader.words('addresses', 'command'),
  };
}

function images(reader: TomlReader, table: 'control' | 'reference'): Partial<Record<BootMode, string>> {
  const found: Partial<Record<BootMode, string>> = {};
  for (const mode of BOOT_MODES) {
    const file = reader.file(table, mode);
    if (file !== null) found[mode] = file;
  }
  return found;
}

function slots(reader: TomlReader): LabFile['slots'] {
  const value = reader.root.slots;
  if (value === undefined) return [];
  if (!Array.isArray(value)) return reader.wrong('', 'slots', 'tables [[slots]] with mac and address', value);
  return value.map((slot: Table) => {
    const { mac, address } = slot;
    const unknown = Object.keys(slot).find((key) => key !== 'mac' && key !== 'address');
    if (unknown !== undefined) return reader.wrong('slots', unknown, 'one of mac, address', unknown, 'unknown key');
    if (typeof mac !== 'string' || !/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(mac)) {
      return reader.wrong('slots', 'mac', 'a MAC like 02:00:00:00:aa:01', mac);
    }
    if (typeof address !== 'string' || address === '') return reader.wrong('slots', 'address', 'an address', address);
    return { mac: mac.toLowerCase(), address };
  });
}

function paths(reader: TomlReader): Partial<GuestPaths> {
  const found: Record<string, string | readonly string[]> = {};
  for (const [key, value] of Object.entries(reader.table('paths'))) {
    const name = key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const single = ['store', 'current_system', 'ready_marker', 'ready_marker_content'].includes(key);
    const list = typeof value === 'string' ? [value] : value;
    if (!Array.isArray(list) || list.length === 0 || !list.every((entry) => typeof entry === 'string')) {
      reader.wrong('paths', key, single ? 'a text' : 'a text or a list of texts', value);
    }
    found[name] = single ? String(list[0]) : (list as readonly string[]);
  }
  return found as Partial<GuestPaths>;
}
