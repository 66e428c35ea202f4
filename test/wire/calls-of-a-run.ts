/**
 * For tests: the calls that a run really makes, as seen leaving it, by the kind of run. Rows of faults are made of
 * these, so that a new call in the harness has its rows at once.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fixedOptions, makeVm } from './operators-vm.ts';
import { type Play, witness } from './witness.ts';

/** From start to end without a fault. */
export const KINDS: Readonly<Record<string, Play>> = {
  ephemeral: {},
  fixed: { before: async (backstage) => fixedOptions(await makeVm(backstage)) },
  'older XO': { mishaps: ['no-rest'] },
  'by password': {
    labFile: (text) => text.replace(/^token_file = .*\n/m, ''),
    before: async ({ lab: { login, labFile } }) => {
      const file = join(labFile, '..', 'password');
      writeFileSync(file, login.password, { mode: 0o600 });
      return ['--xo-email', login.email, '--xo-password-file', file];
    },
  },
};

/** It makes an entry of the image cache, and then a guest of it. */
export const CACHED: Play = {
  before: async () => ['--cache-sr', 'Embedded local storage', '--cache-gib', '4', '--cache-chain-max', '20'],
};

/** What these do to is another matter than a guest of ours: an operator's VM, an entry of the cache. */
const APART: readonly string[] = ['fixed', 'cached'];

/** One call of one kind of run. */
export interface CallOfRun {
  readonly kind: string;
  readonly method: string;
  /** Which of the run's calls of this method: 1 is the first. */
  readonly nth: number;
}

/**
 * Plays each kind once. Of a later kind only what the ones before it do not do: another method, or more calls of one.
 */
export async function callsOfARun(kinds: Readonly<Record<string, Play>> = KINDS): Promise<readonly CallOfRun[]> {
  const found = new Map<string, CallOfRun>();
  for (const [kind, play] of Object.entries(kinds)) {
    const { calls, code, stderr } = await witness({ ...play, args: ['--budget-scale', '0.5'], recordsCalls: true });
    if (code !== 0) throw new Error(`a run of the kind ${kind} should pass:\n${stderr}`);
    const counts = new Map<string, number>();
    for (const method of calls) {
      const nth = (counts.get(method) ?? 0) + 1;
      counts.set(method, nth);
      const key = `${APART.includes(kind) ? kind : ''} ${method} ${nth}`;
      if (!found.has(key)) found.set(key, { kind, method, nth });
    }
  }
  return [...found.values()];
}
