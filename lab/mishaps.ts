/** What the lab can be told to do wrong: the table of mishaps, and which of them are switched on. */
import { METRICS_PATTERN } from './guest-metrics.ts';

interface MishapRow {
  /** What a value must look like; null: takes none. */
  readonly value: { readonly meaning: string; readonly accepts: RegExp; readonly fallback?: string } | null;
  readonly sentence: string;
}

const SECONDS = /^\d+(\.\d+)?$/;
const METHOD = /^[a-z]+\.[a-zA-Z]+$/;
const METHOD_ONCE = /^[a-z]+\.[a-zA-Z]+(:once)?$/;

const RESTART_SECONDS = 2;

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
  'drop-session-before': taking(
    'method, or method:once',
    METHOD_ONCE,
    'The WebSocket is cut when a call of this method arrives; the call is not carried out.',
  ),
  'drop-session-after': taking(
    'method, or method:once',
    METHOD_ONCE,
    'The WebSocket is cut when a call of this method arrives; the call is carried out, its reply is lost.',
  ),
  'drop-session-replied': taking(
    'method, or method:once',
    METHOD_ONCE,
    'The WebSocket is cut right after the reply to a call of this method.',
  ),
  'revoke-token': taking(
    'method',
    METHOD,
    'The token of the session ends when a call of this method arrives: no reply, the connection closes.',
  ),
  restart: taking(
    'method, and :seconds',
    /^[a-z]+\.[a-zA-Z]+(:\d+(\.\d+)?)?$/,
    'Xen Orchestra restarts at a call of this method, once: all connections are cut, for 2 seconds by default.',
  ),
  'start-fails': taking(
    'XAPI error code',
    /^[A-Z][A-Z0-9_]*$/,
    'No VM starts: vm.start fails with this error of the XAPI.',
  ),
  'start-fails-late': without('vm.start says yes, and the VM does not run.'),
  'stuck-power-state': taking('seconds', SECONDS, 'A hard vm.stop says yes, and the VM runs on for this long.', '3'),
  'blocked-operation': taking(
    'operation',
    /^[a-z_]+$/,
    'This operation is blocked on every new VM (start, destroy, hard_shutdown …).',
  ),
  'no-clean-shutdown': taking(
    '10 or 14',
    /^1[04]$/,
    'The code with which a clean vm.stop is refused: no PV drivers (10), or the feature is lacking (14, the default).',
  ),
  'vdi-in-use': taking(
    'number of tries',
    /^[1-9]\d*$/,
    'Disks cannot be deleted, as though in use, for this many tries; Xen Orchestra itself tries ten times.',
  ),
  'clock-offset': taking('seconds', /^-?\d+$/, "Xen Orchestra's clock is that far ahead of ours."),
  'no-rest-post': without('An older Xen Orchestra: its REST API cannot import a new disk.'),
  'no-rest': without('A still older Xen Orchestra: it has no REST API.'),
  'guest-metrics': taking(
    'addresses, each with @seconds where it is reported later; "own" is the right one',
    METRICS_PATTERN,
    'Guests report these addresses, one after the other, as those with guest tools do.',
    'own',
  ),
  'keep-old-blocks': without('What a VHD leaves out keeps its old content on the disk that is overwritten.'),
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
/** Those that wait for a call of a method. */
type Timed = 'drop-session-before' | 'drop-session-after' | 'drop-session-replied' | 'revoke-token' | 'stall';

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

  /** Seconds for which XO is away, where it is to restart at a call of this method; null: not now. */
  restartAt(method: string): number | null {
    const [at, seconds] = (this.#on.get('restart') ?? '').split(':');
    if (at !== method) return null;
    this.#on.delete('restart');
    return Number(seconds ?? RESTART_SECONDS);
  }

  /** True while the number of a mishap that counts tries is not used up. */
  counts(name: 'vdi-in-use'): boolean {
    const left = Number(this.#on.get(name) ?? 0);
    if (left > 1) this.#on.set(name, String(left - 1));
    else this.#on.delete(name);
    return left > 0;
  }

  /** Is the mishap on for this method? `METHOD:once` switches itself off. */
  hits(name: Timed, method: string): boolean {
    const value = this.#on.get(name);
    if (value === method) return true;
    if (value !== `${method}:once`) return false;
    this.#on.delete(name);
    return true;
  }
}
