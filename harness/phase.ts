/**
 * One phase from the command line to the exit code. Entry files call it and do nothing else.
 */
import { readRequest } from './config.ts';
import { faultRecord } from './faults.ts';
import { Invocation } from './invocation.ts';
import { exitCode } from './judge.ts';
import type { Scenario } from './model.ts';
import { helpText } from './options.ts';
import { people } from './reporters/people.ts';
import { bailOut } from './reporters/tap.ts';
import { version } from './version.ts';

/** Name of the npm script of a scenario, for --help and the command that runs it again. */
const COMMANDS: Readonly<Record<string, string>> = {
  'phase9-xcpng-boot': 'phase9',
  'phase11-shepherd-pid1-xcpng': 'phase11',
};

/** Runs one scenario as the whole program; ends the process with the exit code of design §3. */
export async function phase(scenario: Scenario, argv: readonly string[]): Promise<never> {
  // Whoever reads us may leave first (`| head`): without listeners that ends the process with 1, the image's
  // code, and the VM stays. What could not be written matters where it is written.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const told = people(process.stderr);
  const command = COMMANDS[scenario.name] ?? scenario.name;
  let code: number;
  try {
    const asked = readRequest(argv.slice(2));
    if ('print' in asked) {
      const text = asked.print === 'version' ? `${version()}\n` : helpText(command, scenario.name, scenario.summary);
      process.stdout.write(text);
      code = 0;
    } else {
      const how = { command: `npm run -s ${command} --`, args: argv.slice(2) };
      code = await new Invocation({ scenario, request: asked.request, told, out: process.stdout, ...how }).go();
    }
  } catch (thrown) {
    const cause = faultRecord(thrown);
    told.misuse(cause);
    process.stdout.write(bailOut(cause));
    code = exitCode({ status: 'ERROR', checks: [], cause }, []);
    if (code === 70) process.stderr.write(`${thrown instanceof Error ? thrown.stack : String(thrown)}\n`);
  }
  process.exit(code);
}
