/** Makes the pages of reports/ from its runs. */
import { runCommand } from './harness/commands/command.ts';
import { site } from './harness/commands/site.ts';

await runCommand(site, process.argv);
