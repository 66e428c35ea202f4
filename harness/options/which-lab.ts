/** Says which lab a run is on: to people when it begins, in the report when it has ended. */

import type { Lab } from '../lab.ts';
import type { Report } from '../report/report.ts';
import type { Request } from './config.ts';

/** One line before anything is opened. */
export function labLine({ lab, xoUrl }: Pick<Request, 'lab' | 'xoUrl'>): string {
  if (lab.kind === 'embedded')
    return `lab: embedded, QEMU on this machine${lab.named ? '' : ' (no lab is configured)'}`;
  return `lab: ${lab.kind === 'file' ? lab.path : (xoUrl ?? '')}`;
}

/** @param settings null: the run did not come so far */
export function labOfReport(
  { lab }: Pick<Request, 'lab'>,
  settings: Pick<Report['lab'], 'name' | 'kind'> | null,
  opened: Pick<Lab, 'xoVersion' | 'reconnects'> | null,
): Report['lab'] {
  const embedded = lab.kind === 'embedded';
  return {
    name: settings?.name ?? (embedded ? 'embedded' : 'unknown'),
    kind: settings?.kind ?? (embedded ? 'embedded' : 'xo'),
    xoVersion: opened?.xoVersion ?? null,
    reconnects: opened?.reconnects ?? 0,
  };
}
