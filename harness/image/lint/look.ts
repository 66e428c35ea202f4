/** How the parts of the lint say what they found. */
import type { LintFinding } from '../../finding.ts';

/** A finding without its name and without what was looked at. */
export type Look = Pick<LintFinding, 'status' | 'seen' | 'why' | 'remedy'>;

export const fine = (seen: string): Look => ({ status: 'ok', seen, why: '', remedy: '' });

const not =
  (status: 'warning' | 'broken' | 'unknown') =>
  (seen: string, why: string, remedy: string): Look => ({ status, seen, why, remedy });

/** It can boot, but not everywhere or not for long. */
export const doubtful = not('warning');
/** It cannot boot, or not as it is meant to. */
export const broken = not('broken');
/** It cannot be told from here. */
export const untold = not('unknown');

const ORDER = ['ok', 'unknown', 'warning', 'broken'] as const;

/** How bad, for comparing: ok < unknown < warning < broken. */
export const severity = ({ status }: Pick<LintFinding, 'status'>): number => ORDER.indexOf(status);

/** `4.0 KiB`, `1.5 GiB`; for people only. */
export function shownBytes(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? `${bytes} bytes` : `${value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
}
