/** The command line of `npm run matrix`, and what is said of it. */
import { parseArgs } from 'node:util';
import { exitLines } from '../../help/exits.ts';
import type { Help } from '../../help/help.ts';
import { EYES, type Eyes } from '../wire/rows.ts';

export interface MatrixWish {
  /** Rows whose class or name has these words in it; empty: all. */
  readonly only: string;
  readonly eyes: readonly Eyes[];
  readonly real: boolean;
}

/** @throws Error with one sentence */
export function matrixArguments(args: readonly string[]): MatrixWish {
  const options = { only: { type: 'string' }, eyes: { type: 'string' }, real: { type: 'boolean' } } as const;
  const { values } = parseArgs({ args: [...args], options });
  const eyes = EYES.filter((each) => values.eyes === undefined || each === values.eyes);
  if (eyes.length === 0) throw new Error(`--eyes: expected serial, blind or screen, given: ${values.eyes}`);
  return { only: values.only ?? '', eyes, real: values.real === true };
}

export const MATRIX_HELP: Help = {
  ...{ name: 'matrix', group: 'harness', page: 'CONTRIBUTING.md#tests' },
  summary: 'plays broken guests and broken labs, and compares what the harness says with what is right',
  usage: ['[options]'],
  about: [
    'For who changes the harness: the two figures at the end, false PASS and wrong blame, must be zero. It needs no ' +
      'lab; guests are simulated, but for --real.',
  ],
  examples: [
    { args: [], does: 'every row, with each kind of eyes: minutes' },
    { args: ['--only', 'slow labs', '--eyes', 'blind'], does: 'some rows, without any console' },
  ],
  precedence: null,
  options: [
    {
      heading: '',
      rows: [
        ['--only WORDS', 'rows whose class or name has these words in it (default: all)'],
        [
          '--eyes serial | blind | screen',
          'what is seen of the console: its serial text, nothing, or a screen that is read (default: all three)',
        ],
        ['--real', 'broken reference guests on QEMU: minutes, and KVM where there is one'],
        ['--help', 'print and stop'],
      ],
    },
  ],
  environment: null,
  stdout: 'a line for each row, and the tally.',
  exits: exitLines(['fine', 'failed', 'misuse'], {
    fine: 'every row was told right',
    failed: 'some row was not, or there was none',
  }),
};
