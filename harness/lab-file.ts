/**
 * Reads a lab file (TOML): shape and types checked at the door, errors name the line. The only
 * importer of smol-toml.
 */
import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import { Fault } from './faults.ts';
import { BOOT_MODES, type BootMode, type Firmware, type GuestPaths } from './model.ts';

/** A lab as its file describes it; nothing resolved yet. */
export interface LabFile {
  readonly path: string;
  readonly name: string;
  /** `embedded` promises that the images of `reference` say nothing about anybody's image. */
  readonly kind: 'embedded' | 'xo';
  readonly budgetScale: number;
  readonly url: string;
  readonly tokenFile: string | null;
  readonly insecure: boolean;
  readonly caFile: string | null;
  readonly template: string | null;
  readonly sr: string | null;
  readonly network: string | null;
  readonly memoryMiB: number;
  readonly cpus: number;
  readonly firmware: Firmware;
  readonly sshUser: string;
  readonly sshPort: number;
  readonly sshKey: string | null;
  readonly serialPath: string | null;
  readonly slots: readonly { readonly mac: string; readonly address: string }[];
  readonly control: Readonly<Partial<Record<BootMode, string>>>;
  readonly reference: Readonly<Partial<Record<BootMode, string>>>;
  readonly paths: Partial<GuestPaths>;
}

type Table = Readonly<Record<string, unknown>>;

const KNOWN: Readonly<Record<string, readonly string[]>> = {
  '': ['name', 'kind', 'budget_scale', 'xo', 'placement', 'ssh', 'console', 'slots', 'control', 'reference', 'paths'],
  xo: ['url', 'token_file', 'insecure', 'ca_file'],
  placement: ['template', 'sr', 'network', 'memory_mib', 'cpus', 'firmware'],
  ssh: ['user', 'port', 'key'],
  console: ['serial_path'],
  control: BOOT_MODES,
  reference: BOOT_MODES,
  paths: [
    ...['shim_prefixes', 'store', 'current_system', 'ready_marker', 'ready_marker_content', 'shepherd_socket'],
    ...['shepherd_pid_file', 'herd', 'guile', 'guile_environment'],
  ],
};

/** @throws Fault BAD_LAB_FILE with file and line. Relative paths are relative to the file. */
export function loadLabFile(path: string): LabFile {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new Fault('BAD_LAB_FILE', `lab: expected a lab file that can be read, given ${path}`, { cause });
  }
  return parseLabFile(path, text);
}

/** The pure part of `loadLabFile`. */
export function parseLabFile(path: string, text: string): LabFile {
  let root: Table;
  try {
    root = parse(text) as Table;
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    const first = cause.message.split('\n', 1)[0]?.replace(/^Invalid TOML document: /, '');
    throw new Fault('BAD_LAB_FILE', `${path}, line ${cause.line}: ${first}`, { cause });
  }
  return new Reader(path, text, root).read();
}

/** Turns `unknown` into a LabFile, naming the line of whatever is wrong. */
class Reader {
  readonly #path: string;
  readonly #text: string;
  readonly #root: Table;
  constructor(path: string, text: string, root: Table) {
    this.#path = path;
    this.#text = text;
    this.#root = root;
  }

  read(): LabFile {
    for (const table of Object.keys(KNOWN)) this.#knownOnly(table);
    return {
      path: this.#path,
      name: this.#string('', 'name') ?? 'lab',
      kind: this.#choice('', 'kind', ['embedded', 'xo'] as const) ?? 'xo',
      budgetScale: this.#number('', 'budget_scale', 0.01, 1000) ?? 1,
      url: this.#string('xo', 'url') ?? this.#wrong('xo', 'url', 'the URL of Xen Orchestra', undefined),
      tokenFile: this.#file('xo', 'token_file'),
      insecure: this.#boolean('xo', 'insecure') ?? false,
      caFile: this.#file('xo', 'ca_file'),
      template: this.#string('placement', 'template'),
      sr: this.#string('placement', 'sr'),
      network: this.#string('placement', 'network'),
      memoryMiB: this.#whole('placement', 'memory_mib', 64, 1_048_576) ?? 2048,
      cpus: this.#whole('placement', 'cpus', 1, 256) ?? 1,
      firmware: this.#choice('placement', 'firmware', ['bios', 'uefi'] as const) ?? 'bios',
      sshUser: this.#string('ssh', 'user') ?? 'root',
      sshPort: this.#whole('ssh', 'port', 1, 65_535) ?? 22,
      sshKey: this.#file('ssh', 'key'),
      serialPath: this.#string('console', 'serial_path'),
      slots: this.#slots(),
      control: this.#images('control'),
      reference: this.#images('reference'),
      paths: this.#paths(),
    };
  }

  #table(name: string): Table {
    if (name === '') return this.#root;
    const value = this.#root[name];
    if (value === undefined) return {};
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return this.#wrong('', name, 'a table', value);
    }
    return value as Table;
  }

  #knownOnly(name: string): void {
    for (const key of Object.keys(this.#table(name))) {
      if (KNOWN[name]?.includes(key)) continue;
      this.#wrong(name, key, `one of ${KNOWN[name]?.join(', ')}`, key, 'unknown key');
    }
  }

  #wrong(table: string, key: string, expected: string, given: unknown, problem?: string): never {
    const where = table === '' ? key : `${table}.${key}`;
    const line = this.#lineOf(table, key);
    const at = line === null ? this.#path : `${this.#path}, line ${line}`;
    const got = given === undefined ? 'nothing' : JSON.stringify(given);
    throw new Fault(
      'BAD_LAB_FILE',
      `${at}: ${problem ? `${problem} ` : ''}${where}: expected ${expected}, given ${got}`,
    );
  }

  /** The line of `key` in `[table]`; of the table's heading where the key is missing; null where neither is. */
  #lineOf(table: string, key: string): number | null {
    const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    const heading = /^\s*\[{1,2}\s*"?([^\]"]+?)"?\s*\]{1,2}/;
    const assignment = new RegExp(`^\\s*["']?${escaped(key)}["']?\\s*=`);
    let current = '';
    let headingLine: number | null = null;
    for (const [index, line] of this.#text.split('\n').entries()) {
      const found = heading.exec(line);
      if (found) {
        current = found[1] ?? '';
        if (current === table || (table === '' && current === key)) headingLine = index + 1;
      } else if (current === table && assignment.test(line)) return index + 1;
    }
    return headingLine;
  }

  #string(table: string, key: string): string | null {
    const value = this.#table(table)[key];
    if (value === undefined) return null;
    if (typeof value !== 'string' || value === '') return this.#wrong(table, key, 'a text that is not empty', value);
    return value;
  }

  #file(table: string, key: string): string | null {
    const value = this.#string(table, key);
    if (value === null) return null;
    return isAbsolute(value) ? value : resolve(dirname(this.#path), value);
  }

  #boolean(table: string, key: string): boolean | null {
    const value = this.#table(table)[key];
    if (value === undefined) return null;
    return typeof value === 'boolean' ? value : this.#wrong(table, key, 'true or false', value);
  }

  #number(table: string, key: string, min: number, max: number): number | null {
    const value = this.#table(table)[key];
    if (value === undefined) return null;
    if (typeof value === 'number' && value >= min && value <= max) return value;
    return this.#wrong(table, key, `a number from ${min} to ${max}`, value);
  }

  #whole(table: string, key: string, min: number, max: number): number | null {
    const value = this.#number(table, key, min, max);
    return value === null || Number.isInteger(value) ? value : this.#wrong(table, key, 'a whole number', value);
  }

  #choice<T extends string>(table: string, key: string, choices: readonly T[]): T | null {
    const value = this.#table(table)[key];
    if (value === undefined) return null;
    return choices.find((choice) => choice === value) ?? this.#wrong(table, key, choices.join(' or '), value);
  }

  #images(table: 'control' | 'reference'): Partial<Record<BootMode, string>> {
    const images: Partial<Record<BootMode, string>> = {};
    for (const mode of BOOT_MODES) {
      const file = this.#file(table, mode);
      if (file !== null) images[mode] = file;
    }
    return images;
  }

  #slots(): LabFile['slots'] {
    const value = this.#root.slots;
    if (value === undefined) return [];
    if (!Array.isArray(value)) return this.#wrong('', 'slots', 'tables [[slots]] with mac and address', value);
    return value.map((slot: Table) => {
      const { mac, address } = slot;
      if (typeof mac !== 'string' || !/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(mac)) {
        return this.#wrong('slots', 'mac', 'a MAC like 02:00:00:00:aa:01', mac);
      }
      if (typeof address !== 'string' || address === '') return this.#wrong('slots', 'address', 'an address', address);
      return { mac: mac.toLowerCase(), address };
    });
  }

  #paths(): Partial<GuestPaths> {
    const paths: Record<string, string | readonly string[]> = {};
    for (const [key, value] of Object.entries(this.#table('paths'))) {
      const name = key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
      const single = ['store', 'current_system', 'ready_marker', 'ready_marker_content'].includes(key);
      const list = typeof value === 'string' ? [value] : value;
      if (!Array.isArray(list) || list.length === 0 || !list.every((entry) => typeof entry === 'string')) {
        this.#wrong('paths', key, single ? 'a text' : 'a text or a list of texts', value);
      }
      paths[name] = single ? String(list[0]) : (list as readonly string[]);
    }
    return paths as Partial<GuestPaths>;
  }
}
