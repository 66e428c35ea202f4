/**
 * For tests: how much slower this process gets on at the moment than on the machine where budgets of simulated guests
 * were chosen. Those are short so that silence is short, too; what works within them takes longer on a loaded machine.
 */
import { performance } from 'node:perf_hooks';

const ROUNDS = 6_000_000;
/** What that takes on a machine of 2026 with a core to itself (7.4 ms), generously. */
const USUAL_MS = 12;
/** So long is believed what was measured. */
const FRESH_MS = 5_000;
const SAMPLES = 5;
/** Beyond it a row would take minutes. */
const SLOWNESS_MAX = 3;

let measured = { value: 1, atMs: Number.NEGATIVE_INFINITY };

function sampleMs(): number {
  const startedMs = performance.now();
  let state = 1;
  for (let nth = 0; nth < ROUNDS; nth++) state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
  const tookMs = performance.now() - startedMs;
  return state === 0 ? tookMs + 1 : tookMs; // used, so that it is computed
}

/** 1 or more. */
export function slowness(): number {
  if (performance.now() - measured.atMs < FRESH_MS) return measured.value;
  const all = Array.from({ length: SAMPLES }, sampleMs);
  const meanMs = all.reduce((sum, each) => sum + each, 0) / SAMPLES;
  measured = { value: Math.min(SLOWNESS_MAX, Math.max(1, meanMs / USUAL_MS)), atMs: performance.now() };
  return measured.value;
}
