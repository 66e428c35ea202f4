/** Whether two pictures show the same: a blinking cursor is no change. */
import type { ScreenFrame } from '../lab.ts';

/** A character cell of the largest usual console font; a cursor fills at most one. */
const CELL = { width: 16, height: 32 };

export function samePicture(one: ScreenFrame, other: ScreenFrame): boolean {
  if (one === other) return true;
  if (one.width !== other.width || one.height !== other.height) return false;
  if (one.rgb.equals(other.rgb)) return true;
  const stride = one.width * 3;
  let [top, bottom, left, right] = [one.height, -1, one.width, -1];
  for (let row = 0; row < one.height; row++) {
    const [from, to] = [row * stride, (row + 1) * stride];
    if (one.rgb.compare(other.rgb, from, to, from, to) === 0) continue;
    top = Math.min(top, row);
    bottom = row;
    if (bottom - top >= CELL.height) return false;
    for (let at = from; at < to; at++) {
      if (one.rgb[at] === other.rgb[at]) continue;
      const column = Math.floor((at - from) / 3);
      left = Math.min(left, column);
      right = Math.max(right, column);
    }
    if (right - left >= CELL.width) return false;
  }
  return true;
}
