/** Runs the case of a stored run again. */
import { runCommand } from './harness/commands/command.ts';
import { repro } from './harness/commands/repro.ts';
import { phase9XcpngBoot } from './scenarios/phase9-xcpng-boot.ts';
import { phase11ShepherdPid1Xcpng } from './scenarios/phase11-shepherd-pid1-xcpng.ts';

await runCommand(repro([phase9XcpngBoot, phase11ShepherdPid1Xcpng]), process.argv);
