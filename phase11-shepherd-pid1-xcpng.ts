/** Phase 11: Shepherd itself is PID 1. Also runs as a tap test. */
import { phase } from './harness/phase.ts';
import { phase11ShepherdPid1Xcpng } from './scenarios/phase11-shepherd-pid1-xcpng.ts';

await phase(phase11ShepherdPid1Xcpng, process.argv);
