/** Reads a lab file (TOML), with what the caller gave besides laid over it. Nothing is resolved here but paths. */
import { readFileSync } from 'node:fs';
import { Fault } from '../faults/faults.ts';
import { BOOT_MODES, type BootMode, type GuestPaths, NIC_TYPES } from '../model.ts';
import type {
  AddressesTable,
  CacheTable,
  FixedTable,
  GuestTables,
  JumpTable,
  LabFile,
  PlacementTable,
  SshTable,
  XoTable,
} from './lab-tables.ts';
import { FORMS, PATH_TABLE } from './path-table.ts';
import { type Overrides, type Table, TomlReader } from './toml-reader.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** How long a guest may be kept, in hours: a minute to a week. */
export const KEEP_HOURS = { min: 0.01, max: 168 };
const KEEP_HOURS_DEFAULT = 2;
const FINGERPRINT = /^(sha256:)?[0-9a-f]{2}(:?[0-9a-f]{2}){31}$/i;

/** Every key that a lab file may have, by table. */
export const KNOWN_KEYS: Readonly<Record<string, readonly string[]>> = {
  '': [
    ...['name', 'kind', 'budget_scale', 'claim_hours', 'xo', 'placement', 'fixed', 'ssh', 'addresses', 'console'],
    ...['slots', 'control', 'reference', 'paths', 'cache', 'boots', 'max_guests', 'ticket_wait_s', 'keep_hours'],
  ],
  xo: ['url', 'token_file', 'email', 'password_file', 'insecure', 'ca_file', 'fingerprint'],
  placement: ['template', 'sr', 'network', 'host', 'memory_mib', 'cpus', 'firmware', 'nic'],
  fixed: ['vm', 'vdi', 'leave', 'control', 'lock_wait_s', 'pad'],
  cache: ['sr', 'gib', 'chain_max', 'keep_failed_days'],
  ssh: ['user', 'port', 'key', 'passphrase_file', 'agent', 'become', 'keepalive_s', 'jump'],
  'ssh.jump': ['host', 'port', 'user', 'key', 'host_key'],
  addresses: ['neighbours', 'stimulate', 'stimulate_per_s', 'command'],
  console: ['serial_path'],
  control: BOOT_MODES,
  reference: BOOT_MODES,
  paths: PATH_TABLE.map(({ key }) => key),
};

const NOTHING: Overrides = new Map();

/** @throws Fault BAD_LAB_FILE with file and line, BAD_OPTION or BAD_ENVIRONMENT for what was given outside of it */
export function loadLabFile(path: string, overrides: Overrides = NOTHING): LabFile {
  return parseLabFile(path, readText(path), overrides);
}

/** What a lab file says of guests; what it says of the lab is not asked for. @throws Fault as `loadLabFile` */
export function loadGuestTables(path: string, overrides: Overrides = NOTHING): GuestTables {
  return parseGuestTables(path, readText(path), overrides);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new Fault('BAD_LAB_FILE', `lab: expected a lab file that can be read, given ${path}`, { cause });
  }
}

/** The pure part of `loadLabFile`. Relative paths in the file are relative to the file. */
export function parseLabFile(path: string, text: string, overrides: Overrides = NOTHING): LabFile {
  const reader = checked(path, text, overrides);
  return {
    ...guestTables(reader),
    kind: reader.choice('', 'kind', ['embedded', 'xo'] as const) ?? 'xo',
    claimHours: reader.number('', 'claim_hours', { min: 0.1, max: 720 }) ?? 4,
    boots: reader.whole('', 'boots', { min: 1, max: 9 }),
    maxGuests: reader.whole('', 'max_guests', { min: 1, max: 10_000 }),
    ticketWaitS: reader.number('', 'ticket_wait_s', { min: 0, max: 604_800 }) ?? 14_400,
    keepHours: reader.number('', 'keep_hours', KEEP_HOURS) ?? KEEP_HOURS_DEFAULT,
    xo: xo(reader),
    placement: placement(reader),
    fixed: reader.has('fixed') ? fixed(reader) : null,
    cache: reader.has('cache') ? cache(reader) : null,
    addresses: addresses(reader),
    serialPath: reader.string('console', 'serial_path'),
    slots: slots(reader),
    control: images(reader, 'control'),
    reference: images(reader, 'reference'),
  };
}

/** The pure part of `loadGuestTables`. */
export function parseGuestTables(path: string, text: string, overrides: Overrides = NOTHING): GuestTables {
  return guestTables(checked(path, text, overrides));
}

function checked(path: string, text: string, overrides: Overrides): TomlReader {
  const reader = new TomlReader(path, text, overrides);
  for (const [table, keys] of Object.entries(KNOWN_KEYS)) reader.knownOnly(table, keys);
  return reader;
}

function guestTables(reader: TomlReader): GuestTables {
  return {
    path: reader.path,
    name: reader.string('', 'name') ?? 'lab',
    budgetScale: reader.number('', 'budget_scale', { min: 0.01, max: 1000 }) ?? 1,
    ssh: ssh(reader),
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
    template: unless('none', reader.string('placement', 'template')),
    sr: reader.string('placement', 'sr'),
    network: reader.string('placement', 'network'),
    memoryMiB: reader.whole('placement', 'memory_mib', { min: 64, max: 1_048_576 }) ?? 2048,
    cpus: reader.whole('placement', 'cpus', { min: 1, max: 256 }) ?? 1,
    firmware: reader.choice('placement', 'firmware', ['bios', 'uefi'] as const),
    nic: reader.choice('placement', 'nic', NIC_TYPES),
    host: unless('any', reader.string('placement', 'host')),
  };
}

/** A word that takes back what a file or a variable names. */
const unless = (nothing: string, given: string | null): string | null => (given === nothing ? null : given);

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

function cache(reader: TomlReader): CacheTable {
  const needed = <T>(key: string, expected: string, value: T | null): T =>
    value ?? reader.wrong('cache', key, `${expected} (or --cache-${key.replace('_', '-')})`, undefined);
  return {
    sr: needed('sr', 'the SR that images are kept on', reader.string('cache', 'sr')),
    gib: needed('gib', 'how many GiB they may take', reader.number('cache', 'gib', { min: 0.001, max: 1_048_576 })),
    // A VHD chain of an XCP-ng SR has 30 disks at most (MAX_CHAIN_SIZE of its storage manager).
    chainMax: needed('chain_max', 'a length of chain', reader.whole('cache', 'chain_max', { min: 2, max: 29 })),
    keepFailedDays: reader.number('cache', 'keep_failed_days', { min: 0, max: 365 }) ?? 3,
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
  for (const { name, key, list, is } of PATH_TABLE) {
    const value = list ? reader.texts('paths', key) : reader.string('paths', key);
    if (value === null) continue;
    const { pattern, expected } = FORMS[is];
    for (const text of [value].flat()) if (!pattern.test(text)) reader.wrong('paths', key, expected, value);
    found[name] = value;
  }
  return found as Partial<GuestPaths>;
}
