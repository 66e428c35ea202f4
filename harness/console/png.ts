/** A picture as PNG (ISO/IEC 15948): 8-bit RGB, rows filtered by `Up`, which a text screen packs well with. */
import { crc32, deflateSync } from 'node:zlib';
import type { ScreenFrame } from '../lab.ts';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const RGB = 2;
const UP = 2;

export function png({ width, height, rgb }: ScreenFrame): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, RGB, 0, 0, 0], 8);
  const stride = width * 3;
  const rows = Buffer.alloc((stride + 1) * height);
  for (let row = 0; row < height; row++) {
    const at = row * (stride + 1);
    rows[at] = UP;
    for (let index = 0; index < stride; index++) {
      const above = row === 0 ? 0 : (rgb[(row - 1) * stride + index] ?? 0);
      rows[at + 1 + index] = ((rgb[row * stride + index] ?? 0) - above) & 0xff;
    }
  }
  return Buffer.concat([SIGNATURE, chunk('IHDR', head), chunk('IDAT', deflateSync(rows)), chunk('IEND')]);
}

function chunk(name: string, data: Buffer = Buffer.alloc(0)): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}
