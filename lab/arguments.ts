/** The lab's command line: what may be given, and what was. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { nearest } from '../help/nearest.ts';
import { SLOTS_DEFAULT } from './help.ts';
import { MishapMisuse, Mishaps } from './mishaps.ts';
import { SLOTS_MAX } from './slots.ts';

export interface LabArguments {
  readonly backend: 'qemu' | 'simulated';
  /** Live and die with the process at the other end of stdin. */
  readonly parent: boolean;
  readonly stateDir: string | undefined;
  readonly cacheDir: string;
  readonly mishaps: Mishaps;
  readonly slots: number;
  readonly guestAnswers: string | null;
}

/** The command line is wrong; the message says what was expected. */
export class ArgumentMisuse extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ArgumentMisuse';
  }
}

const OPTIONS = {
  backend: { type: 'string', default: 'qemu' },
  parent: { type: 'boolean', default: false },
  'state-dir': { type: 'string' },
  'cache-dir': { type: 'string' },
  slots: { type: 'string', default: String(SLOTS_DEFAULT) },
  'guest-answers': { type: 'string' },
  mishap: { type: 'string', multiple: true, default: [] as string[] },
} as const;

/** Asked for help, one is told, whatever else is wrong. */
export const helpWanted = (args: readonly string[]): boolean => args.includes('--help') || args.includes('-h');

function parsed(args: readonly string[]) {
  const known = [...Object.keys(OPTIONS), 'help'];
  const unknown = args.find((arg) => /^--./.test(arg) && !known.includes(arg.slice(2).replace(/=.*/s, '')));
  if (unknown !== undefined) {
    const near = nearest(unknown.slice(2).replace(/=.*/s, ''), known);
    const expected = known.map((name) => `--${name}`).join(', ');
    throw new ArgumentMisuse(
      `${unknown}: unknown option; ${near ? `did you mean --${near}?` : `expected ${expected}`}`,
    );
  }
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values;
  } catch (error) {
    throw new ArgumentMisuse(error instanceof Error ? error.message : String(error));
  }
}

function mishapsOf(given: readonly string[]): Mishaps {
  const mishaps = new Mishaps();
  for (const one of given) {
    const at = one.indexOf('=');
    try {
      if (at < 0) mishaps.set(one);
      else mishaps.set(one.slice(0, at), one.slice(at + 1));
    } catch (error) {
      if (error instanceof MishapMisuse) throw new ArgumentMisuse(`--mishap: ${error.message}`);
      throw error;
    }
  }
  return mishaps;
}

/** @throws ArgumentMisuse */
export function labArguments(args: readonly string[], env: Readonly<NodeJS.ProcessEnv>): LabArguments {
  const values = parsed(args);
  const { backend } = values;
  if (backend !== 'qemu' && backend !== 'simulated') {
    throw new ArgumentMisuse(`--backend: expected qemu or simulated, given: ${backend}`);
  }
  const slots = Number(values.slots);
  if (!Number.isInteger(slots) || slots < 1 || slots > SLOTS_MAX) {
    throw new ArgumentMisuse(`--slots: expected a number from 1 to ${SLOTS_MAX}, given: ${values.slots}`);
  }
  const guestAnswers = values['guest-answers'];
  if (guestAnswers !== undefined && backend === 'qemu') {
    throw new ArgumentMisuse('--guest-answers: expected together with --backend simulated');
  }
  return {
    backend,
    parent: values.parent,
    stateDir: values['state-dir'],
    cacheDir: resolve(values['cache-dir'] ?? join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'bootwitness')),
    mishaps: mishapsOf(values.mishap),
    slots,
    guestAnswers: guestAnswers === undefined ? null : resolve(guestAnswers),
  };
}
