/** Checks of several boots of one guest, each reported by itself. */

import { inOrder, type Judged } from '../guest/probing.ts';
import type { JudgedCheck, Scenario } from '../model.ts';

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

/** `ready_marker@boot2`; of boots after the first. */
export const nameAt = (name: string, boot: number): string => `${name}@boot${boot}`;
