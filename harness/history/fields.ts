/** Reads JSON that somebody else may have written: what is not there, or is something else, is null, never a throw. */

export type Fields = Readonly<Record<string, unknown>>;

/** Longer texts are nothing that a person reads. */
const CHARACTERS_MAX = 20_000;

/** An object that is none has no fields. */
export const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};

/** What stands at the end of a path of names. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (found, name) => (Object.hasOwn(fieldsOf(found), name) ? fieldsOf(found)[name] : null),
    value,
  );
}

export function textAt(value: unknown, ...path: readonly string[]): string | null {
  const found = at(value, ...path);
  return typeof found === 'string' ? found.slice(0, CHARACTERS_MAX) : null;
}

/** Finite ones only. */
export function numberAt(value: unknown, ...path: readonly string[]): number | null {
  const found = at(value, ...path);
  return typeof found === 'number' && Number.isFinite(found) ? found : null;
}

export function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}
