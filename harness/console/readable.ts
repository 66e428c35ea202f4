/** Makes a picture of a console easy to read for OCR: black on white, enlarged, with a margin. */
import type { ScreenFrame } from '../lab.ts';

/** Tesseract wants letters of about 30 pixels; those of a console have 16. */
const TIMES = 2;
const MARGIN = 30;
/** A larger picture (a graphical desktop) is not enlarged: it would cost minutes. */
const PIXELS_ENLARGED_MAX = 1024 * 768;

export function readable({ width, height, rgb }: ScreenFrame): ScreenFrame {
  const times = width * height <= PIXELS_ENLARGED_MAX ? TIMES : 1;
  const bright = new Uint8Array(width * height);
  let sum = 0;
  for (let index = 0; index < bright.length; index++) {
    // The strongest colour counts: blue or red letters on black are as good as grey ones.
    const level = Math.max(rgb[index * 3] ?? 0, rgb[index * 3 + 1] ?? 0, rgb[index * 3 + 2] ?? 0);
    bright[index] = level;
    sum += level;
  }
  const dark = sum / bright.length < 128;
  const [wide, high] = [width * times + 2 * MARGIN, height * times + 2 * MARGIN];
  const out = Buffer.alloc(wide * high * 3, 255);
  for (let row = 0; row < height * times; row++) {
    const from = Math.floor(row / times) * width;
    let at = ((row + MARGIN) * wide + MARGIN) * 3;
    for (let column = 0; column < width * times; column++, at += 3) {
      const level = bright[from + Math.floor(column / times)] ?? 0;
      out.fill(dark ? 255 - level : level, at, at + 3);
    }
  }
  return { width: wide, height: high, rgb: out };
}
