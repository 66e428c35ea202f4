/** What the guest that a run kept shows now. */
import { runCommand } from './harness/commands/command.ts';
import { consoleCommand } from './harness/commands/console.ts';

await runCommand(consoleCommand, process.argv);
