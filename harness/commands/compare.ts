/** `npm run compare -- A B`: what differs between two stored runs. */
import { COMPARE_OPTIONS } from '../command-options.ts';
import { compareRuns } from '../compare/comparison.ts';
import { shownComparison } from '../compare/shown.ts';
import { optionsHelp } from '../options.ts';
import { readStoredRun } from '../stored/stored-run.ts';
import { type Call, type Command, EXIT } from './command.ts';

const HELP = `compare: what differs between two runs, say a PASS and a FAIL of the same image.

Usage: npm run -s compare -- A B [options]

A and B are workdirs, their metadata.txt or result.json, or packs (npm run pack). Compared are verdict, checks, image
and closure, versions, what was asked, the lab, what the guest told, the time of each stage, and the console text.
Nothing is changed, and no lab is asked. The fields of --json: docs/stored-runs.md.

Options (flags > environment > defaults)
${optionsHelp(COMPARE_OPTIONS)}

Exit codes: 0 compared; 2 misuse; 70 our bug; 130 interrupted.
`;

async function run({ given, print }: Call): Promise<number> {
  const [first, second] = given.operands();
  const comparison = compareRuns(await readStoredRun(first?.text ?? ''), await readStoredRun(second?.text ?? ''));
  if (given.value('json')?.text === 'true') print(JSON.stringify(comparison, null, 2));
  else for (const line of shownComparison(comparison, given.value('all')?.text === 'true')) print(line);
  return EXIT.fine;
}

export const compare: Command = {
  ...{ options: COMPARE_OPTIONS, operand: 'A B', operands: [2, 2], help: HELP },
  onInterrupt: 'nothing was changed',
  run,
};
