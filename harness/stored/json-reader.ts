/** Takes fields out of stored JSON, checked: what has another shape was not written by us, or was damaged since. */
import { Fault } from '../faults/faults.ts';

/** One object of a file; every refusal names file and field. */
export class JsonReader {
  readonly where: string;
  readonly #fields: Readonly<Record<string, unknown>>;

  /** @param where file and field, for refusals. @throws Fault BAD_STORED_RUN where it is no object */
  constructor(where: string, value: unknown) {
    this.where = where;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw damaged(where, 'an object', value);
    this.#fields = value as Record<string, unknown>;
  }

  /** @throws Fault BAD_STORED_RUN */
  static parse(where: string, text: string): JsonReader {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw new Fault('BAD_STORED_RUN', `${where}: expected JSON as a run writes it, given something else or a part`, {
        cause,
      });
    }
    return new JsonReader(where, value);
  }

  has(name: string): boolean {
    return this.#fields[name] !== undefined;
  }

  raw(name: string): unknown {
    return this.#fields[name];
  }

  text(name: string): string {
    const value = this.#fields[name];
    return typeof value === 'string' ? value : this.wrong(name, 'a text');
  }

  number(name: string): number {
    const value = this.#fields[name];
    return typeof value === 'number' ? value : this.wrong(name, 'a number');
  }

  flag(name: string): boolean {
    const value = this.#fields[name];
    return typeof value === 'boolean' ? value : this.wrong(name, 'true or false');
  }

  oneOf<T extends string>(name: string, known: readonly T[]): T {
    return known.find((each) => each === this.#fields[name]) ?? this.wrong(name, known.join(' or '));
  }

  object(name: string): JsonReader {
    return new JsonReader(`${this.where}: ${name}`, this.#fields[name]);
  }

  texts(name: string): readonly string[] {
    const value = this.#fields[name];
    if (!Array.isArray(value)) return this.wrong(name, 'a list');
    return value.map((each) => (typeof each === 'string' ? each : this.wrong(name, 'a list of texts')));
  }

  list<T>(name: string, read: (entry: JsonReader) => T): readonly T[] {
    const value = this.#fields[name];
    if (!Array.isArray(value)) return this.wrong(name, 'a list');
    return value.map((each, index) => read(new JsonReader(`${this.where}: ${name}[${index}]`, each)));
  }

  /** Null where it stands there as null, or was not known to the version that wrote it. */
  orNull<T>(name: string, read: (reader: this, name: string) => T): T | null {
    return this.#fields[name] === null || this.#fields[name] === undefined ? null : read(this, name);
  }

  /** Every field, of one kind. */
  every<T>(read: (reader: this, name: string) => T): Readonly<Record<string, T>> {
    return Object.fromEntries(Object.keys(this.#fields).map((name) => [name, read(this, name)]));
  }

  wrong(name: string, expected: string): never {
    throw damaged(`${this.where}: ${name}`, expected, this.#fields[name]);
  }
}

function damaged(where: string, expected: string, given: unknown): Fault {
  const shown = given === undefined ? 'nothing' : (JSON.stringify(given) ?? String(given)).slice(0, 60);
  return new Fault('BAD_STORED_RUN', `${where}: expected ${expected}, given ${shown}`);
}

/** For `orNull`. */
export const text = (reader: JsonReader, name: string): string => reader.text(name);
export const number = (reader: JsonReader, name: string): number => reader.number(name);
