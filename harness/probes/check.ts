/** Makes Checks: the three outcomes, each with what it must carry. */
import type { Check } from '../model.ts';

export const check = {
  held: (name: string, expected: string, actual: string): Check => ({
    name,
    expected,
    actual,
    outcome: 'held',
    reason: '',
  }),
  failed: (name: string, expected: string, actual: string, reason: string): Check => ({
    name,
    expected,
    actual,
    outcome: 'failed',
    reason,
  }),
  /** `actual` says that nothing was seen; nobody should mistake it for a value. */
  unobserved: (name: string, expected: string, reason: string): Check => ({
    name,
    expected,
    actual: 'unobserved',
    outcome: 'unobserved',
    reason,
  }),
} as const;
