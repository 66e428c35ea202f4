/** Reads the fields of one object of Xen Orchestra out of `unknown`. */
import { Fault } from '../faults/faults.ts';

/** What every object of a pool has. */
export interface Named {
  readonly id: string;
  readonly uuid: string;
  readonly name: string;
  readonly pool: string;
}

/** Reads fields of one object; every refusal names the object and the field. */
export class Fields {
  readonly #id: string;
  readonly #raw: Readonly<Record<string, unknown>>;
  constructor(id: string, raw: Readonly<Record<string, unknown>>) {
    this.#id = id;
    this.#raw = raw;
  }
  #malformed(field: string, expected: string): never {
    const given = JSON.stringify(this.#raw[field])?.slice(0, 60) ?? 'nothing';
    const what = `${String(this.#raw.type)} ${this.#id}`;
    throw new Fault('XO_OBJECT_MALFORMED', `${what}: ${field}: expected ${expected}, given ${given}`);
  }
  string(field: string): string {
    const value = this.#raw[field];
    return typeof value === 'string' ? value : this.#malformed(field, 'a string');
  }
  optionalString(field: string): string | null {
    const value = this.#raw[field];
    return value === undefined || value === null ? null : this.string(field);
  }
  number(field: string): number {
    const value = this.#raw[field];
    return typeof value === 'number' ? value : this.#malformed(field, 'a number');
  }
  optionalNumber(field: string): number | null {
    const value = this.#raw[field];
    return value === undefined || value === null ? null : this.number(field);
  }
  boolean(field: string): boolean {
    const value = this.#raw[field];
    return typeof value === 'boolean' ? value : this.#malformed(field, 'true or false');
  }
  strings(field: string): readonly string[] {
    const value = this.#raw[field];
    if (!Array.isArray(value)) return this.#malformed(field, 'a list of strings');
    // XO leaves null where it does not know the object behind a reference yet.
    const known = value.filter((entry) => entry !== null && entry !== undefined);
    return known.every((entry) => typeof entry === 'string') ? known : this.#malformed(field, 'a list of strings');
  }
  optionalStrings(field: string): readonly string[] {
    return this.#raw[field] === undefined ? [] : this.strings(field);
  }
  /** Empty where it is absent. */
  record(field: string): Readonly<Record<string, unknown>> {
    const value = this.#raw[field] ?? {};
    const fits = typeof value === 'object' && !Array.isArray(value);
    return fits ? (value as Record<string, unknown>) : this.#malformed(field, 'an object');
  }
  stringRecord(field: string): Readonly<Record<string, string>> {
    const value = this.#raw[field];
    if (value === undefined) return {};
    const fits =
      typeof value === 'object' && value !== null && Object.values(value).every((v) => typeof v === 'string');
    return fits ? (value as Record<string, string>) : this.#malformed(field, 'an object of strings');
  }
  oneOf<T extends string>(field: string, known: readonly T[]): T {
    const value = this.string(field);
    return known.find((each) => each === value) ?? this.#malformed(field, known.join(', '));
  }
  named(): Named {
    return {
      id: this.#id,
      uuid: this.string('uuid').toLowerCase(),
      name: this.string('name_label'),
      pool: this.string('$pool'),
    };
  }
}
