/** Looks at a lab and changes nothing. */
import { runCommand } from './harness/commands/command.ts';
import { doctor } from './harness/commands/doctor.ts';

await runCommand(doctor, process.argv);
