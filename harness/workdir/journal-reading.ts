/** What the journal of a run that died says of things that it made, or was about to make. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Journalled {
  /** Uuids of VMs and disks whose creation was answered. */
  readonly made: ReadonlySet<string>;
  /** Guest tag → name, of what it was about to make. */
  readonly guests: ReadonlyMap<string, string>;
  /** Something was asked for, and how that ended is not written: it may still come. */
  readonly pending: boolean;
  /** When it last wrote, ms since 1970; null: it wrote nothing. */
  readonly lastMs: number | null;
}

/** What others find in a pool: a VM, a disk, a lock on an operator's VM, a mark on an entry of the cache. */
const MADE_IN_POOL: readonly unknown[] = ['VM', 'VDI', 'lock', 'mark'];
/** The intent on the left is written only after what is on the right was answered. */
const ANSWERED_BEFORE: Readonly<Record<string, string>> = { 'fixed-vm': 'lock', VDI: 'mark' };

/** Empty where there is no journal any more; a line that was being written when the run died is left out. */
export function readJournal(workdir: string): Journalled {
  const [made, guests] = [new Set<string>(), new Map<string, string>()];
  let text = '';
  try {
    text = readFileSync(join(workdir, 'journal.ndjson'), 'utf8');
  } catch {
    // Temp folders are cleaned; the claims in the pool say what is needed.
    return { made, guests, pending: false, lastMs: null };
  }
  const open = new Set<unknown>();
  let lastMs: number | null = null;
  for (const line of text.split('\n')) {
    const { at, event, what, uuid, guest, name } = entry(line);
    if (typeof at === 'string') lastMs = Date.parse(at);
    if (event === 'intent') {
      if (MADE_IN_POOL.includes(what)) open.add(what);
      open.delete(ANSWERED_BEFORE[String(what)]);
    } else if (typeof uuid === 'string' || event === 'undone') open.delete(what);
    if (what !== 'VM' && what !== 'VDI') continue;
    if (event === 'note' && typeof uuid === 'string') made.add(uuid);
    if (event === 'intent' && typeof guest === 'string' && typeof name === 'string') guests.set(guest, name);
  }
  return { made, guests, pending: open.size > 0, lastMs };
}

function entry(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
