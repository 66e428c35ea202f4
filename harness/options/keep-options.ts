/** What the caller says of keeping the machine: whether, for how long, and at which point. */

import type { KeepWish } from '../keep/keep.ts';
import { bad, type Given } from './given.ts';
import { KEEP_HOURS } from './lab-file.ts';
import { STOP_STAGES, type StopStage } from './stop-at.ts';
import type { Override } from './toml-reader.ts';

export interface Keeping {
  /** Leave the guest for a person; `unless-passed` is said by who repeats runs, never by an option. */
  readonly keep: KeepWish['when'] | null;
  /** Null: as the lab file says. */
  readonly keepHours: number | null;
  /** Implies `keep`. */
  readonly stopAt: StopStage | null;
}

/** @throws Fault BAD_OPTION, BAD_ENVIRONMENT */
export function keepingOf(given: Given): Keeping {
  const stopAt = stage(given.value('stop-at'));
  const keep = stopAt !== null || given.value('keep')?.text === 'true' ? 'always' : null;
  const hours = given.value('keep-hours');
  // As a variable it may stand there for whoever keeps something.
  if (keep === null && hours?.from === '--keep-hours') throw bad(hours.from, '--keep or --stop-at with it', 'neither');
  return { keep, keepHours: keepHours(hours), stopAt };
}

function stage(value: Override | null): StopStage | null {
  if (value === null) return null;
  const found = STOP_STAGES.find((each) => each === value.text);
  if (found === undefined) throw bad(value.from, `one of ${STOP_STAGES.join(', ')}`, `"${value.text}"`);
  return found;
}

function keepHours(value: Override | null): number | null {
  if (value === null) return null;
  const hours = value.text.trim() === '' ? Number.NaN : Number(value.text);
  if (hours >= KEEP_HOURS.min && hours <= KEEP_HOURS.max) return hours;
  throw bad(value.from, `hours from ${KEEP_HOURS.min} to ${KEEP_HOURS.max}`, `"${value.text}"`);
}
