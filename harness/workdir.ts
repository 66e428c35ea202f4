/**
 * The folder of one case: made by exclusive mkdir, so that two runs never share one, and holding
 * the journal of what must be taken back.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Journal } from './disposals.ts';
import { Fault } from './faults.ts';
import { scrub } from './secrets.ts';

const TRIES_MAX = 60;

/**
 * Makes `<root>/<label>-<epoch seconds>`; taken: one second later.
 * @throws Fault BAD_WORKDIR where the root is missing or cannot be written to.
 */
export function makeWorkdir(root: string, label: string, epochSeconds: number): string {
  for (let later = 0; later < TRIES_MAX; later++) {
    const path = join(root, `${label}-${epochSeconds + later}`);
    try {
      mkdirSync(path, { mode: 0o755 });
      mkdirSync(join(path, 'console'));
      return path;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'EEXIST') continue;
      throw new Fault('BAD_WORKDIR', `workdir root: expected a folder that can be written to, given ${root}`, {
        cause,
      });
    }
  }
  throw new Fault(
    'BAD_WORKDIR',
    `workdir root: ${TRIES_MAX} names from ${label}-${epochSeconds} on are taken in ${root}`,
  );
}

/** Appends to `journal.ndjson`, synced: it must survive whatever comes next. */
export function openJournal(workdir: string): Journal {
  const fd = openSync(join(workdir, 'journal.ndjson'), 'ax', 0o644);
  return (entry) => {
    writeFileSync(fd, `${scrub(JSON.stringify({ at: new Date().toISOString(), ...entry }))}\n`);
    fsyncSync(fd);
  };
}

/**
 * Writes aside and renames: the file is either whole or absent. Secrets are scrubbed. `writeFileSync`
 * and not `writeSync`: the latter writes what still fits on a full disk and says nothing.
 */
export function writeWhole(path: string, text: string): void {
  const aside = `${path}.${process.pid}.part`;
  const fd = openSync(aside, 'w', 0o644);
  try {
    writeFileSync(fd, scrub(text));
    fsyncSync(fd);
  } catch (error) {
    rmSync(aside, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
  renameSync(aside, path);
}
