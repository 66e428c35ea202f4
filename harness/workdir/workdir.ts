/**
 * The folder of one case: made by exclusive mkdir, so that two runs never share one. What cannot be written into it is
 * the fault of the machine that runs us: a full disk says nothing about image or lab.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../faults/faults.ts';
import { codeIn } from './make-folder.ts';
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
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'EEXIST') continue;
      throw noRoom(root, cause);
    }
    fillOrRemove(root, path, () => mkdirSync(join(path, 'console')));
    return path;
  }
  throw new Fault(
    'BAD_WORKDIR',
    `workdir root: ${TRIES_MAX} names from ${label}-${epochSeconds} on are taken in ${root}`,
  );
}

function noRoom(root: string, cause: unknown): Fault {
  const message = `workdir root: expected a folder that can be written to, given ${root}${codeIn(cause)}`;
  return new Fault('BAD_WORKDIR', message, { cause });
}

/** Of a call that is refused nothing stays; that it cannot be removed must not hide why it was refused. */
export function removeWorkdir(workdir: string): void {
  try {
    rmSync(workdir, { recursive: true, force: true });
  } catch {
    return; // a machine without room or descriptors: an empty workdir stays
  }
}

/**
 * Puts the first things into a workdir: nothing was made in any lab yet, so that a root without room is misuse.
 * @throws Fault BAD_WORKDIR, MACHINE_EXHAUSTED; then the workdir is gone again
 */
export function fillOrRemove<T>(root: string, workdir: string, fill: () => T): T {
  try {
    return fill();
  } catch (error) {
    removeWorkdir(workdir);
    throw noRoom(root, error instanceof Fault ? error.cause : error);
  }
}

/**
 * Does something with a file of the workdir.
 * @throws Fault OUTPUT_UNWRITABLE, MACHINE_EXHAUSTED where the operating system refuses it
 */
export function inWorkdir<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    const message = `${path} cannot be written${codeIn(error)}`;
    throw new Fault('OUTPUT_UNWRITABLE', message, { cause: error });
  }
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

/** `writeWhole` for a file of the workdir. @throws Fault as `inWorkdir` */
export function keepWhole(path: string, text: string): void {
  inWorkdir(path, () => writeWhole(path, text));
}
