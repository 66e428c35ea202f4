/** For tests: the phases as nightly.ts knows them. */
import { phase9XcpngBoot } from '../../../scenarios/phase9-xcpng-boot.ts';
import { phase11ShepherdPid1Xcpng } from '../../../scenarios/phase11-shepherd-pid1-xcpng.ts';

const entry = (name: string): URL => new URL(`../../../${name}`, import.meta.url);

export const PHASES = [
  { scenario: phase9XcpngBoot, command: 'phase9', file: entry('phase9-xcpng-boot.ts') },
  { scenario: phase11ShepherdPid1Xcpng, command: 'phase11', file: entry('phase11-shepherd-pid1-xcpng.ts') },
] as const;
