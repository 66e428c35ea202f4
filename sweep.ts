import { sweepCommand } from './harness/sweep-command.ts';

await sweepCommand(process.argv);
