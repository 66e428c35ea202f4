/**
 * The one table of the places in a guest that may be named otherwise: key of `[paths]` in a lab file, option, what
 * must lie there. Lab file, options and `npm run probe` all read it.
 */
import type { GuestPaths } from './model.ts';

export interface PathRow {
  /** As `GuestPaths` calls it. */
  readonly name: keyof GuestPaths;
  /** As `[paths]` of a lab file calls it. */
  readonly key: string;
  /** Name of the option, without dashes. */
  readonly option: string;
  /** Several candidates may be named; else exactly one. */
  readonly list: boolean;
  /** What a healthy guest has there. `text`: no path at all. `nothing`: it must not be there. */
  readonly is: 'directory' | 'file' | 'program' | 'socket' | 'text' | 'nothing';
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
];
