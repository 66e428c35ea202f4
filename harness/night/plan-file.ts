/** Reads the plan of a night (TOML): which images, by which scenarios, on which labs. No lab is asked here. */
import { readFileSync } from 'node:fs';
import { Fault } from '../faults/faults.ts';
import { labFilePath } from '../options/config.ts';
import { type Overrides, TomlReader } from '../options/toml-reader.ts';

/** An image and what it has to pass. */
export interface PlannedNightImage {
  readonly name: string;
  /** Absolute; null: the lab's own reference image. */
  readonly file: string | null;
  /** As they are typed: `phase9`; empty: all. */
  readonly scenarios: readonly string[];
  readonly expectClosure: string | null;
  readonly sshKey: string | null;
  /** Absolute, or `none`; null: as the lab file says. */
  readonly control: string | null;
}

/** A lab, and what of the plan runs there. */
export interface PlannedNightLab {
  readonly name: string;
  /** What goes to `--lab`: `embedded`, or the path of a lab file. */
  readonly lab: string;
  /** Names of images; empty: all. */
  readonly images: readonly string[];
  /** Cases at a time; null: as many as the lab file has room for. */
  readonly parallel: number | null;
  /** More options of the phase. */
  readonly args: readonly string[];
}

export interface PlanFile {
  readonly path: string;
  readonly name: string;
  /** How often a case is run again that a fault of the lab ended. */
  readonly retries: number;
  /** Workdirs of nights, and how long they stay; null: the default place. */
  readonly workdirs: string | null;
  readonly keepDays: number;
  readonly knownFailures: string | null;
  readonly images: readonly PlannedNightImage[];
  readonly labs: readonly PlannedNightLab[];
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,60}$/;
const ROOT_KEYS = ['name', 'retries', 'workdirs', 'keep_days', 'known_failures', 'images', 'labs'];
const IMAGE_KEYS = ['file', 'scenarios', 'expect_closure', 'ssh_key', 'control'];
const LAB_KEYS = ['lab', 'images', 'parallel', 'args'];
export const RETRIES_MAX = 5;
const KEEP_DAYS_MAX = 3650;
const PARALLEL_MAX = 500;

/** @throws Fault BAD_PLAN with file and line, BAD_OPTION or BAD_ENVIRONMENT for what was given besides */
export function loadPlanFile(path: string, overrides: Overrides): PlanFile {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new Fault('BAD_PLAN', `--plan: expected a plan that can be read, given ${path}`, { cause });
  }
  return parsePlanFile(path, text, overrides);
}

/** The pure part of `loadPlanFile`. */
export function parsePlanFile(path: string, text: string, overrides: Overrides = new Map()): PlanFile {
  const reader = new TomlReader(path, text, overrides, 'BAD_PLAN');
  reader.knownOnly('', ROOT_KEYS);
  const images = namesIn(reader, 'images', 'at least one table [images.NAME]').map((name) => image(reader, name));
  const known = images.map(({ name }) => name);
  return {
    path,
    name: reader.matching('', 'name', 'letters, digits, dashes and underscores', NAME) ?? 'nightly',
    retries: reader.whole('', 'retries', { min: 0, max: RETRIES_MAX }) ?? 1,
    workdirs: reader.file('', 'workdirs'),
    keepDays: reader.number('', 'keep_days', { min: 0, max: KEEP_DAYS_MAX }) ?? 14,
    knownFailures: reader.file('', 'known_failures'),
    images,
    labs: namesIn(reader, 'labs', 'at least one table [labs.NAME]').map((name) => lab(reader, name, known)),
  };
}

function namesIn(reader: TomlReader, table: string, expected: string): readonly string[] {
  const names = Object.keys(reader.table(table));
  if (names.length === 0) reader.wrong('', table, expected, undefined);
  const wrong = names.find((name) => !NAME.test(name));
  if (wrong !== undefined) reader.wrong(table, wrong, 'a name of letters, digits, dashes and underscores', wrong);
  return names;
}

function image(reader: TomlReader, name: string): PlannedNightImage {
  const table = `images.${name}`;
  reader.knownOnly(table, IMAGE_KEYS);
  return {
    ...{ name, file: reader.file(table, 'file'), scenarios: reader.texts(table, 'scenarios') ?? [] },
    expectClosure: reader.string(table, 'expect_closure'),
    sshKey: reader.file(table, 'ssh_key'),
    control: reader.string(table, 'control') === 'none' ? 'none' : reader.file(table, 'control'),
  };
}

function lab(reader: TomlReader, name: string, known: readonly string[]): PlannedNightLab {
  const table = `labs.${name}`;
  reader.knownOnly(table, LAB_KEYS);
  const images = reader.texts(table, 'images') ?? [];
  const unknown = images.find((each) => !known.includes(each));
  if (unknown !== undefined) reader.wrong(table, 'images', `some of ${known.join(', ')}`, images);
  const named = reader.string(table, 'lab') ?? name;
  const isPath = named.includes('/') || named.endsWith('.toml');
  const file = isPath ? reader.file(table, 'lab') : null;
  return {
    ...{ name, images, lab: named === 'embedded' ? named : (file ?? labFilePath(named)) },
    parallel: reader.whole(table, 'parallel', { min: 1, max: PARALLEL_MAX }),
    args: reader.words(table, 'args') ?? [],
  };
}
