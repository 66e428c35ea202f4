/** What is said of a command: the words that `--help`, README and `docs/commands.md` are made from. */
import type { ExitLine } from './exits.ts';

/** What somebody wants who looks for a command, in the order of the table. */
export const GROUPS = {
  image: 'test an image',
  lab: 'look after a lab',
  machine: 'look at a machine that runs',
  failure: 'find out why a run failed',
  history: 'see what changed over the nights',
  harness: 'test the harness itself',
} as const;

/** One call, and what it does. */
export interface Example {
  /** As the program gets them; shown as a shell is told them. */
  readonly args: readonly string[];
  readonly does: string;
}

/** Left, right: an option and its meaning. */
export type Row = readonly [string, string];

export interface Section {
  readonly heading: string;
  readonly rows: readonly Row[];
}

/** The words that a command has of its own. */
export interface Words {
  /** Name of its script: `npm run -s NAME`. */
  readonly name: string;
  readonly group: keyof typeof GROUPS;
  /** One line; begins small, ends without a full stop. */
  readonly summary: string;
  /** What follows the name, one for each form of the call. */
  readonly usage: readonly string[];
  /** Paragraphs; a line that begins with blanks keeps them. */
  readonly about: readonly string[];
  readonly examples: readonly Example[];
  /** What counts over what; null: there are flags alone. */
  readonly precedence: string | null;
  /** What it prints there. */
  readonly stdout: string;
  /** Page to read on, from the root of the repository, with its anchor. */
  readonly page: string;
}

/** All that is shown of it. */
export interface Help extends Words {
  readonly options: readonly Section[];
  /** What is read from the environment; null: nothing is. */
  readonly environment: Environment | null;
  readonly exits: readonly ExitLine[];
}

export interface Environment {
  /** How options are read from there; null: they are not. */
  readonly rule: string | null;
  readonly variables: readonly Row[];
}
