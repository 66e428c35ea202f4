/** Says what is wrong with an image before it is sent anywhere. */
import { runCommand } from './harness/commands/command.ts';
import { lintImage } from './harness/commands/lint-image.ts';

await runCommand(lintImage, process.argv);
