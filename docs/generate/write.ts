/** `npm run -s docs`: writes what is generated; `--print`, which is `npm run -s help`: prints the table of commands. */
import { readFileSync, writeFileSync } from 'node:fs';
import { COMMANDS } from './commands.ts';
import { commandsPage, printedTable, readmePage } from './pages.ts';

const README = new URL('../../README.md', import.meta.url);
const PAGE = new URL('../commands.md', import.meta.url);
const all = COMMANDS.map(({ help }) => help);

if (process.argv[2] === '--print') {
  process.stdout.write(printedTable(all));
} else {
  writeFileSync(README, readmePage(readFileSync(README, 'utf8'), all));
  writeFileSync(PAGE, commandsPage(all));
}
