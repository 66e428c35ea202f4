/** The guest that a stored run kept. */

import { Fault } from '../faults/faults.ts';
import type { KeptReport } from '../report/command-lines.ts';
import { readStoredRun, type StoredRun } from './stored-run.ts';

/** @throws Fault BAD_STORED_RUN where it kept none */
export const readKeptGuest = async (path: string): Promise<KeptReport> => keptOf(await readStoredRun(path));

/** @throws Fault BAD_STORED_RUN where it kept none */
export function keptOf({ report, path }: Pick<StoredRun, 'report' | 'path'>): KeptReport {
  if (report.kept !== null) return report.kept;
  const given = `${path}, whose run took everything back`;
  throw new Fault('BAD_STORED_RUN', `expected a run with a machine that was kept (--keep, --stop-at), given ${given}`);
}
