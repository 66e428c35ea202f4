/** Checks of several boots of one guest: each reported by itself, and judged over all of them under the seed's name. */
import type { Check, JudgedCheck, Outcome, Scenario } from './model.ts';
import { inOrder, type Judged } from './probing.ts';

/** The checks of all boots; from the second boot on the name says which (`ready_marker@boot2`). */
export function checksOfBoots(scenario: Pick<Scenario, 'probes'>, boots: readonly Judged[]): readonly JudgedCheck[] {
  return boots.flatMap((judged, index) =>
    inOrder(scenario, judged).map((check) => (index === 0 ? check : { ...check, name: nameAt(check.name, index + 1) })),
  );
}

/** Every probe was judged, and all of it held. */
export function allHeld(scenario: Pick<Scenario, 'probes'>, judged: Judged): boolean {
  return (
    scenario.probes.every((probe) => judged.has(probe)) &&
    inOrder(scenario, judged).every(({ outcome }) => outcome === 'held')
  );
}

const nameAt = (name: string, boot: number): string => `${name}@boot${boot}`;
const baseName = (name: string): string => name.replace(/@boot\d+$/, '');

const RANK: Readonly<Record<Outcome, number>> = { held: 0, unobserved: 1, failed: 2 };

/** One check for each name, over all boots: the worst one, the first of equals. In the order of the first boot. */
export function overAllBoots<C extends Check>(checks: readonly C[]): readonly C[] {
  const worst = new Map<string, C>();
  for (const check of checks) {
    const name = baseName(check.name);
    const known = worst.get(name);
    if (known === undefined || RANK[check.outcome] > RANK[known.outcome]) worst.set(name, { ...check, name });
  }
  return [...worst.values()];
}
