/** The initramfs archive, read back by the rules of "newc". */
import t from 'tap';
import { type CpioEntry, cpio } from '../../../lab/guest/recipe/cpio.ts';

interface Found {
  readonly path: string;
  readonly mode: number;
  readonly content: string;
}

function parsed(archive: Buffer): Found[] {
  const found: Found[] = [];
  let at = 0;
  const aligned = (offset: number): number => Math.ceil(offset / 4) * 4;
  while (at < archive.length) {
    const magic = archive.toString('latin1', at, at + 6);
    if (magic !== '070701') throw new Error(`no header at ${at}: ${magic}`);
    const field = (index: number): number =>
      Number.parseInt(archive.toString('latin1', at + 6 + index * 8, at + 14 + index * 8), 16);
    const [mode, size, nameSize] = [field(1), field(6), field(11)];
    const path = archive.toString('utf8', at + 110, at + 110 + nameSize - 1);
    const start = aligned(at + 110 + nameSize);
    found.push({ path, mode, content: archive.toString('utf8', start, start + size) });
    at = aligned(start + size);
  }
  return found;
}

const entries: readonly CpioEntry[] = [
  { path: 'bin', mode: 0o40755, content: new Uint8Array(0) },
  { path: 'bin/sh', mode: 0o120777, content: Buffer.from('busybox') },
  { path: 'init', mode: 0o100755, content: Buffer.from('#!/bin/sh\n') },
];

t.strictSame(parsed(cpio(entries)), [
  { path: 'bin', mode: 0o40755, content: '' },
  { path: 'bin/sh', mode: 0o120777, content: 'busybox' },
  { path: 'init', mode: 0o100755, content: '#!/bin/sh\n' },
  { path: 'TRAILER!!!', mode: 0, content: '' },
]);
t.ok(cpio(entries).equals(cpio(entries)), 'the same entries give the same bytes');
t.equal(cpio(entries).length % 4, 0);
