/** What somebody meant who mistyped a name. */

/** Letters that were added, left out, taken for another, or swapped with their neighbour. */
function distance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    const [above = [], twoAbove = []] = [rows[i - 1], rows[i - 2]];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const choices = [(above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (above[j - 1] ?? 0) + (same ? 0 : 1)];
      row.push(Math.min(...choices, swapped ? (twoAbove[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY));
    }
    rows.push(row);
  }
  return rows[a.length]?.[b.length] ?? 0;
}

/** So many letters for one that is wrong. */
const LETTERS_FOR_ONE = 3;
const BEGINNING_MIN = 3;

/** The name that is nearest to what was given, or begins with it; null: none is near. */
export function nearest(given: string, names: readonly string[]): string | null {
  const near = (name: string, far: number): boolean =>
    far <= Math.ceil(Math.max(given.length, name.length) / LETTERS_FOR_ONE) ||
    (given.length >= BEGINNING_MIN && name.startsWith(given));
  const ranked = names
    .map((name) => ({ name, far: distance(given, name) }))
    .filter(({ name, far }) => near(name, far))
    .sort((a, b) => a.far - b.far);
  return ranked[0]?.name ?? null;
}
