/**
 * One phase from the command line to the exit code. Entry files call it and do nothing else.
 */
import { helpText } from '../help/text.ts';
import { examplesFor, helpOf } from './command-help.ts';
import { readRequest } from './config.ts';
import { faultRecord } from './faults.ts';
import { Invocation } from './invocation.ts';
import { exitCode } from './judge.ts';
import type { Scenario } from './model.ts';
import { OPTIONS } from './options.ts';
import { phaseWords } from './phase-help.ts';
import { people } from './reporters/people.ts';
import { bailOut } from './reporters/tap.ts';
import { version } from './version.ts';

/** Runs one scenario as the whole program; ends the process with the exit code of design §3. */
export async function phase(scenario: Scenario, argv: readonly string[]): Promise<never> {
  // Whoever reads us may leave first (`| head`): without listeners that ends the process with 1, the image's
  // code, and the VM stays. What could not be written matters where it is written.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const told = people(process.stderr);
  const help = phaseWords(scenario);
  let code: number;
  try {
    const asked = readRequest(argv.slice(2));
    if ('print' in asked) {
      process.stdout.write(asked.print === 'version' ? `${version()}\n` : helpText(helpOf({ help, options: OPTIONS })));
      code = 0;
    } else {
      const how = { command: `npm run -s ${help.name} --`, args: argv.slice(2) };
      code = await new Invocation({ scenario, request: asked.request, told, out: process.stdout, ...how }).go();
    }
  } catch (thrown) {
    const cause = faultRecord(thrown);
    told.misuse(cause, examplesFor(cause, help, argv.slice(2)));
    process.stdout.write(bailOut(cause));
    code = exitCode({ status: 'ERROR', checks: [], cause }, []);
    if (code === 70) process.stderr.write(`${thrown instanceof Error ? thrown.stack : String(thrown)}\n`);
  }
  process.exit(code);
}
