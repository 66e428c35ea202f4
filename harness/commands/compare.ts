/** `npm run compare -- A B`: what differs between two stored runs. */
import { EXIT } from '../../help/exits.ts';
import { compareRuns } from '../compare/comparison.ts';
import { shownComparison } from '../compare/shown.ts';
import type { CommandWords } from '../options/command-help.ts';
import { COMPARE_OPTIONS } from '../options/command-options.ts';
import { readStoredRun } from '../stored/stored-run.ts';
import type { Call, Command } from './command.ts';

const WORDS: CommandWords = {
  ...{ name: 'compare', group: 'failure', page: 'docs/stored-runs.md#compare' },
  summary: 'says what differs between two runs, say a PASS and a FAIL of the same image',
  usage: ['A B [options]'],
  about: [
    'A and B are workdirs, their metadata.txt or result.json, or packs (npm run -s pack). Compared are verdict, ' +
      'checks, image and closure, versions, what was asked, the lab, what the guest told, the time of each stage, ' +
      'and the console text. Nothing is changed, and no lab is asked.',
  ],
  examples: [
    {
      args: ['/tmp/phase9-xcpng-boot-1795380000', '/tmp/phase9-xcpng-boot-1795390189'],
      does: 'what is new in the second run',
    },
    {
      args: ['good.bootwitness.tar.gz', '/tmp/phase9-xcpng-boot-1795390189', '--json'],
      does: 'with a pack of somebody',
    },
  ],
  precedence: 'flags > environment > defaults',
  stdout: 'what differs, for people; with --json one JSON object, described in docs/stored-runs.md.',
  exits: { fine: 'compared, whatever differs' },
};

async function run({ given, print }: Call): Promise<number> {
  const [first, second] = given.operands();
  const comparison = compareRuns(await readStoredRun(first?.text ?? ''), await readStoredRun(second?.text ?? ''));
  if (given.value('json')?.text === 'true') print(JSON.stringify(comparison, null, 2));
  else for (const line of shownComparison(comparison, given.value('all')?.text === 'true')) print(line);
  return EXIT.fine;
}

export const compare: Command = {
  ...{ options: COMPARE_OPTIONS, operand: 'A B', operands: [2, 2], help: WORDS },
  onInterrupt: 'nothing was changed',
  run,
};
