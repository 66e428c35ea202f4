/** Removes what runs left in a pool. */
import { runCommand } from './harness/commands/command.ts';
import { sweep } from './harness/commands/sweep.ts';

await runCommand(sweep, process.argv);
