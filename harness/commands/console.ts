/** `npm run console`: what the guest that a run kept shows now, as a picture and as text. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { EXIT } from '../../help/exits.ts';
import { png } from '../console/png.ts';
import { ScreenReader } from '../console/screen-reader.ts';
import { Deadline } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import type { ScreenFrame } from '../lab.ts';
import type { CommandWords } from '../options/command-help.ts';
import { CONSOLE_OPTIONS } from '../options/command-options.ts';
import { requestOf } from '../options/config.ts';
import { Given, path } from '../options/given.ts';
import { prepareSettings } from '../prepare/prepare.ts';
import { keptOf } from '../stored/kept-guest.ts';
import { readStoredRun, type StoredRun } from '../stored/stored-run.ts';
import { writeWhole } from '../workdir/workdir.ts';
import { serialText } from '../xcpng/console.ts';
import { VmScreen } from '../xcpng/screen/vm-screen.ts';
import { openSession } from '../xcpng/session.ts';
import type { Call, Command } from './command.ts';

const SIGN_IN_MS = 60_000;
const LOOK_MS = 30_000;
const READ_MS = 60_000;

/** The lab of the run, with what is given now over it. */
function settingsOf({ report }: StoredRun, labFile: string | null, { given, environment }: Call) {
  const named = new Map<string, string>();
  const ofLab = CONSOLE_OPTIONS.filter(({ group, secret }) => group === 'lab' && !secret);
  for (const { name } of ofLab) {
    const text = given.value(name)?.text ?? report.asked?.options[name];
    if (text !== undefined) named.set(name, text);
  }
  // That of an embedded lab which was left alive is known by its file only.
  if (labFile !== null && given.value('lab') === null) named.set('lab', labFile);
  const args = [...named].map(([name, text]) => `--${name}=${text}`);
  return prepareSettings(requestOf(new Given(CONSOLE_OPTIONS, args, environment), environment));
}

/** Never throws for what the lab does not show: that is told. */
async function unlessRefused<T>(what: string, looking: Promise<T>, tell: (line: string) => void): Promise<T | null> {
  try {
    return await looking;
  } catch (error) {
    if (!(error instanceof Fault) || error.party === 'nobody') throw error;
    tell(`${what}: ${error.message}`);
    return null;
  }
}

interface Files {
  readonly folder: string;
  readonly print: (line: string) => void;
  readonly tell: (line: string) => void;
}

async function keepPicture(frame: ScreenFrame, { folder, print, tell }: Files, signal: AbortSignal): Promise<void> {
  const picture = join(folder, 'screen.png');
  writeFileSync(picture, png(frame));
  print(`picture ${picture} (${frame.width}x${frame.height})`);
  const reader = new ScreenReader();
  try {
    const reading = await reader.read(frame, Deadline.after(READ_MS, signal));
    if ('why' in reading) return tell(`the picture could not be read: ${reading.why}`);
    const file = join(folder, 'screen.txt');
    writeWhole(file, reading.text);
    print(`text    ${file} (read from the picture: letters may be wrong)`);
    for (const line of reading.text.trimEnd().split('\n')) print(`| ${line}`);
  } finally {
    reader.close();
  }
}

/** @throws Fault BAD_STORED_RUN, and of the lab where it cannot be signed in to */
async function run(call: Call): Promise<number> {
  const { given, told, print, signal } = call;
  const operand = given.operand();
  const stored = await readStoredRun(operand.text);
  const kept = keptOf(stored);
  const settings = settingsOf(stored, kept.labFile, call);
  const { url, credential, tls, serialPath } = settings;
  const folder = path(given.value('out')) ?? join(stored.folder ?? dirname(resolve(operand.text)), 'kept');
  mkdirSync(folder, { recursive: true });
  const files: Files = { folder, print, tell: told.note };
  const session = await openSession({ url, credential, tls, deadline: Deadline.after(SIGN_IN_MS, signal) });
  const screen = new VmScreen(session, kept.vm);
  try {
    const picture = screen.look('fresh', Deadline.after(LOOK_MS, signal));
    const frame = await unlessRefused('no picture', picture, told.note);
    if (frame !== null) await keepPicture(frame, files, signal);
    const text = serialText(session, serialPath, kept.vm, Deadline.after(LOOK_MS, signal));
    const serial = await unlessRefused('no serial text', text, told.note);
    if (serial) {
      const file = join(folder, 'serial.txt');
      writeWhole(file, serial.text);
      print(`serial  ${file} (${serial.text.length} characters)`);
    }
    return frame === null && !serial ? EXIT.lab : EXIT.fine;
  } finally {
    screen.close();
    await session.close();
  }
}

const WORDS: CommandWords = {
  ...{ name: 'console', group: 'failure', page: 'README.md#from-a-failing-workdir-to-a-live-machine' },
  summary: 'shows the screen of a machine that a run kept, as a picture and as text, and its serial text',
  usage: ['WORKDIR [options]'],
  about: [
    'WORKDIR is that of a run which kept its machine (npm run -s phase9 -- --keep), or its ' +
      'metadata.txt or result.json. The text is read from the picture, so letters may be wrong; serial text is shown ' +
      'where the lab has any. The machine stays as it is.',
  ],
  examples: [
    { args: ['/tmp/phase9-xcpng-boot-1795390189'], does: 'into the folder kept of that workdir' },
    { args: ['/tmp/phase9-xcpng-boot-1795390189', '--out', 'now'], does: 'into a folder of your own' },
  ],
  precedence: 'flags > the lab of the run > environment > lab file',
  stdout: 'where picture and texts lie, and the text of the screen, each line behind a bar.',
  exits: { fine: 'something was seen', lab: 'nothing was seen, or the lab could not be asked' },
};

export const consoleCommand: Command = {
  ...{ options: CONSOLE_OPTIONS, operand: 'WORKDIR', help: WORDS, run },
  onInterrupt: 'the machine stays as it is',
};
