/** Every command that people call by `npm run -s NAME`, with its help and its own parser, in the order of the table. */

import type { Command } from '../../harness/commands/command.ts';
import { compare } from '../../harness/commands/compare.ts';
import { consoleCommand } from '../../harness/commands/console.ts';
import { doctor } from '../../harness/commands/doctor.ts';
import { images } from '../../harness/commands/images.ts';
import { lintImage } from '../../harness/commands/lint-image.ts';
import { nightly } from '../../harness/commands/nightly.ts';
import { pack } from '../../harness/commands/pack.ts';
import { probe } from '../../harness/commands/probe.ts';
import { rejudge } from '../../harness/commands/rejudge.ts';
import { repro } from '../../harness/commands/repro.ts';
import { shell } from '../../harness/commands/shell.ts';
import { site } from '../../harness/commands/site.ts';
import { sweep } from '../../harness/commands/sweep.ts';
import { type CommandWords, helpOf } from '../../harness/options/command-help.ts';
import { requestOf } from '../../harness/options/config.ts';
import { Given } from '../../harness/options/given.ts';
import { OPTIONS, type Option } from '../../harness/options/options.ts';
import { phaseWords } from '../../harness/options/phase-help.ts';
import type { Help } from '../../help/help.ts';
import { labArguments } from '../../lab/arguments.ts';
import { LAB_HELP } from '../../lab/help.ts';
import { phase9XcpngBoot } from '../../scenarios/phase9-xcpng-boot.ts';
import { phase11ShepherdPid1Xcpng } from '../../scenarios/phase11-shepherd-pid1-xcpng.ts';
import { MATRIX_HELP, matrixArguments } from '../../test/matrix/arguments.ts';

export interface Listed {
  readonly help: Help;
  /**
   * Reads arguments as the program does, and does nothing.
   * @param whole the call stands for itself, so what must be given must be there; false: it is a part of one
   */
  readonly parse: (args: readonly string[], whole: boolean) => void;
}

type Parts = Pick<Command, 'options' | 'operand' | 'operands'> & { readonly help: CommandWords };

function listed(command: Parts): Listed {
  const { options, operand, operands } = command;
  return {
    help: helpOf(command),
    parse: (args, whole) => {
      const given = new Given(options, args, {}, operand ?? null, operands);
      if (given.print !== null) return;
      if (whole && operand !== undefined) given.operands();
      for (const { name } of options) given.value(name);
      if (isOfARun(options)) requestOf(given, {});
    },
  };
}

/** What they mean is read in one place; elsewhere an option of the same name may be another. */
const isOfARun = (options: readonly Option[]): boolean =>
  options.every((option) => option.name !== 'json' || option.group === 'outputs') && options.includes(LAB);

const LAB = OPTIONS.find(({ name }) => name === 'lab') as Option;

const SCENARIOS = [phase9XcpngBoot, phase11ShepherdPid1Xcpng] as const;

const phases = SCENARIOS.map((scenario) => listed({ options: OPTIONS, help: phaseWords(scenario) }));

export const COMMANDS: readonly Listed[] = [
  ...phases,
  listed(lintImage),
  listed(nightly([])),
  ...[doctor, images, sweep].map(listed),
  { help: LAB_HELP, parse: (args) => void labArguments(args, {}) },
  listed(probe([...SCENARIOS])),
  ...[repro([...SCENARIOS]), shell, consoleCommand, compare, rejudge([...SCENARIOS]), pack].map(listed),
  listed(site),
  { help: MATRIX_HELP, parse: (args) => void matrixArguments(args) },
];
