/**
 * Reads values out of a TOML file: shape and types checked at the door, errors name the line. A value that the caller
 * gave as a flag or variable wins over the file's and is checked alike. The only importer of smol-toml.
 */
import { homedir } from 'node:os';
import { dirname, isAbsolute, resolve } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import { Fault } from '../faults/faults.ts';

/** A value given outside the file: where (`--sr`, `BOOTWITNESS_SR`) and what. */
export interface Override {
  readonly from: string;
  readonly text: string;
}

/** `table.key` → what the caller gave for it. */
export type Overrides = ReadonlyMap<string, Override>;

export type Table = Readonly<Record<string, unknown>>;

const DAY = /\d{4}-\d{2}-\d{2}/;

/** What a file that is wrong is called. */
type FileCode = 'BAD_LAB_FILE' | 'BAD_PLAN';

/** @throws Fault `code` with the line */
export function parseToml(path: string, text: string, code: FileCode = 'BAD_LAB_FILE'): Table {
  try {
    return parse(text) as Table;
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    const first = cause.message.split('\n', 1)[0]?.replace(/^Invalid TOML document: /, '');
    throw new Fault(code, `${path}, line ${cause.line}: ${first}`, { cause });
  }
}

/** A number with its bounds, both included. */
interface Bounds {
  readonly min: number;
  readonly max: number;
}

export class TomlReader {
  readonly path: string;
  readonly root: Table;
  readonly #text: string;
  readonly #overrides: Overrides;
  readonly #code: FileCode;

  constructor(path: string, text: string, overrides: Overrides, code: FileCode = 'BAD_LAB_FILE') {
    this.path = path;
    this.#code = code;
    this.#text = text;
    this.#overrides = overrides;
    this.root = parseToml(path, text, code);
  }

  /** Empty where the file has no such table. @param name `ssh.jump` for a table within a table */
  table(name: string): Table {
    if (name === '') return this.root;
    const [parent, key] = splitKey(name);
    const value = this.table(parent)[key];
    if (value === undefined) return {};
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return this.wrong(parent, key, 'a table', value);
    }
    return value as Table;
  }

  /** @throws Fault BAD_LAB_FILE (or BAD_PLAN) for a key that is not known */
  knownOnly(name: string, known: readonly string[]): void {
    for (const key of Object.keys(this.table(name))) {
      if (known.includes(key)) continue;
      this.wrong(name, key, `one of ${known.join(', ')}`, key, 'unknown key');
    }
  }

  /** One sentence that names file, line and key, or the option that was given instead. */
  wrong(table: string, key: string, expected: string, given: unknown, problem?: string): never {
    const where = table === '' ? key : `${table}.${key}`;
    const override = this.#overrides.get(where);
    if (override !== undefined) {
      const code = override.from.startsWith('--') ? 'BAD_OPTION' : 'BAD_ENVIRONMENT';
      throw new Fault(code, `${override.from}: expected ${expected}, given ${JSON.stringify(override.text)}`);
    }
    const line = this.#lineOf(table, key);
    const at = line === null ? this.path : `${this.path}, line ${line}`;
    const got = given === undefined ? 'nothing' : JSON.stringify(given);
    throw new Fault(this.#code, `${at}: ${problem ? `${problem} ` : ''}${where}: expected ${expected}, given ${got}`);
  }

  /** Where the value came from, for messages: the option, or file and key. */
  from(table: string, key: string): string {
    return this.#overrides.get(`${table}.${key}`)?.from ?? `${this.path}: ${table}.${key}`;
  }

  /** Is anything of this table given, in the file or outside of it? */
  has(table: string): boolean {
    const outside = [...this.#overrides.keys()].some((key) => splitKey(key)[0] === table);
    return outside || Object.keys(this.table(table)).length > 0;
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

  #raw(table: string, key: string): unknown {
    const where = table === '' ? key : `${table}.${key}`;
    return this.#overrides.get(where)?.text ?? this.table(table)[key];
  }

  #isGiven(table: string, key: string): boolean {
    return this.#overrides.has(table === '' ? key : `${table}.${key}`);
  }

  string(table: string, key: string): string | null {
    const value = this.#raw(table, key);
    if (value === undefined) return null;
    if (typeof value !== 'string' || value === '') return this.wrong(table, key, 'a text that is not empty', value);
    return value;
  }

  /** A text that a pattern accepts, e.g. a uuid. */
  matching(table: string, key: string, expected: string, accepts: RegExp): string | null {
    const value = this.string(table, key);
    return value === null || accepts.test(value) ? value : this.wrong(table, key, expected, value);
  }

  /** A path: of the file relative to the file, of an option relative to the current folder. */
  file(table: string, key: string): string | null {
    const value = this.string(table, key)?.replace(/^~(?=\/)/, homedir()) ?? null;
    if (value === null || isAbsolute(value)) return value;
    return this.#isGiven(table, key) ? resolve(value) : resolve(dirname(this.path), value);
  }

  boolean(table: string, key: string): boolean | null {
    const value = this.#raw(table, key);
    if (value === undefined) return null;
    if (this.#isGiven(table, key) && (value === 'true' || value === 'false')) return value === 'true';
    return typeof value === 'boolean' ? value : this.wrong(table, key, 'true or false', value);
  }

  number(table: string, key: string, { min, max }: Bounds): number | null {
    const raw = this.#raw(table, key);
    if (raw === undefined) return null;
    const text = this.#isGiven(table, key) ? String(raw).trim() : '';
    const value = text === '' ? raw : Number(text);
    if (typeof value === 'number' && value >= min && value <= max) return value;
    return this.wrong(table, key, `a number from ${min} to ${max}`, raw);
  }

  whole(table: string, key: string, bounds: Bounds): number | null {
    const value = this.number(table, key, bounds);
    return value === null || Number.isInteger(value) ? value : this.wrong(table, key, 'a whole number', value);
  }

  choice<T extends string>(table: string, key: string, choices: readonly T[]): T | null {
    const value = this.#raw(table, key);
    if (value === undefined) return null;
    return choices.find((choice) => choice === value) ?? this.wrong(table, key, choices.join(' or '), value);
  }

  /** A day of the calendar. The parser makes 2 March of 30 February: what it made must stand there as well. */
  day(table: string, key: string, expected: string): string | null {
    const value = this.table(table)[key];
    if (value === undefined) return null;
    const line = this.#lineOf(table, key);
    const written = line === null ? this.#text : (this.#text.split('\n')[line - 1] ?? '');
    if (!(value instanceof Date)) return this.wrong(table, key, expected, value);
    const day = value.toISOString().slice(0, 10);
    if (DAY.test(day) && written.includes(day)) return day;
    return this.wrong(table, key, expected, (line && DAY.exec(written)?.[0]) || value, 'no day of the calendar,');
  }

  /** A text or a list of texts; of an option, what colons separate, as in PATH. Null: not given. */
  texts(table: string, key: string): readonly string[] | null {
    const raw = this.#raw(table, key);
    if (raw === undefined) return null;
    const given = this.#isGiven(table, key) ? String(raw).split(':') : raw;
    const value = typeof given === 'string' ? [given] : given;
    const fits = Array.isArray(value) && value.length > 0 && value.every((text) => typeof text === 'string');
    return fits ? (value as readonly string[]) : this.wrong(table, key, 'a text or a list of texts', raw);
  }

  /** A text or a list of texts; of an option, the words that spaces separate. Null: not given. */
  words(table: string, key: string): readonly string[] | null {
    const raw = this.#raw(table, key);
    if (raw === undefined) return null;
    const value = typeof raw === 'string' ? raw.split(/\s+/).filter((word) => word !== '') : raw;
    const fits = Array.isArray(value) && value.length > 0 && value.every((word) => typeof word === 'string');
    return fits ? (value as readonly string[]) : this.wrong(table, key, 'a text or a list of texts', raw);
  }
}

/** `ssh.jump.host` → `ssh.jump`, `host`. */
function splitKey(where: string): readonly [string, string] {
  const at = where.lastIndexOf('.');
  return at < 0 ? ['', where] : [where.slice(0, at), where.slice(at + 1)];
}
