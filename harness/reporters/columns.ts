/** How wide a text stands on a terminal, whatever its script. The only importer of the libraries for that. */
import sliceAnsi from 'slice-ansi';
import stringWidth from 'string-width';

export const widthOf = (text: string): number => stringWidth(text);

/** At most so many columns wide; a cut is shown. */
export function cut(text: string, columns: number): string {
  if (stringWidth(text) <= columns) return text;
  return columns < 1 ? '' : `${sliceAnsi(text, 0, columns - 1)}…`;
}
