/**
 * Counts how often a picture comes again after others: a guest that boots again and again shows its firmware each time.
 * A boot that goes on shows each picture once; whether one that returns is of a start is for its text to say.
 */
import { createHash } from 'node:crypto';
import type { ScreenFrame } from '../lab.ts';

/** Two pictures that differ in fewer neighbouring rows than this are the same: a cursor, a counter in one line. */
const ROWS_ALIKE = 32;
/** Of one boot; a guest that shows more different ones is not in a loop. */
const PICTURES_MAX = 200;

/** A picture that was seen, by the digests of its rows. */
export interface Returning {
  readonly rows: readonly string[];
  /** How often it came. */
  times: number;
  /** For whoever reads it: once is enough. */
  judged: boolean;
}

export class ReturningPictures {
  readonly #pictures: Returning[] = [];
  #last: Returning | null = null;

  /** To be told of each picture that is not as the one before. @returns null: it is empty */
  came(frame: ScreenFrame): Returning | null {
    const rows = digests(frame);
    const background = rows.at(-1) ?? '';
    if (
      alike(
        rows,
        Array.from(rows, () => background),
      )
    ) {
      this.#last = null;
      return null;
    }
    const known = this.#pictures.find((each) => alike(each.rows, rows));
    if (known === undefined) {
      const picture = { rows, times: 1, judged: false };
      if (this.#pictures.length < PICTURES_MAX) this.#pictures.push(picture);
      this.#last = picture;
      return picture;
    }
    if (known !== this.#last) known.times++;
    this.#last = known;
    return known;
  }
}

function digests({ width, height, rgb }: ScreenFrame): readonly string[] {
  const stride = width * 3;
  return Array.from({ length: height }, (_, row) =>
    createHash('sha1')
      .update(rgb.subarray(row * stride, (row + 1) * stride))
      .digest('base64'),
  );
}

function alike(one: readonly string[], other: readonly string[]): boolean {
  if (one.length !== other.length) return false;
  const first = one.findIndex((row, at) => row !== other[at]);
  if (first < 0) return true;
  const last = one.findLastIndex((row, at) => row !== other[at]);
  return last - first < ROWS_ALIKE;
}
