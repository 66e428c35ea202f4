/** The lab's folder: fresh, private, removed at the end; those of labs that were killed are removed by the next one. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { FolderMisuse, makeFolder } from './make-folder.ts';

const PREFIX = 'bootwitness-lab-';
const PID_FILE = 'pid';

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

function pidIn(dir: string): number {
  try {
    return Number(readFileSync(join(dir, PID_FILE), 'utf8'));
  } catch {
    return Number.NaN;
  }
}

/** Folders in the temp folder that name a process which is gone. */
function removeStale(log: (line: string) => void): void {
  for (const name of readdirSync(tmpdir()).filter((one) => one.startsWith(PREFIX))) {
    const dir = join(tmpdir(), name);
    const pid = pidIn(dir);
    if (!Number.isInteger(pid) || pid <= 0 || isAlive(pid)) continue;
    log(`removing ${dir}: its lab, process ${pid}, is gone`);
    rmSync(dir, { recursive: true, force: true });
  }
}

function takeGiven(given: string): string {
  const dir = resolve(given);
  makeFolder('--state-dir', dir);
  // It is removed as a whole at the end, so nothing of anybody else's may be in it.
  const found = readdirSync(dir)[0];
  if (found !== undefined) throw new FolderMisuse(`--state-dir ${dir}: expected an empty folder, "${found}" is in it`);
  return dir;
}

/**
 * At once, so that no folder is made which the end of the lab does not know.
 * @param given `--state-dir`; default: a fresh one in the temp folder. @throws FolderMisuse
 */
export function takeStateDir(given: string | undefined, log: (line: string) => void): string {
  removeStale(log);
  const dir = given === undefined ? mkdtempSync(join(tmpdir(), PREFIX)) : takeGiven(given);
  writeFileSync(join(dir, PID_FILE), String(process.pid));
  return dir;
}
