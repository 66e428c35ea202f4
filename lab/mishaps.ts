/** Which mishaps are switched on in this lab. */
import { AFTER_START, MISHAPS, type MishapName, type MishapRow, RESTART_SECONDS } from './mishap-table.ts';

/** Those that wait for a call of a method. */
type Timed =
  | 'drop-session-before'
  | 'drop-session-after'
  | 'drop-session-replied'
  | 'revoke-token'
  | 'stall'
  | 'deleted-before'
  | 'halted-before'
  | 'tell';

/** How an upload ends before its time. */
export interface UploadEnd {
  /** Of the body. */
  readonly fraction: number;
  /** Xen Orchestra restarts, and is away for so long; null: the connection is cut, and that is all. */
  readonly restartSeconds: number | null;
}

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

  /** Seconds for which the pool is out of sight, where that begins now; null: not now. */
  vanishesAt(what: string): number | null {
    const [seconds, at = AFTER_START] = (this.#on.get('vanish-pool') ?? '').split('@');
    if (seconds === '' || at !== what) return null;
    this.#on.delete('vanish-pool');
    return Number(seconds);
  }

  /** What happens to an upload that has just begun, at which fraction of its body; null: nothing. */
  uploadEnds(): UploadEnd | null {
    const [restartAt, seconds] = (this.take('upload-restart') ?? '').split(':');
    if (restartAt) return { fraction: Number(restartAt), restartSeconds: Number(seconds ?? RESTART_SECONDS) };
    const [cutAt, once] = (this.#on.get('upload-cut') ?? '').split(':');
    if (!cutAt) return null;
    if (once !== undefined) this.#on.delete('upload-cut');
    return { fraction: Number(cutAt), restartSeconds: null };
  }

  /** True while the number of a mishap that counts tries is not used up. */
  counts(name: 'vdi-in-use'): boolean {
    const left = Number(this.#on.get(name) ?? 0);
    if (left > 1) this.#on.set(name, String(left - 1));
    else this.#on.delete(name);
    return left > 0;
  }

  /** Is the mishap on for this call of the method? Those of one call switch themselves off. */
  hits(name: Timed, method: string): boolean {
    const [wanted, which] = (this.#on.get(name) ?? '').split(':');
    if (wanted !== method) return false;
    if (which === undefined) return true;
    const before = which === 'once' ? 0 : Number(which) - 1;
    if (before > 0) this.#on.set(name, `${method}:${before}`);
    else this.#on.delete(name);
    return before === 0;
  }
}
