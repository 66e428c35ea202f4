/**
 * The one table of the places in a guest that may be named otherwise: key of `[paths]` in a lab file, option, what
 * must lie there. Lab file, options and `npm run probe` all read it.
 */
import type { GuestPaths } from '../model.ts';

export interface PathRow {
  /** As `GuestPaths` calls it. */
  readonly name: keyof GuestPaths;
  /** As `[paths]` of a lab file calls it. */
  readonly key: string;
  /** Name of the option, without dashes. */
  readonly option: string;
  /** Several candidates may be named; else exactly one. */
  readonly list: boolean;
  /**
   * What a healthy guest has there. `nothing`: it must not be there. No paths at all: `text`, `names` of services,
   * `settings` of the form NAME=VALUE.
   */
  readonly is: 'directory' | 'file' | 'program' | 'socket' | 'nothing' | 'text' | 'names' | 'settings';
  readonly meaning: string;
}

type Rest = Pick<PathRow, 'is' | 'meaning'> & { readonly list?: true };

function row(name: keyof GuestPaths, { is, meaning, list }: Rest): PathRow {
  const key = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return { name, key, option: `path-${key.replaceAll('_', '-')}`, list: list === true, is, meaning };
}

export const PATH_TABLE: readonly PathRow[] = [
  row('store', { is: 'directory', meaning: 'the store' }),
  row('currentSystem', { is: 'directory', meaning: "link to the running system's closure" }),
  row('readyMarker', { is: 'file', meaning: 'the ready marker' }),
  row('readyMarkerContent', { is: 'text', meaning: 'what the ready marker says' }),
  row('shepherdSocket', { is: 'socket', list: true, meaning: "Shepherd's control socket" }),
  row('shepherdPidFile', { is: 'file', list: true, meaning: "Shepherd's pid file" }),
  row('herd', { is: 'program', list: true, meaning: 'herd' }),
  row('guile', { is: 'program', list: true, meaning: 'the Guile of the store' }),
  row('guileEnvironment', { is: 'file', list: true, meaning: "file of Guile's environment" }),
  row('shimPrefixes', { is: 'nothing', list: true, meaning: 'prefixes that must not exist' }),
  row('shepherdConfig', { is: 'settings', list: true, meaning: 'what (shepherd config) must say' }),
  row('servicesUnderInit', { is: 'names', list: true, meaning: 'services that must run where init is PID 1' }),
  row('servicesAsPid1', { is: 'names', list: true, meaning: 'services that must run where Shepherd is PID 1' }),
];

/** True for what is a place in the guest. */
export function isPlace({ is }: PathRow): boolean {
  return is !== 'text' && is !== 'names' && is !== 'settings';
}

const PATHS = { pattern: /^\/\P{Cc}*[^/\p{Cc}]$/u, expected: 'absolute paths without a final slash' };

/** How what is named may be written. Paths are compared by their text later: `/x/` and `/x` would be two. */
export const FORMS: Readonly<Record<PathRow['is'], { readonly pattern: RegExp; readonly expected: string }>> = {
  directory: PATHS,
  file: PATHS,
  program: PATHS,
  socket: PATHS,
  nothing: PATHS,
  text: { pattern: /^/, expected: 'a text' },
  names: { pattern: /^[^\s:\p{Cc}]+$/u, expected: 'names without blanks' },
  settings: { pattern: /^[^\s=:\p{Cc}]+=\P{Cc}*$/u, expected: 'settings of the form NAME=VALUE' },
};
