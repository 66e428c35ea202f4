/** Makes folders without ever hanging, and says in one sentence why one cannot be had. */
import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { Fault } from '../faults/faults.ts';

/**
 * Makes it and what it lies in, one by one: Node's own recursive mkdir never comes back from a folder like /proc, which
 * says ENOENT to a new one. @throws Error of the operating system
 */
export function makeFolder(dir: string): void {
  if (!existsSync(dir)) {
    makeFolder(dirname(dir));
    try {
      mkdirSync(dir);
    } catch (error) {
      if (!existsSync(dir)) throw error; // another run may have made it meanwhile
    }
  }
  if (!statSync(dir).isDirectory()) throw Object.assign(new Error(`${dir} is no folder`), { code: 'ENOTDIR' });
}

/** @param from the variable that names it. @throws Fault BAD_ENVIRONMENT */
export function makeCacheDir(from: string, dir: string): string {
  try {
    makeFolder(dir);
    accessSync(dir, constants.W_OK);
    return dir;
  } catch (cause) {
    const message = `${from}: expected a folder that can be made and written to, given ${dir}${codeIn(cause)}`;
    throw new Fault('BAD_ENVIRONMENT', message, { cause });
  }
}

/** ` (ENOENT)`, or nothing. */
export const codeIn = (error: unknown): string =>
  error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
