/** Where reports go besides the workdir: files that the caller names, looked at before anything is made. */
import { accessSync, constants, lstatSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { Fault } from '../faults/faults.ts';
import { codeIn } from '../workdir/make-folder.ts';
import { bad, type Environment, type Given, path } from './given.ts';
import type { Override } from './toml-reader.ts';

export const OUTPUT_NAMES = ['junit', 'markdown', 'report-json', 'tap'] as const;
export type OutputName = (typeof OUTPUT_NAMES)[number];

export interface OutputFile {
  readonly path: string;
  /**
   * True for what a CI collects from several steps (`$GITHUB_STEP_SUMMARY`), and for what is no file of its own: to
   * put a new one in the place of `/dev/stdout`, a pipe or a device would take it away from everybody.
   */
  readonly append: boolean;
}

/** Null: not wanted. */
export type OutputFiles = Readonly<Record<OutputName, OutputFile | null>>;

export const NO_OUTPUTS: OutputFiles = { junit: null, markdown: null, 'report-json': null, tap: null };

/** @throws Fault BAD_OPTION, BAD_ENVIRONMENT for a file that cannot be written, and for a switch that is none */
export function outputFiles(given: Given, environment: Environment): OutputFiles {
  for (const name of ['json', 'quiet']) refuseNoSwitch(given.value(name));
  const named = OUTPUT_NAMES.map((name) => [name, outputFile(given, environment, name)] as const);
  return { ...NO_OUTPUTS, ...Object.fromEntries(named) };
}

/** A variable that once named a file, say. */
function refuseNoSwitch(value: Override | null): void {
  if (value === null || value.text === 'true' || value.text === 'false') return;
  throw bad(value.from, 'true or false', `"${value.text}"`);
}

function outputFile(given: Given, { GITHUB_STEP_SUMMARY }: Environment, name: OutputName): OutputFile | null {
  const value = given.value(name);
  const file = path(value);
  if (value === null || file === null) return null;
  try {
    const output = placeOf(file, value.text === GITHUB_STEP_SUMMARY);
    // What is written anew is made beside the old one first.
    accessSync(output.append && isThere(file) ? file : dirname(output.path), constants.W_OK);
    if (isThere(file) && statSync(file).isDirectory()) throw bad(value.from, 'a file', `the folder ${file}`);
    return output;
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw bad(value.from, 'a file that can be written', `${file}${codeIn(error)}`);
  }
}

const isThere = (file: string): boolean => lstatSync(file, { throwIfNoEntry: false }) !== undefined;

/** Descriptors, devices; a link there leads to what somebody else has open. */
const OF_THE_SYSTEM = /^\/(dev|proc)\//;

/** Where it really goes: a link stays, and what it leads to is written. @throws Error of the operating system */
function placeOf(file: string, added: boolean): OutputFile {
  if (!isThere(file)) return { path: file, append: added };
  if (OF_THE_SYSTEM.test(file) || !statSync(file).isFile()) return { path: file, append: true };
  return { path: realpathSync(file), append: added };
}
