/** What all commands beside the phases share: help and version, interrupt, refusals in one sentence, exit codes. */

import { EXIT } from '../../help/exits.ts';
import type { Words } from '../../help/help.ts';
import { helpText } from '../../help/text.ts';
import { faultRecord } from '../faults/faults.ts';
import type { FaultRecord } from '../model.ts';
import { type CommandWords, examplesFor, helpOf } from '../options/command-help.ts';
import { ALL_OPTIONS } from '../options/command-options.ts';
import { ownEnvironment } from '../options/config.ts';
import { type Environment, Given, type OperandCount } from '../options/given.ts';
import type { Option } from '../options/options.ts';
import { listenForInterrupt } from '../process/interrupt.ts';
import { endProgress } from '../progress/end-progress.ts';
import { liveProgress, type OpenProgress, openProgress, plainProgress } from '../progress/open.ts';
import type { Progress } from '../progress/progress.ts';
import { WholeOutput } from '../reporters/stream.ts';
import { version } from '../version.ts';
import { scrub } from '../workdir/secrets.ts';

/** What a command is handed. */
export interface Call {
  readonly given: Given;
  readonly environment: Environment;
  /** Writes one line to stdout: the result. */
  readonly print: (line: string) => void;
  /** Progress and notes, on stderr. */
  readonly told: Progress;
  /** Aborts with a Fault INTERRUPTED as its reason, or with an error of ours that nobody caught (`bugBehind`). */
  readonly signal: AbortSignal;
}

export interface Command {
  readonly options: readonly Option[];
  /** How that looks which it takes without a flag: `FILE`, `A B`. @default it takes none */
  readonly operand?: string;
  /** How many of them, least and most. @default one */
  readonly operands?: OperandCount;
  readonly help: CommandWords;
  /**
   * It tells of its progress as the phases do: live on a terminal; with `events` also `--quiet`, and `--json` for
   * events on stdout. @default plain lines
   */
  readonly streams?: 'live' | 'events';
  /** It looks after signals itself; then `signal` never aborts. */
  readonly ownSignals?: true;
  /** What an interrupt leaves, one half of a sentence for the person who pressed. */
  readonly onInterrupt: string;
  /** @returns the exit code @throws Fault: ends with the exit code of whose fault it is */
  run(call: Call): Promise<number>;
}

/** Tells what ended a command. @param asked how it was called, and what is said of it @returns the exit code */
export function failed(thrown: unknown, told: Progress, asked?: { words: Words; args: readonly string[] }): number {
  const cause = faultRecord(thrown);
  told.leave();
  if (cause.party === 'harness') process.stderr.write(`${thrown instanceof Error ? thrown.stack : String(thrown)}\n`);
  const code = codeOf(cause);
  told.refused(cause, code, asked === undefined ? [] : examplesFor(cause, asked.words, asked.args));
  return code;
}

function codeOf({ code, party }: FaultRecord): number {
  if (code === 'INTERRUPTED') return EXIT.interrupted;
  return party === 'caller' ? EXIT.misuse : party === 'harness' ? EXIT.bug : EXIT.lab;
}

function progressOf(
  { streams }: Command,
  args: readonly string[],
  environment: Environment,
): Pick<OpenProgress, 'progress' | 'problem'> {
  if (streams === 'events') return openProgress(args, environment, process);
  const progress = streams === 'live' ? liveProgress(process.stderr, environment) : plainProgress(process.stderr);
  return { progress, problem: null };
}

/** The whole program; ends the process. */
export async function runCommand(command: Command, argv: readonly string[]): Promise<never> {
  process.stderr.on('error', () => undefined);
  const stdout = new WholeOutput(process.stdout);
  const environment = ownEnvironment();
  const { progress: told, problem } = progressOf(command, argv.slice(2), environment);
  const { signal } = command.ownSignals
    ? new AbortController()
    : listenForInterrupt(
        (name) => told.note(`${name}: stopping; ${command.onInterrupt}`),
        () => {
          told.leave();
          process.exit(EXIT.interrupted);
        },
      );
  const print = (line: string): void => stdout.print(`${scrub(line)}\n`);
  let code: number;
  try {
    if (problem !== null) throw problem;
    const given = new Given(command.options, argv.slice(2), environment, command.operand ?? null, command.operands);
    if (given.print === null) {
      given.refuseUnknownVariables(ALL_OPTIONS);
      code = await command.run({ given, environment, print, told, signal });
    } else {
      stdout.print(given.print === 'version' ? `${version()}\n` : helpText(helpOf(command)));
      code = EXIT.fine;
    }
  } catch (thrown) {
    code = failed(thrown, told, { words: command.help, args: argv.slice(2) });
  }
  try {
    await stdout.end();
  } catch (thrown) {
    // What is red already stays what it is.
    code = code === EXIT.fine ? failed(thrown, told) : code;
  }
  process.exit(await endProgress(told, code));
}
