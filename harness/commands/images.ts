/** `npm run images`: what the image cache of a lab holds, and what of it is to go. */

import { EXIT } from '../../help/exits.ts';
import { Deadline } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import type { CommandWords } from '../options/command-help.ts';
import { IMAGES_OPTIONS } from '../options/command-options.ts';
import { requestOf } from '../options/config.ts';
import { bad, type Given } from '../options/given.ts';
import { prepareSettings } from '../prepare/prepare.ts';
import { type Image, listImages, type PruneWish, pruneImages } from '../xcpng/cache/images.ts';
import type { XoLabSettings } from '../xcpng/settings.ts';
import type { Call, Command } from './command.ts';

const IMAGES_MS = 60 * 60_000;
const DAY_MS = 24 * 3_600_000;

const OPERAND = 'list | prune';

const WORDS: CommandWords = {
  ...{ name: 'images', group: 'lab', page: 'docs/lab-setup.md#images-kept-in-the-pool' },
  summary: 'lists the images that are kept in a lab, and removes those that are to go',
  usage: ['list [options]', 'prune --older-than DAYS | --digest SHA256 | --all [options]'],
  about: [
    'A lab file with a [cache] keeps each image once, as a template that runs are cloned from. Only what names ' +
      'itself by uuid and is not in use is removed; VMs that were cloned from it go on. Nothing goes that is not ' +
      'named.',
  ],
  examples: [
    { args: ['list', '--lab', 'pool1'], does: 'what is kept, how large it is, and when it was used' },
    { args: ['prune', '--lab', 'pool1', '--older-than', '30', '--dry-run'], does: 'what would go' },
  ],
  precedence: 'flags > environment > lab file > defaults',
  stdout: 'a line for each image; with --json JSON: the images, or dryRun, removed, stayed.',
  exits: { lab: 'something that was to go stayed, or the lab could not be asked' },
};

function settingsOf({ given, environment }: Call): XoLabSettings {
  const request = requestOf(given, environment);
  if (request.lab.kind !== 'embedded') return prepareSettings(request);
  const expected = 'a lab file or --xo-url: the embedded lab ends with its run and keeps nothing';
  throw new Fault('BAD_OPTION', `--lab: expected ${expected}, given ${request.lab.named ? 'embedded' : 'nothing'}`);
}

/** What is to go must be said: nothing is removed by default. */
function wishOf(given: Given): PruneWish {
  const [days, digest] = [given.value('older-than'), given.value('digest')];
  const all = given.value('all')?.text === 'true';
  if (days !== null && !(Number(days.text) >= 0)) throw bad(days.from, 'a number of days', `"${days.text}"`);
  if (digest !== null && !/^[0-9a-f]{64}$/i.test(digest.text)) {
    throw bad(digest.from, 'a SHA-256 as 64 hex digits', `"${digest.text}"`);
  }
  const choices = [days, digest].filter((each) => each !== null).length;
  if (all === choices > 0) {
    throw bad('--all', 'it, or one of --older-than and --digest, or both', all ? 'it with others' : 'none of them');
  }
  return {
    digest: digest?.text.toLowerCase() ?? null,
    olderThanMs: days === null ? null : Number(days.text) * DAY_MS,
    dryRun: given.value('dry-run')?.text === 'true',
  };
}

const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

const line = ({ uuid, digest, bytes, allotted, lastUsed, chain, state }: Image): string =>
  `${digest.slice(0, 16)} ${mib(bytes)}, ${mib(allotted)} on the SR, last used ${lastUsed ?? 'never'}, ` +
  `chain ${chain}, ${uuid}, ${state}`;

async function list(call: Call): Promise<number> {
  const images = await listImages(settingsOf(call), Deadline.after(IMAGES_MS, call.signal));
  if (call.given.value('json')?.text === 'true') call.print(JSON.stringify(images, null, 2));
  else for (const each of images) call.print(line(each));
  return EXIT.fine;
}

async function prune(call: Call): Promise<number> {
  const wish = wishOf(call.given);
  const { removed, stayed } = await pruneImages(settingsOf(call), wish, Deadline.after(IMAGES_MS, call.signal));
  if (call.given.value('json')?.text === 'true') {
    call.print(JSON.stringify({ dryRun: wish.dryRun, removed, stayed }, null, 2));
  } else {
    for (const each of removed) call.print(`${wish.dryRun ? 'would remove' : 'removed'} ${line(each)}`);
    for (const { image, why } of stayed) call.print(`stays ${line(image)}: ${why}`);
    call.print(`${removed.length} ${wish.dryRun ? 'to remove (dry run)' : 'removed'}, ${stayed.length} stayed`);
  }
  return stayed.length > 0 ? EXIT.lab : EXIT.fine;
}

function run(call: Call): Promise<number> {
  const { text } = call.given.operand();
  if (text === 'list') return list(call);
  if (text === 'prune') return prune(call);
  throw new Fault('BAD_OPTION', `${OPERAND}: expected one of them, given ${text}`);
}

export const images: Command = {
  options: IMAGES_OPTIONS,
  operand: OPERAND,
  help: WORDS,
  onInterrupt: 'what was removed is removed',
  run,
};
