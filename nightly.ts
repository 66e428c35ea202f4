/** The scenarios and images of a plan, on its labs, in one night. */
import { runCommand } from './harness/commands/command.ts';
import { nightly } from './harness/commands/nightly.ts';
import { phase9XcpngBoot } from './scenarios/phase9-xcpng-boot.ts';
import { phase11ShepherdPid1Xcpng } from './scenarios/phase11-shepherd-pid1-xcpng.ts';

const PHASES = [
  { scenario: phase9XcpngBoot, command: 'phase9', file: new URL('phase9-xcpng-boot.ts', import.meta.url) },
  {
    scenario: phase11ShepherdPid1Xcpng,
    command: 'phase11',
    file: new URL('phase11-shepherd-pid1-xcpng.ts', import.meta.url),
  },
];

await runCommand(nightly(PHASES), process.argv);
