/** Reads the file of guest answers key by key: what is unknown or of another kind is an error that names its place. */

export function listOf<T>(value: unknown, where: string, one: (item: unknown, where: string) => T): readonly T[] {
  if (!Array.isArray(value)) throw misfit(where, 'a list', value);
  return value.map((item, index) => one(item, `${where}[${index}]`));
}

export function misfit(where: string, expected: string, given: unknown): Error {
  return new Error(`guest answers: ${where}: expected ${expected}, given ${JSON.stringify(given)}`);
}

/** One object of the file: every key is known, absent is null, a wrong kind is an error. */
export class Fields {
  readonly #value: Readonly<Record<string, unknown>>;
  readonly #where: string;
  constructor(value: unknown, where: string, known: readonly string[]) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw misfit(where, 'an object', value);
    this.#value = { ...value };
    this.#where = where;
    const strange = Object.keys(value).find((key) => !known.includes(key));
    if (strange !== undefined) throw misfit(where, `the keys ${known.join(', ')}`, strange);
  }
  value(key: string): unknown {
    return this.#value[key];
  }
  object(key: string): Readonly<Record<string, unknown>> {
    const value = this.#value[key] ?? {};
    if (typeof value !== 'object' || Array.isArray(value)) throw misfit(`${this.#where}.${key}`, 'an object', value);
    return { ...value };
  }
  text(key: string): string | null {
    const value = this.#value[key] ?? null;
    if (value !== null && typeof value !== 'string') throw misfit(`${this.#where}.${key}`, 'a string', value);
    return value;
  }
  whole(key: string): number | null {
    const value = this.#value[key] ?? null;
    if (value === null || (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0)) return value;
    throw misfit(`${this.#where}.${key}`, 'a whole number', value);
  }
  flag(key: string): boolean {
    const value = this.#value[key] ?? false;
    if (typeof value !== 'boolean') throw misfit(`${this.#where}.${key}`, 'true or false', value);
    return value;
  }
  oneOf<const T extends string>(key: string, allowed: readonly T[]): T | null {
    const value = this.#value[key] ?? null;
    if (value === null) return null;
    const found = allowed.find((one) => one === value);
    if (found === undefined) throw misfit(`${this.#where}.${key}`, `one of ${allowed.join(', ')}`, value);
    return found;
  }
}
