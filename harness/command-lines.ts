/** Commands for people to copy: what runs this again, what removes what it left. */
import type { Request } from './config.ts';

function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

const variablesOf = ({ variables }: Request): readonly string[] =>
  Object.entries(variables)
    .filter(([name]) => name !== 'BOOTWITNESS_NIGHT')
    .map(([name, text]) => `${name}=${shellWord(text)}`);

/** What is run again is no part of that night. */
const withoutNight = (args: readonly string[]): readonly string[] =>
  args.filter((arg, index) => !/^--night(=|$)/.test(arg) && args[index - 1] !== '--night');

/** @param command how the user called it, e.g. `npm run -s phase9 --` */
export const repeatLine = (request: Request, command: string, args: readonly string[]): string =>
  [...variablesOf(request), command, ...withoutNight(args).map(shellWord)].join(' ');

export function sweepLine(request: Request, runId: string): string {
  if (request.lab.kind === 'embedded') return 'the embedded lab ends with it';
  const flags = request.labArguments.map(shellWord);
  return [...variablesOf(request), 'npm run -s sweep --', ...flags, '--run-id', runId].join(' ');
}
