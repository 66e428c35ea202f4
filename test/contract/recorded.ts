/** Compares what the lab's endpoint does with what was recorded of a real Xen Orchestra, volatile parts masked. */
import { readFileSync } from 'node:fs';

type Recorded = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`recorded/${name}.json`, import.meta.url), 'utf8')) as Recorded;

export const recordedObjects = read('objects');
export const recordedErrors = read('errors');

const ZERO = '00000000-0000-0000-0000-000000000000';
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/**
 * The same with each uuid replaced by its number in order of appearance, without times and stacks: two values that say
 * the same of different objects become equal.
 */
export function masked(value: unknown): unknown {
  const numbers = new Map<string, string>([[ZERO, ZERO]]);
  const text = (one: string): string =>
    one.replace(UUID, (uuid) => {
      const known = numbers.get(uuid) ?? `<id ${numbers.size}>`;
      numbers.set(uuid, known);
      return known;
    });
  const walk = (one: unknown): unknown => {
    if (typeof one === 'string') return text(one);
    if (Array.isArray(one)) return one.map(walk);
    if (typeof one !== 'object' || one === null) return one;
    const kept: Record<string, unknown> = {};
    for (const [key, inner] of Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (key === 'stack' || key === 'ms') continue;
      kept[key] = key === 'duration' ? 0 : walk(inner);
    }
    return kept;
  };
  return walk(value);
}

/** How a promise ended, in the recording's form. */
export async function outcome(promise: Promise<unknown>): Promise<unknown> {
  try {
    return { result: await promise };
  } catch (thrown) {
    const error = thrown as Error & { readonly code?: unknown; readonly data?: unknown };
    const { message, code, data } = error;
    return {
      error: {
        class: error.constructor.name,
        message,
        ...(code === undefined ? {} : { code }),
        ...(data === undefined ? {} : { data }),
      },
    };
  }
}

/** A recorded outcome, masked; throws for a name that the recording does not have. */
export function recorded(section: string, name: string): unknown {
  const entry = recordedErrors[section]?.[name];
  if (entry === undefined) throw new Error(`nothing recorded as ${section}: ${name}`);
  return masked(entry);
}
