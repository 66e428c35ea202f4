/** What the caller gave: flags and variables, told apart from what is not known, none of it interpreted yet. */
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { nearest } from '../../help/nearest.ts';
import { Fault } from '../faults/faults.ts';
import { type Option, OTHER_VARIABLES } from './options.ts';
import type { Override, Overrides } from './toml-reader.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** One sentence: the option, what was expected, what was given. */
export function bad(from: string, expected: string, got: string): Fault {
  const code = from.startsWith('--') ? 'BAD_OPTION' : 'BAD_ENVIRONMENT';
  return new Fault(code, `${from}: expected ${expected}, given ${got}`);
}

/** The file or folder that was named, absolute. */
export function path(value: Override | null): string | null {
  return value === null ? null : resolve(value.text.replace(/^~(?=\/)/, homedir()));
}

const PREFIX = 'BOOTWITNESS_';

/** @param prefix that all of them have; it makes none of them nearer */
function meant(prefix: string, given: string, names: readonly string[]): string {
  const near = nearest(given, names);
  if (near !== null) return `did you mean ${prefix}${near}?`;
  return `expected one of ${names.map((name) => `${prefix}${name}`).join(', ')}`;
}

const formOf = ({ form }: Option): string => form ?? 'true or false';

/** Flags > environment, for the options of one command. */
export class Given {
  readonly #options: readonly Option[];
  readonly #flags: ReadonlyMap<string, string>;
  readonly #environment: Environment;
  readonly #operandForm: string | null;
  readonly #operands: readonly string[];
  readonly #operandCount: OperandCount;

  /**
   * @param operandForm how that looks which is given without a flag (`FILE`, `A B`); null: there is none
   * @param operandCount how many of them
   * @throws Fault BAD_OPTION
   */
  constructor(
    options: readonly Option[],
    args: readonly string[],
    environment: Environment,
    operandForm: string | null = null,
    operandCount: OperandCount = ONE,
  ) {
    const { flags, operands } = parse(options, args, operandForm, operandCount);
    this.#options = options;
    this.#flags = flags;
    this.#environment = environment;
    this.#operandForm = operandForm;
    this.#operands = operands;
    this.#operandCount = operandCount;
  }

  /** What was given without a flag. @throws Fault BAD_OPTION where nothing was */
  operand(): Override {
    const [first] = this.operands();
    if (first === undefined) throw new Error('a command that takes nothing asked for it');
    return first;
  }

  /** All that was given without a flag, as many as the command takes. @throws Fault BAD_OPTION where there are less */
  operands(): readonly Override[] {
    const from = this.#operandForm ?? '--';
    const [min] = this.#operandCount;
    const given = this.#operands.map((text) => ({ from, text }));
    if (given.length >= min) return given;
    const expected = min === 1 ? 'one' : String(min);
    throw new Fault('BAD_OPTION', `${from}: expected ${expected}, given ${given.length === 0 ? 'nothing' : 'one'}`);
  }

  /** `help` or `version`, where that was asked for. */
  get print(): 'help' | 'version' | null {
    if (this.#flags.has('help')) return 'help';
    return this.#flags.has('version') ? 'version' : null;
  }

  /** @param all options of every command: a variable of another command is no mistake */
  refuseUnknownVariables(all: readonly Option[]): void {
    const known = new Set([...all.map(({ environment }) => environment), ...OTHER_VARIABLES.map(({ name }) => name)]);
    const names = [...known].map((name) => name.slice(PREFIX.length));
    for (const name of Object.keys(this.#environment)) {
      if (!name.startsWith(PREFIX) || known.has(name)) continue;
      const expected = meant(PREFIX, name.slice(PREFIX.length), names);
      throw new Fault('BAD_ENVIRONMENT', `${name}: unknown variable; ${expected}`);
    }
  }

  value(name: string): Override | null {
    const flag = this.#flags.get(name);
    if (flag !== undefined) return { from: `--${name}`, text: flag };
    const option = this.#options.find((entry) => entry.name === name);
    const text = this.#environment[option?.environment ?? ''];
    if (option === undefined || option.flagOnly || text === undefined) return null;
    if (text === '') throw bad(option.environment, formOf(option), 'an empty value');
    return { from: option.environment, text };
  }

  /** Everything that was given for a key of the lab file. */
  overrides(): Overrides {
    const found = new Map<string, Override>();
    for (const { name, key } of this.#options) {
      const value = key === undefined ? null : this.value(name);
      if (key !== undefined && value !== null) found.set(key, value);
    }
    return found;
  }

  /** The flags of one group, as they were given. */
  flagsOf(group: Option['group']): readonly string[] {
    const own = this.#options.filter((option) => option.group === group && this.#flags.has(option.name));
    return own.map(({ name, form }) => {
      const text = this.#flags.get(name) ?? '';
      return form === null && text === 'true' ? `--${name}` : `--${name}=${text}`;
    });
  }

  /** Everything that was given, by name of the option, as it was written; secrets left out. */
  shown(): Readonly<Record<string, string>> {
    const pairs = this.#options.flatMap(({ name, secret }) => {
      const text = secret ? undefined : this.value(name)?.text;
      return text === undefined ? [] : [[name, text] as const];
    });
    return Object.fromEntries(pairs);
  }

  /** Options that came as variables, secrets left out: part of the command that runs this again. */
  shownVariables(): Readonly<Record<string, string>> {
    const given = (name: string): boolean => this.#flags.has(name);
    const shown = this.#options.filter(({ secret, flagOnly, name }) => !secret && !flagOnly && !given(name));
    const pairs = shown.map(({ environment }) => [environment, this.#environment[environment] ?? ''] as const);
    return Object.fromEntries(pairs.filter(([, text]) => text !== ''));
  }
}

/** Least and most. */
export type OperandCount = readonly [number, number];
const ONE: OperandCount = [1, 1];

interface Parsed {
  readonly flags: ReadonlyMap<string, string>;
  readonly operands: readonly string[];
}

function parse(
  options: readonly Option[],
  args: readonly string[],
  operandForm: string | null,
  [, most]: OperandCount,
): Parsed {
  // Asked for help, one is told, whatever else is wrong.
  const flagged = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
  const asked = flagged.includes('-h') ? 'help' : ['help', 'version'].find((word) => flagged.includes(`--${word}`));
  if (asked !== undefined) return { flags: new Map([[asked, 'true']]), operands: [] };
  const known = options.filter(({ secret }) => !secret);
  const types = Object.fromEntries(
    known.map(({ name, form }) => [name, { type: form === null ? ('boolean' as const) : ('string' as const) }]),
  );
  const { tokens } = parseArgs({
    args: [...args],
    options: types,
    strict: false,
    tokens: true,
    allowPositionals: true,
  });
  const flags = new Map<string, string>();
  const operands: string[] = [];
  for (const entry of tokens) {
    if (entry.kind === 'positional') {
      if (operandForm === null) throw bad('--', 'options only', `"${entry.value}"`);
      if (operands.length === most) {
        const expected = most === 1 ? 'one' : String(most);
        throw new Fault('BAD_OPTION', `${operandForm}: expected ${expected}, given also "${entry.value}"`);
      }
      operands.push(entry.value);
    }
    if (entry.kind !== 'option') continue;
    flags.set(entry.name, flagValue(options, flags, entry));
  }
  return { flags, operands };
}

interface Token {
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

/** What to give instead of an option that there is not. */
function instead(name: string, options: readonly Option[]): string {
  const secret = options.find((each) => each.secret && each.name === name);
  if (secret !== undefined) return `expected it as ${secret.environment}: arguments can be seen by everybody here`;
  const names = [...options.filter((each) => !each.secret).map((each) => each.name), 'help', 'version'];
  return meant('--', name, names);
}

function flagValue(options: readonly Option[], flags: ReadonlyMap<string, string>, entry: Token): string {
  const { name, value } = entry;
  const option = options.find((each) => each.name === name && !each.secret);
  if (option === undefined) {
    throw new Fault('BAD_OPTION', `${entry.rawName}: unknown option; ${instead(name, options)}`);
  }
  if (flags.has(name)) throw bad(`--${name}`, 'it once', 'it twice');
  if (option.form === null) {
    if (value === undefined || value === 'true' || value === 'false') return value ?? 'true';
    throw bad(`--${name}`, 'no value, true or false', `"${value}"`);
  }
  if (value === undefined || value === '' || (!entry.inlineValue && value.startsWith('--'))) {
    throw bad(`--${name}`, option.form, value ? `"${value}"` : 'nothing');
  }
  return value;
}
