/** Entry of the lab's process: command line in, one line when ready out, and an end in good order. */
import { createInterface } from 'node:readline';
import { EXIT } from '../help/exits.ts';
import { helpText } from '../help/text.ts';
import { ArgumentMisuse, helpWanted, type LabArguments, labArguments } from './arguments.ts';
import { Hold } from './held.ts';
import { LAB_HELP } from './help.ts';
import { type Lab, startLab } from './lab.ts';
import { FolderMisuse } from './make-folder.ts';

const HOLD_LOOK_MS = 1_000;
/** Whatever hangs at the end, the process does not. */
const END_DEADLINE_MS = 8_000;

const log = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

function announce(lab: Lab, wish: LabArguments): void {
  const { url, token, tokenFile, labFile } = lab;
  if (wish.parent) {
    process.stdout.write(`${JSON.stringify({ event: 'ready', url, tokenFile, labFile, pid: process.pid })}\n`);
  } else {
    process.stdout.write(`Xen Orchestra's API at ${url}\ntoken: ${token}\nlab file: ${labFile}\nCtrl-C ends it.\n`);
  }
}

/** Resolves when the lab is to end: the parent is gone and did not have it held, or a signal. */
function endAsked(wish: LabArguments, hold: Hold): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGTERM', () => resolve());
    process.once('SIGHUP', () => resolve());
    if (!wish.parent) {
      process.once('SIGINT', () => resolve());
      return;
    }
    // Ctrl-C reaches the whole process group; with a parent it is the parent that decides.
    process.on('SIGINT', () => log('interrupt ignored: the parent decides'));
    let gone = false;
    const parentGone = (): void => {
      if (gone) return;
      gone = true;
      if (!hold.isHeld) {
        resolve();
        return;
      }
      const watch = setInterval(() => {
        const why = hold.over();
        if (why === null) return;
        clearInterval(watch);
        log(`the lab ends: ${why}`);
        resolve();
      }, HOLD_LOOK_MS);
    };
    for (const event of ['end', 'close', 'error'] as const) process.stdin.once(event, parentGone);
    createInterface({ input: process.stdin }).on('line', (line) => {
      const answer = hold.hear(line);
      if (answer !== null) process.stdout.write(`${answer}\n`);
    });
  });
}

/** A program that the lab needs is not there; null: something else went wrong. */
function missingProgram(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'ENOENT') return null;
  if (!('syscall' in error) || !String(error.syscall).startsWith('spawn')) return null;
  return `${'path' in error ? String(error.path) : 'a program'} is not installed; ./setup.sh brings what the lab needs`;
}

async function run(args: readonly string[]): Promise<number> {
  if (helpWanted(args)) {
    process.stdout.write(helpText(LAB_HELP));
    return EXIT.fine;
  }
  const wish = labArguments(args, process.env);
  // A parent that has gone takes its end of stdout and stderr with it.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  let started: Lab | null = null;
  const hold = new Hold({ isEmpty: () => started?.isEmpty() ?? false, nowMs: Date.now });
  const asked = endAsked(wish, hold);
  const lab = startLab(wish, log);
  const ready = await Promise.race([lab.ready, asked]);
  if (ready) {
    started = ready;
    announce(ready, wish);
    await asked;
  }
  setTimeout(() => process.exit(EXIT.lab), END_DEADLINE_MS).unref();
  await lab.close();
  return 0;
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  const misuse = error instanceof ArgumentMisuse || error instanceof FolderMisuse;
  const missing = missingProgram(error);
  if (!misuse && missing === null && error instanceof Error && error.stack) log(error.stack);
  // Last, and marked: whoever started the lab quotes this line.
  log(`lab: ${missing ?? (error instanceof Error ? error.message : String(error))}`);
  process.exitCode = misuse ? EXIT.misuse : EXIT.lab;
}
// Pending timers and an open stdin are no reason to stay.
process.exit();
