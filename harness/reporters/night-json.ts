/** A night as JSON, for programs. */

import { type Summary, standing } from '../report/summary.ts';
import { scrub } from '../workdir/secrets.ts';

/** Readers take older ones and refuse newer. */
const NIGHT_SCHEMA = 1;

/** Each case with how it counts: `pass`, `known`, `fail`, `error`, `leak` or `skip`. */
export function nightJson({ cases, ...rest }: Summary): string {
  const shown = cases.map((each) => ({ standing: standing(each), ...each }));
  return scrub(`${JSON.stringify({ schema: NIGHT_SCHEMA, ...rest, cases: shown }, null, 2)}\n`);
}
