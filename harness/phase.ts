/**
 * One phase from the command line to the exit code. Entry files call it and do nothing else.
 */
import { Writable } from 'node:stream';
import { helpText } from '../help/text.ts';
import { faultRecord } from './faults/faults.ts';
import { Invocation } from './invocation.ts';
import { exitCode } from './judge.ts';
import type { Scenario } from './model.ts';
import { examplesFor, helpOf } from './options/command-help.ts';
import { ownEnvironment, readRequest } from './options/config.ts';
import { OPTIONS } from './options/options.ts';
import { phaseWords } from './options/phase-help.ts';
import { watchStandstill } from './process/standstill.ts';
import { endProgress } from './progress/end-progress.ts';
import { openProgress } from './progress/open.ts';
import { bailOut } from './reporters/tap.ts';
import { version } from './version.ts';

const nowhere = (): Writable => new Writable({ write: (_piece, _encoding, done) => done() });

/** Runs one scenario as the whole program; ends the process with the exit code of design §3. */
export async function phase(scenario: Scenario, argv: readonly string[]): Promise<never> {
  // Whoever reads us may leave first (`| head`): without listeners that ends the process with 1, the image's
  // code, and the VM stays. What could not be written matters where it is written.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const args = argv.slice(2);
  const { progress: told, json, problem } = openProgress(args, ownEnvironment(), process);
  const help = phaseWords(scenario);
  // Events and TAP on one stream would be neither.
  const out = json ? nowhere() : process.stdout;
  let code: number;
  try {
    if (problem !== null) throw problem;
    const asked = readRequest(args);
    if ('print' in asked) {
      process.stdout.write(asked.print === 'version' ? `${version()}\n` : helpText(helpOf({ help, options: OPTIONS })));
      code = 0;
    } else {
      const how = { command: `npm run -s ${help.name} --`, args };
      watchStandstill(new AbortController().signal);
      code = await new Invocation({ scenario, request: asked.request, told, out, ...how }).go();
    }
  } catch (thrown) {
    const cause = faultRecord(thrown);
    code = exitCode({ status: 'ERROR', checks: [], cause }, []);
    told.refused(cause, code, examplesFor(cause, help, args));
    out.write(bailOut(cause));
    if (code === 70) process.stderr.write(`${thrown instanceof Error ? thrown.stack : String(thrown)}\n`);
  }
  process.exit(await endProgress(told, code));
}
