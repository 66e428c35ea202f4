/** The journal of what must be taken back, in the workdir: `journal.ndjson`. */
import { join } from 'node:path';
import type { Journal } from '../disposals.ts';
import { LineFile } from './line-file.ts';
import { scrub } from './secrets.ts';

/** Appends, synced: it must survive whatever comes next. @throws Fault OUTPUT_UNWRITABLE, also when it is called */
export function openJournal(workdir: string): Journal {
  const file = new LineFile(join(workdir, 'journal.ndjson'));
  return (entry) => {
    file.append(scrub(JSON.stringify({ at: new Date().toISOString(), ...entry })));
    file.sync();
  };
}
