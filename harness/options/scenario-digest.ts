/** One number for all that a scenario asserts, so that two runs can be told to have asked the same. */
import { createHash } from 'node:crypto';
import type { Scenario } from '../model.ts';

/** Changes when anything that is asserted changes; functions are told by their source. */
export function scenarioDigest(scenario: Scenario): string {
  const text = JSON.stringify(scenario, (_, value: unknown) => (typeof value === 'function' ? String(value) : value));
  return createHash('sha256').update(text).digest('hex');
}
