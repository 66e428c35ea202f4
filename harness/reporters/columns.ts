/** How wide a text stands on a terminal, whatever its script. The only importer of the libraries for that. */
import sliceAnsi from 'slice-ansi';
import stringWidth from 'string-width';

export const widthOf = (text: string): number => stringWidth(text);

/** At most so many columns wide; a cut is shown. */
export function cut(text: string, columns: number): string {
  if (stringWidth(text) <= columns) return text;
  if (columns < 1) return '';
  const kept = sliceAnsi(text, 0, columns - 1);
  // A character of two columns at the edge stands there whole.
  return `${stringWidth(kept) < columns ? kept : sliceAnsi(text, 0, columns - 2)}…`;
}
