/** What the lab can be told to do wrong: the table of mishaps, and which of them are switched on. */

interface MishapRow {
  /** What a value must look like; null: takes none. */
  readonly value: { readonly meaning: string; readonly accepts: RegExp; readonly fallback?: string } | null;
  readonly sentence: string;
}

const SECONDS = /^\d+(\.\d+)?$/;
const METHOD = /^[a-z]+\.[a-zA-Z]+$/;
const METHOD_ONCE = /^[a-z]+\.[a-zA-Z]+(:once)?$/;

const without = (sentence: string): MishapRow => ({ value: null, sentence });
const taking = (meaning: string, accepts: RegExp, sentence: string, fallback?: string): MishapRow => ({
  value: fallback === undefined ? { meaning, accepts } : { meaning, accepts, fallback },
  sentence,
});

export const MISHAPS = {
  'upload-cut': taking(
    'fraction from 0 to 1',
    /^(0(\.\d+)?|1(\.0+)?)$/,
    'An upload loses its connection after this fraction of its body; no new VDI stays.',
    '0.5',
  ),
  'transfer-fails': without('The pool refuses the content of every upload (VDI_IO_ERROR); no new VDI stays.'),
  'sr-full': without('The SR makes no new disk (SR_BACKEND_FAILURE_44).'),
  'no-memory': without('No VM starts: no host has the memory (code 7).'),
  'dead-network': without('Guests have a NIC, but not a byte passes it.'),
  'drop-session-after': taking(
    'method, or method:once',
    METHOD_ONCE,
    'The WebSocket is cut when a call of this method arrives; the call is carried out, its reply is lost.',
  ),
  'start-fails': taking(
    'XAPI error code',
    /^[A-Z][A-Z0-9_]*$/,
    'No VM starts: vm.start fails with this error of the XAPI.',
  ),
  stall: taking('method', METHOD, 'A call of this method is never answered, nor carried out.'),
  'keep-disk': without('vm.delete says true, but the disks stay, as real Xen Orchestra does when a disk is stuck.'),
  'vanish-pool': taking(
    'seconds',
    SECONDS,
    'After the first vm.start all objects vanish for this long, as when Xen Orchestra loses its pool.',
    '5',
  ),
  'late-objects': taking('seconds', SECONDS, 'Objects and notifications lag this much more behind the replies.'),
  'sign-in-throttle': without('The first sign-in is refused as if a wrong one had come just before (-32000).'),
} as const satisfies Record<string, MishapRow>;

export type MishapName = keyof typeof MISHAPS;

/** A mishap that cannot be switched on as asked; the message says what was expected. */
export class MishapMisuse extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MishapMisuse';
  }
}

function isMishapName(name: string): name is MishapName {
  return Object.hasOwn(MISHAPS, name);
}

export class Mishaps {
  readonly #on = new Map<MishapName, string>();

  /** Switches one on. @throws MishapMisuse for an unknown name or a value that does not fit. */
  set(name: string, value?: string): void {
    if (!isMishapName(name)) {
      throw new MishapMisuse(`unknown mishap "${name}"; known: ${Object.keys(MISHAPS).join(', ')}`);
    }
    const row: MishapRow = MISHAPS[name];
    if (row.value === null) {
      if (value !== undefined) throw new MishapMisuse(`mishap "${name}" takes no value, given: "${value}"`);
      this.#on.set(name, '');
      return;
    }
    const given = value ?? row.value.fallback;
    if (given === undefined || !row.value.accepts.test(given)) {
      throw new MishapMisuse(`mishap "${name}": expected ${row.value.meaning}, given: ${given ?? 'nothing'}`);
    }
    this.#on.set(name, given);
  }

  clear(name: string): void {
    if (!isMishapName(name)) throw new MishapMisuse(`unknown mishap "${name}"`);
    this.#on.delete(name);
  }

  /** The value where it is on (empty for those without), undefined where it is off. */
  get(name: MishapName): string | undefined {
    return this.#on.get(name);
  }

  /** Those that are on. */
  names(): readonly MishapName[] {
    return [...this.#on.keys()];
  }

  has(name: MishapName): boolean {
    return this.#on.has(name);
  }

  /** True once, then it is off. */
  take(name: MishapName): string | undefined {
    const value = this.#on.get(name);
    this.#on.delete(name);
    return value;
  }

  /** Is the mishap on for this method? `METHOD:once` switches itself off. */
  hits(name: 'drop-session-after' | 'stall', method: string): boolean {
    const value = this.#on.get(name);
    if (value === method) return true;
    if (value !== `${method}:once`) return false;
    this.#on.delete(name);
    return true;
  }
}
