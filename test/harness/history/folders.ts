/** For tests: a workdir and a folder of reports of their own. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

export const PNG = Buffer.from('89504e470d0a1a0a0000', 'hex');

export interface Folders {
  readonly reports: string;
  readonly runs: string;
  readonly workdir: string;
}

export function folders(t: Test): Folders {
  const root = mkdtempSync(join(tmpdir(), 'bw-history-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  const workdir = join(root, 'workdir');
  mkdirSync(join(workdir, 'console'), { recursive: true });
  return { reports: join(root, 'reports'), runs: join(root, 'reports/runs'), workdir };
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into it freely.
export const read = (path: string): any => JSON.parse(readFileSync(path, 'utf8'));
