/** The lab's command line: what may be given, and what was. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { MISHAPS } from './mishap-table.ts';
import { MishapMisuse, Mishaps } from './mishaps.ts';
import { SLOTS_MAX } from './slots.ts';

export interface LabArguments {
  readonly help: boolean;
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

const SLOTS_DEFAULT = 8;

export function usage(): string {
  const names = Object.entries(MISHAPS).map(([name, { value, sentence }]) => {
    const shown = value === null ? name : `${name}=${value.meaning.toUpperCase()}`;
    return `  ${shown.padEnd(34)} ${sentence}`;
  });
  return `usage: node --import tsx lab/main.ts [OPTION]...
An endpoint that speaks Xen Orchestra's API and runs VMs on this machine.
  --backend qemu|simulated   what runs the VMs; default qemu
  --parent                   for programs: one line of JSON when ready, and the end of stdin ends it
  --state-dir DIR            an empty folder, removed at the end; default: a fresh one in the temp folder
  --cache-dir DIR            where the reference guest is kept; default: bootwitness in $XDG_CACHE_HOME or ~/.cache
  --slots N                  addresses for guests, 1 to ${SLOTS_MAX}; default ${SLOTS_DEFAULT}
  --guest-answers FILE       what simulated guests answer
  --mishap NAME[=VALUE]      something that goes wrong; may be repeated
  --help
Mishaps:
${names.join('\n')}`;
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean', default: false },
        backend: { type: 'string', default: 'qemu' },
        parent: { type: 'boolean', default: false },
        'state-dir': { type: 'string' },
        'cache-dir': { type: 'string' },
        slots: { type: 'string', default: String(SLOTS_DEFAULT) },
        'guest-answers': { type: 'string' },
        mishap: { type: 'string', multiple: true, default: [] },
      },
    }).values;
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
    help: values.help,
    backend,
    parent: values.parent,
    stateDir: values['state-dir'],
    cacheDir: resolve(values['cache-dir'] ?? join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'bootwitness')),
    mishaps: mishapsOf(values.mishap),
    slots,
    guestAnswers: guestAnswers === undefined ? null : resolve(guestAnswers),
  };
}
