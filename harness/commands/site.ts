/** `npm run site`: makes the pages of a folder of reports from its runs. */
import { EXIT } from '../../help/exits.ts';
import { Fault } from '../faults/faults.ts';
import type { CommandWords } from '../options/command-help.ts';
import { SITE_OPTIONS } from '../options/command-options.ts';
import { bad } from '../options/given.ts';
import { reportsDir } from '../options/history-wish.ts';
import { buildSite } from '../site/build-site.ts';
import { codeIn } from '../workdir/make-folder.ts';
import type { Call, Command } from './command.ts';

const SKIPPED_TOLD = 20;

const WORDS: CommandWords = {
  ...{ name: 'site', group: 'history', page: 'docs/history.md' },
  summary: 'makes reports/index.html from the runs in reports/runs: what is newly failing, flaky, fixed',
  usage: ['[options]'],
  about: [
    'The page opens in any browser as a file, and asks nobody for anything. Copying runs/*.json (and runs/*.console) ' +
      'from other machines into one folder, and calling this again, joins their histories.',
  ],
  examples: [
    { args: [], does: 'the pages of ./reports' },
    { args: ['--reports-dir', '/srv/bootwitness'], does: 'those of another folder' },
  ],
  precedence: 'flags > environment > defaults',
  stdout: 'how many runs there are, and the page.',
  exits: { fine: 'done, whatever the runs came to', bug: 'the pages could not be written, or our bug' },
};

async function run({ given, print, told }: Call): Promise<number> {
  const dir = reportsDir(given);
  if (dir === null) throw bad('--reports-dir', 'a folder', 'none');
  try {
    const { page, runs, pagesWritten, skipped, red } = buildSite(dir, new Date());
    for (const { file, why } of skipped.slice(0, SKIPPED_TOLD)) told.note(`left out "${file}": ${why}`);
    if (skipped.length > SKIPPED_TOLD) told.note(`and ${skipped.length - SKIPPED_TOLD} more, all in index.json`);
    print(`${runs} runs, ${red} cases red in the last night, ${pagesWritten} pages of runs written anew`);
    print(page);
    return EXIT.fine;
  } catch (cause) {
    if (!['ENOENT', 'ENOTDIR', 'EACCES', 'EROFS', 'EPERM'].includes(codeOf(cause))) throw cause;
    const expected = 'a folder that can be read and written to';
    throw new Fault('BAD_OPTION', `--reports-dir: expected ${expected}, given ${dir}${codeIn(cause)}`, { cause });
  }
}

const codeOf = (error: unknown): string => String((error as NodeJS.ErrnoException).code);

export const site: Command = {
  options: SITE_OPTIONS,
  help: WORDS,
  onInterrupt: 'pages that are written are whole; call it again',
  run,
};
