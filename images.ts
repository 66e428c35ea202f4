/** Lists and prunes the images that are kept in a lab. */
import { runCommand } from './harness/commands/command.ts';
import { images } from './harness/commands/images.ts';

await runCommand(images, process.argv);
