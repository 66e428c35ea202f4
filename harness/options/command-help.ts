/** What the help of a command of the harness says: its own words, its options, what its exit codes mean. */
import { type Ending, EXIT, exitLines } from '../../help/exits.ts';
import type { Environment, Help, Row, Section, Words } from '../../help/help.ts';
import { commandLine } from '../../help/text.ts';
import type { FaultRecord } from '../model.ts';
import { GROUPS, type Option, OTHER_VARIABLES } from './options.ts';

/** Of somebody who called it with nothing. */
const EXAMPLES_TOLD = 2;

/** What is said of a command beside its options. */
export interface CommandWords extends Words {
  /** What an exit code means of this command. Without `failed` it never ends so; the others need nothing said. */
  readonly exits: Partial<Readonly<Record<Ending, string>>>;
  /** It hands on codes that are not ours, e.g. of a shell; what is said of them. */
  readonly otherExits?: string;
}

const left = ({ name, form }: Option): string => (form === null ? `--${name}` : `--${name} ${form}`);

/** What counts where it is not given, of a key of the lab file that has no other default. */
function meaningOf({ form, key, group, meaning }: Option): string {
  const told = form === null || key === undefined || group === 'night';
  return told || /default/.test(`${meaning} ${GROUPS[group]}`)
    ? meaning
    : `${meaning} (default: ${key} of the lab file)`;
}

/** The options of a command, by group. */
export function optionSections(options: readonly Option[]): readonly Section[] {
  const flags = options.filter(({ secret }) => !secret);
  const shown = Object.entries(GROUPS).map(([group, heading]): Section => {
    const own = flags.filter((option) => option.group === group);
    return { heading, rows: own.map((option): Row => [left(option), meaningOf(option)]) };
  });
  const general: Section = { heading: 'Of every command', rows: [['--help, --version', 'print and stop']] };
  return [...shown.filter(({ rows }) => rows.length > 0), general];
}

/** What of a command's options and besides them is read from the environment. */
export function environmentOf(options: readonly Option[]): Environment {
  const names = new Set(options.map(({ name }) => name));
  const shown = options.filter(({ secret }) => !secret);
  const example = shown.find(({ name }) => name.includes('-')) ?? shown[0];
  const secret = options.filter((option) => option.secret);
  const others = OTHER_VARIABLES.filter(({ beside }) => beside.some((name) => names.has(name)));
  return {
    rule:
      example === undefined
        ? null
        : `Each option is also read from the environment: --${example.name} from ${example.environment}` +
          `${example.form === null ? ' (true or false)' : ''}, and so on. ` +
          'A variable BOOTWITNESS_… that no command knows is refused.',
    variables: [
      ...secret.map(({ environment, meaning }): Row => [environment, meaning]),
      ...others.map(({ name, meaning }): Row => [name, meaning]),
    ],
  };
}

/** All that is shown of a command. */
export function helpOf({ help, options }: { readonly help: CommandWords; readonly options: readonly Option[] }): Help {
  const endings = (Object.keys(EXIT) as Ending[]).filter((ending) => ending !== 'failed' || help.exits.failed);
  const others = help.otherExits === undefined ? [] : [{ code: 'other', meaning: help.otherExits } as const];
  return {
    ...help,
    options: optionSections(options),
    environment: environmentOf(options),
    exits: [...exitLines(endings, help.exits), ...others],
  };
}

/** For somebody who called it with nothing, or without naming a lab: how it is called. */
export function examplesFor(cause: FaultRecord, { name, examples }: Words, args: readonly string[]): readonly string[] {
  const lab = cause.code === 'LAB_NOT_NAMED';
  if (cause.party !== 'caller' || !(lab || args.length === 0)) return [];
  const fitting = examples.filter((example) => !lab || example.args.includes('--lab')).slice(0, EXAMPLES_TOLD);
  return ['For example:', ...fitting.map((example) => `  ${commandLine(name, example.args)}   # ${example.does}`)];
}
