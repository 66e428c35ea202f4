/**
 * Finds phrases in text that OCR read off a screen, where 0 and O, 1, l and I look alike, spaces come and go, and one
 * letter in eight may be wrong. Never used on serial text, which is exact.
 */

/** Of a phrase without its spaces: one wrong, missing or added letter for so many. */
const LETTERS_PER_ERROR = 8;
/** At the head or the end of a line: as far from it as a stray mark of the OCR. */
const STRAY_LETTERS_MAX = 2;

const LOOK_ALIKE: Readonly<Record<string, string>> = {
  ...{ '0': 'o', '@': 'o', q: 'o', '1': 'l', i: 'l', '|': 'l', '!': 'l', ']': 'l', '[': 'l', t: 'l', f: 'l' },
  ...{ '5': 's', z: 's', '2': 's', '=': 's', $: 's', '8': 'b', '3': 'b', '6': 'b', '&': 'b', v: 'u', c: 'e', g: '9' },
};

/** A line as it was read, and as it is compared. */
export interface ScreenLine {
  readonly text: string;
  readonly folded: string;
}

/** Lines that show anything. */
export function screenLines(text: string): readonly ScreenLine[] {
  const lines = text.split('\n').map((line) => ({ text: line.trim(), folded: fold(line) }));
  return lines.filter(({ folded }) => folded !== '');
}

/** @returns the line of the first phrase of the first list that is there as a whole; null: none is */
export function screenShows(lines: readonly ScreenLine[], lists: readonly (readonly string[])[]): string | null {
  for (const phrases of lists) {
    let from = 0;
    let first: string | null = null;
    const whole = phrases.every((phrase) => {
      const at = lines.findIndex(({ folded }, index) => index >= from && stands(phrase, folded));
      first ??= lines[at]?.text ?? null;
      from = at;
      return at >= 0;
    });
    if (whole && first !== null) return first;
  }
  return null;
}

function fold(text: string): string {
  let folded = '';
  for (const letter of text.toLowerCase()) {
    const alike = LOOK_ALIKE[letter] ?? letter;
    if (/[a-z0-9]/.test(alike)) folded += alike;
  }
  return folded;
}

function stands(phrase: string, line: string): boolean {
  const atHead = phrase.startsWith('^');
  const wanted = fold(phrase.replace(/\$$/, ''));
  const errors = Math.floor(wanted.length / LETTERS_PER_ERROR);
  const lettersMax = wanted.length + errors + STRAY_LETTERS_MAX;
  if (phrase.endsWith('$') && line.length > lettersMax) return false;
  const place = atHead ? line.slice(0, lettersMax) : line;
  return leastErrors(wanted, place) <= errors;
}

/** Sellers' algorithm: the least edit distance of `wanted` to any part of `text`. */
function leastErrors(wanted: string, text: string): number {
  let column = Array.from({ length: wanted.length + 1 }, (_, row) => row);
  let least = wanted.length;
  for (const letter of text) {
    const next = [0];
    for (let row = 1; row <= wanted.length; row++) {
      const replaced = (column[row - 1] ?? 0) + (wanted[row - 1] === letter ? 0 : 1);
      next.push(Math.min(replaced, (column[row] ?? 0) + 1, (next[row - 1] ?? 0) + 1));
    }
    column = next;
    least = Math.min(least, column[wanted.length] ?? least);
  }
  return least;
}
