/**
 * Which objects a client asks for: an object that must match (a deep subset, arrays too), or the plain part of the
 * search syntax of Xen Orchestra's web interface: terms `key:value`, `key:"a value"`, `key:/regexp/`, all must hold.
 */
import type { Json, JsonObject, XoObject } from './json.ts';

export type ObjectFilter = (object: XoObject) => boolean;

function isSubset(wanted: Json, given: Json | undefined): boolean {
  if (given === undefined) return false;
  if (Array.isArray(wanted)) {
    return Array.isArray(given) && wanted.every((one) => given.some((other) => isSubset(one, other)));
  }
  if (typeof wanted === 'object' && wanted !== null) {
    if (typeof given !== 'object' || given === null) return false;
    return Object.entries(wanted).every(([key, value]) => isSubset(value, (given as JsonObject)[key]));
  }
  return wanted === given;
}

const TERM = /([\w$.]+):(?:"((?:[^"\\]|\\.)*)"|\/((?:[^/\\]|\\.)+)\/(i?)|([^\s"/()|!<>]+))(?:\s+|$)/y;

function matches(value: Json | undefined, test: (text: string) => boolean): boolean {
  if (Array.isArray(value)) return value.some((one) => matches(one, test));
  if (typeof value === 'string') return test(value);
  return (typeof value === 'number' || typeof value === 'boolean') && test(String(value));
}

function valueAt(object: JsonObject, path: string): Json | undefined {
  let value: Json | undefined = object;
  for (const key of path.split('.')) {
    value = typeof value === 'object' && value !== null ? (value as JsonObject)[key] : undefined;
  }
  return value;
}

/** @throws Error for syntax beyond the plain part */
export function objectFilter(filter: Json | undefined): ObjectFilter {
  if (filter === undefined) return () => true;
  if (typeof filter !== 'string') return (object) => isSubset(filter, object);
  const terms: ObjectFilter[] = [];
  const term = new RegExp(TERM);
  const text = filter.trim();
  while (term.lastIndex < text.length) {
    const at = term.lastIndex;
    const match = term.exec(text);
    if (!match) throw new Error(`the embedded lab does not know this search syntax: ${text.slice(at)}`);
    const [, key = '', quoted, pattern, flags, word] = match;
    const wanted = (quoted?.replace(/\\(.)/g, '$1') ?? word ?? '').toLowerCase();
    const regexp = pattern === undefined ? null : new RegExp(pattern, flags);
    const test = (value: string) => regexp?.test(value) ?? value.toLowerCase().includes(wanted);
    terms.push((object) => matches(valueAt(object, key), test));
  }
  return (object) => terms.every((holds) => holds(object));
}
