/** Looks at a machine that runs, by the probes of the phases, without a lab. */
import { runCommand } from './harness/commands/command.ts';
import { probe } from './harness/commands/probe.ts';
import { phase9XcpngBoot } from './scenarios/phase9-xcpng-boot.ts';
import { phase11ShepherdPid1Xcpng } from './scenarios/phase11-shepherd-pid1-xcpng.ts';

await runCommand(probe([phase9XcpngBoot, phase11ShepherdPid1Xcpng]), process.argv);
