/** Says what differs between two stored runs. */
import { runCommand } from './harness/commands/command.ts';
import { compare } from './harness/commands/compare.ts';

await runCommand(compare, process.argv);
