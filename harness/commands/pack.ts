/** `npm run pack -- WORKDIR`: one archive of a run, without secrets, for somebody else to look into. */

import { closeSync, fsyncSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { EXIT } from '../../help/exits.ts';
import { Fault } from '../faults/faults.ts';
import type { CommandWords } from '../options/command-help.ts';
import { PACK_OPTIONS } from '../options/command-options.ts';
import { path } from '../options/given.ts';
import { pack as makePack, type Packed } from '../pack/pack.ts';
import { learnSecrets } from '../pack/secrets-at-hand.ts';
import { escapeValue } from '../report/report.ts';
import { readStoredRun, type StoredRun } from '../stored/stored-run.ts';
import type { Call, Command } from './command.ts';

const ENDING = '.bootwitness.tar.gz';

const WORDS: CommandWords = {
  ...{ name: 'pack', group: 'failure', page: 'docs/stored-runs.md#pack' },
  summary: 'makes one file of a run, without secrets, that somebody else can compare, rejudge and reproduce',
  usage: ['WORKDIR [options]'],
  about: [
    'In it are the files that a run writes, and pack.json, which says what was masked. Masked are the secrets that ' +
      'this machine has of the run (environment, options, the lab file that it named and the files named there), in ' +
      'every spelling, and what looks like one: private keys, URLs with a password, password=…, token: …. Pictures ' +
      'of the console are packed as they are: look at them before you send them. The same run gives the same bytes.',
  ],
  examples: [
    { args: ['/tmp/phase9-xcpng-boot-1795390189'], does: 'phase9-xcpng-boot-1795390189.bootwitness.tar.gz, here' },
    { args: ['/tmp/phase9-xcpng-boot-1795390189', '--out', 'silent.tar.gz'], does: 'under a name of your own' },
  ],
  precedence: 'flags > environment > what the run was asked with',
  stdout: 'the file, what was masked in it, and what was left out.',
  exits: { fine: 'packed' },
};

/** The name that a workdir had when it was made, wherever it lies now. */
const nameOf = ({ report }: StoredRun): string => {
  const name = basename(report.workdir).replace(/[^\w.-]/g, '_');
  return /^[\w-]/.test(name) ? name : `run-${report.runId.replace(/\W/g, '_')}`;
};

/** @throws Fault BAD_OPTION where the file is there already, or cannot be written */
function write(file: string, bytes: Buffer): void {
  let fd: number;
  try {
    fd = openSync(file, 'wx', 0o644);
  } catch (cause) {
    const there = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    const given = there ? 'one that is there already' : 'one that cannot be made';
    throw new Fault('BAD_OPTION', `--out: expected a file to be made, given ${given}: ${file}`, { cause });
  }
  try {
    writeFileSync(fd, bytes);
    fsyncSync(fd);
  } catch (cause) {
    rmSync(file, { force: true });
    throw new Fault('BAD_OPTION', `--out: expected a place with room for ${bytes.length} bytes, given ${file}`, {
      cause,
    });
  } finally {
    closeSync(fd);
  }
}

function shown(file: string, { bytes, files, leftOut, pictures }: Packed): readonly string[] {
  const hidden = files.filter((each) => each.masked > 0).map((each) => `${each.masked} in ${each.name}`);
  const list = (names: readonly string[]): string => escapeValue(names.join(', '));
  return [
    `${file}: ${files.length} files, ${(bytes.length / 1024).toFixed(0)} KiB`,
    `masked: ${hidden.length === 0 ? 'nothing' : list(hidden)}`,
    ...(leftOut.length === 0 ? [] : [`left out, no files of a run: ${list(leftOut)}`]),
    ...(pictures.length === 0 ? [] : [`pictures, packed as they are: ${list(pictures)}`]),
  ];
}

async function run({ given, environment, print, told }: Call): Promise<number> {
  const stored = await readStoredRun(given.operand().text);
  for (const note of stored.notes) told.note(`note: ${note}`);
  for (const note of learnSecrets(stored.report, given, environment)) told.note(`note: ${note}`);
  const top = nameOf(stored);
  const file = path(given.value('out')) ?? resolve(`${top}${ENDING}`);
  const packed = await makePack(stored, top);
  write(file, packed.bytes);
  shown(file, packed).forEach(print);
  return EXIT.fine;
}

export const pack: Command = {
  ...{ options: PACK_OPTIONS, operand: 'WORKDIR', help: WORDS },
  onInterrupt: 'a file that is half written is removed, or has no end',
  run,
};
