/** Judges stored runs again, by today's probes. */
import { runCommand } from './harness/commands/command.ts';
import { rejudge } from './harness/commands/rejudge.ts';
import { phase9XcpngBoot } from './scenarios/phase9-xcpng-boot.ts';
import { phase11ShepherdPid1Xcpng } from './scenarios/phase11-shepherd-pid1-xcpng.ts';

await runCommand(rejudge([phase9XcpngBoot, phase11ShepherdPid1Xcpng]), process.argv);
