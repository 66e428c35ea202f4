/** Makes one archive of a stored run, without secrets. */
import { runCommand } from './harness/commands/command.ts';
import { pack } from './harness/commands/pack.ts';

await runCommand(pack, process.argv);
