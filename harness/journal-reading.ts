/** What the journal of a run that died says of things that it made, or was about to make. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Journalled {
  /** Uuids of VMs and disks whose creation was answered. */
  readonly made: ReadonlySet<string>;
  /** Guest tag → name, of what it was about to make. */
  readonly guests: ReadonlyMap<string, string>;
}

/** Empty where there is no journal any more; a line that was being written when the run died is left out. */
export function readJournal(workdir: string): Journalled {
  const [made, guests] = [new Set<string>(), new Map<string, string>()];
  let text = '';
  try {
    text = readFileSync(join(workdir, 'journal.ndjson'), 'utf8');
  } catch {
    return { made, guests }; // temp folders are cleaned; the claims in the pool say what is needed
  }
  for (const line of text.split('\n')) {
    const { event, what, uuid, guest, name } = entry(line);
    if (what !== 'VM' && what !== 'VDI') continue;
    if (event === 'note' && typeof uuid === 'string') made.add(uuid);
    if (event === 'intent' && typeof guest === 'string' && typeof name === 'string') guests.set(guest, name);
  }
  return { made, guests };
}

function entry(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
