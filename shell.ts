/** A shell in the guest that a run kept. */
import { runCommand } from './harness/commands/command.ts';
import { shell } from './harness/commands/shell.ts';

await runCommand(shell, process.argv);
