/** One value for each of the seed's names, judged over all boots of a guest. Pure. */
import type { Check, Outcome } from '../model.ts';

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
