/** The tag by which a run holds an operator's VM: who, and until when by XO's clock. */
import { OURS } from './claims.ts';

/** `claim`: would like to; `held`: has it. */
export interface LockTag {
  readonly tag: string;
  readonly state: 'claim' | 'held';
  /** Of the one try to take it. */
  readonly id: string;
  readonly run: string;
  readonly expiresMs: number;
  /** For messages. */
  readonly holder: string;
}

/** Any tag of a lock; not a setting of the VM. */
export const LOCK_PREFIX = `${OURS}:lock=`;

const PATTERN = /^bootwitness:lock=(claim|held);([0-9a-f]{16});([^;]+);([^;]*);([^;]*)$/;

export const lockTag = ({ state, id, run, expiresMs }: Omit<LockTag, 'tag' | 'holder'>, host: string): string =>
  `${LOCK_PREFIX}${state};${id};${new Date(expiresMs).toISOString()};${run};${host.replace(/[^\w.-]/g, '_')}`;

/** Null: not one of ours, or damaged; such a tag holds nothing and is left alone. */
export function parseLock(tag: string): LockTag | null {
  const [, state, id = '', expires = '', run = '', host = ''] = PATTERN.exec(tag) ?? [];
  const expiresMs = Date.parse(expires);
  if ((state !== 'claim' && state !== 'held') || Number.isNaN(expiresMs)) return null;
  return { tag, state, id, run, expiresMs, holder: `run ${run} on ${host}, until ${expires}` };
}
