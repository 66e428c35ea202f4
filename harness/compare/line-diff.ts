/** Which lines of two texts are only in one of them. Pure. */

export interface LineDiff {
  /** Lines that both have, in the same order. */
  readonly alike: number;
  /** How many lines both begin with alike. */
  readonly head: number;
  /** In the order of the texts: `a` only in the first one, `b` only in the second. */
  readonly lines: readonly { readonly side: 'a' | 'b'; readonly text: string }[];
  /** True where a text was too long to be compared to its end. */
  readonly cut: boolean;
}

/** Beyond what both begin and end with; a boot prints a few hundred lines. */
const LINES_MAX = 1_500;

/** @param same how a line is compared: what differs in every run is to be taken out of it */
export function diffLines(a: readonly string[], b: readonly string[], same: (line: string) => string): LineDiff {
  const [keysA, keysB] = [a.map(same), b.map(same)];
  const shorter = Math.min(a.length, b.length);
  let head = 0;
  while (head < shorter && keysA[head] === keysB[head]) head++;
  let tail = 0;
  while (tail < shorter - head && keysA.at(-1 - tail) === keysB.at(-1 - tail)) tail++;
  const middleA = keysA.slice(head, keysA.length - tail);
  const middleB = keysB.slice(head, keysB.length - tail);
  const [left, right] = [middleA.slice(0, LINES_MAX), middleB.slice(0, LINES_MAX)];
  const kept = pairs(left, right);
  const lines: { side: 'a' | 'b'; text: string }[] = [];
  let [atA, atB] = [0, 0];
  for (const [nextA, nextB] of [...kept, [left.length, right.length] as const]) {
    for (; atA < nextA; atA++) lines.push({ side: 'a', text: a[head + atA] ?? '' });
    for (; atB < nextB; atB++) lines.push({ side: 'b', text: b[head + atB] ?? '' });
    [atA, atB] = [nextA + 1, nextB + 1];
  }
  const cut = left.length < middleA.length || right.length < middleB.length;
  return { alike: head + tail + kept.length, head, lines, cut };
}

/** Longest common subsequence, as pairs of indices. */
function pairs(a: readonly string[], b: readonly string[]): readonly (readonly [number, number])[] {
  const width = b.length + 1;
  const length = new Uint16Array((a.length + 1) * width);
  const at = (i: number, j: number): number => length[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      length[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const found: (readonly [number, number])[] = [];
  for (let [i, j] = [0, 0]; i < a.length && j < b.length; ) {
    if (a[i] === b[j]) found.push([i++, j++]);
    else if (at(i + 1, j) >= at(i, j + 1)) i++;
    else j++;
  }
  return found;
}
