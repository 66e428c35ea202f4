/**
 * The letters of a VGA text console, 8 by 16 pixels: read out of the video BIOS that QEMU brings, which holds them as
 * every VGA has them. So a simulated screen shows what a real one would.
 */
import { existsSync, readFileSync } from 'node:fs';

const PLACES = ['/usr/share/seabios', '/usr/share/qemu', '/usr/local/share/qemu'].map(
  (folder) => `${folder}/vgabios-stdvga.bin`,
);
export const LETTER = { width: 8, height: 16 } as const;
const LETTERS = 256;
/** The rows of `A`; nothing else in that file looks like it. */
const OF_A = Buffer.from([0, 0, 0x10, 0x38, 0x6c, 0xc6, 0xc6, 0xfe, 0xc6, 0xc6, 0xc6, 0xc6, 0, 0, 0, 0]);

let font: Buffer | null = null;

/** Sixteen bytes a letter, a bit a pixel, by code. @throws Error where this machine has no video BIOS of QEMU's */
export function vgaFont(): Buffer {
  font ??= readFont();
  return font;
}

function readFont(): Buffer {
  for (const path of PLACES.filter((each) => existsSync(each))) {
    const bios = readFileSync(path);
    const start = bios.indexOf(OF_A) - 'A'.charCodeAt(0) * LETTER.height;
    const end = start + LETTERS * LETTER.height;
    if (start >= 0 && end <= bios.length) return bios.subarray(start, end);
  }
  throw new Error(`simulated screen: expected QEMU's video BIOS with its letters at one of ${PLACES.join(', ')}`);
}
