/**
 * What is shown by waiting. That something did not come shows something about the image only where the guest got on
 * meanwhile: a look is a few commands of the base system, which take a moment on a guest that is given any time. Pure.
 */
import type { JudgedCheck } from '../model.ts';

/** A look at the marker took 0.15 to 0.6 s under TCG, on two cores with a load of 4; a real host has more to give. */
const LOOK_MS = 2_000;

/**
 * @param tookMs each look, by our clock
 * @param budgetScale that of the lab: one below 1 makes no guest faster
 * @returns a failed check as unobserved, where the guest was too slow
 */
export function unlessTooSlow(check: JudgedCheck, tookMs: readonly number[], budgetScale: number): JudgedCheck {
  const meanMs = tookMs.reduce((sum, each) => sum + each, 0) / Math.max(1, tookMs.length);
  if (check.outcome !== 'failed' || meanMs < LOOK_MS * Math.max(1, budgetScale)) return check;
  const slow = `each took ${(meanMs / 1000).toFixed(1)} s, so that the guest was too slow to say that it does not come`;
  return { ...check, outcome: 'unobserved', actual: 'unobserved', reason: `${check.reason}: ${slow}` };
}
