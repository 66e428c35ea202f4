/** Pictures: what is kept of them, when two show the same, and what reading one can come to. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import t from 'tap';
import { Gallery } from '../../../harness/console/gallery.ts';
import { png } from '../../../harness/console/png.ts';
import { samePicture } from '../../../harness/console/same-picture.ts';
import { ScreenReader } from '../../../harness/console/screen-reader.ts';
import { Deadline } from '../../../harness/deadline.ts';
import type { ScreenFrame } from '../../../harness/lab.ts';

const dir = mkdtempSync(join(tmpdir(), 'bw-pictures-'));
t.teardown(() => rmSync(dir, { recursive: true, force: true }));

function frame(width: number, height: number, level: (x: number, y: number) => number): ScreenFrame {
  const rgb = Buffer.alloc(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) rgb.set([level(x, y) & 0xff, x & 0xff, y & 0xff], (y * width + x) * 3);
  }
  return { width, height, rgb };
}

t.test('another decoder reads the same pixels', async (t) => {
  const picture = frame(61, 37, (x, y) => x * y);
  const { width, height, data } = PNG.sync.read(png(picture));
  t.same([width, height], [61, 37]);
  const rgb = Buffer.from(data.filter((_, index) => index % 4 !== 3));
  t.ok(rgb.equals(picture.rgb));
});

t.test('a cursor is no change, a letter beside it and another size are', async (t) => {
  const plain = frame(200, 100, () => 0);
  const block = (left: number, top: number, width: number, height: number): ScreenFrame =>
    frame(200, 100, (x, y) => (x >= left && x < left + width && y >= top && y < top + height ? 255 : 0));
  t.ok(
    samePicture(
      plain,
      frame(200, 100, () => 0),
    ),
  );
  t.ok(samePicture(plain, block(9, 16, 9, 16)), 'a cell');
  t.notOk(samePicture(plain, block(9, 16, 27, 16)), 'three cells');
  t.notOk(samePicture(plain, block(9, 16, 9, 48)), 'three rows');
  t.notOk(
    samePicture(
      plain,
      frame(100, 200, () => 0),
    ),
  );
});

t.test('the same picture once, no more than sixty, no more than forty for changes, each in the evidence', async (t) => {
  const workdir = mkdtempSync(join(dir, 'gallery-'));
  mkdirSync(join(workdir, 'console'));
  const told: Readonly<Record<string, unknown>>[] = [];
  const gallery = new Gallery(workdir, {
    record: (_kind, _name, data) => {
      told.push({ ...(data as object) });
      return '';
    },
  });
  for (let index = 0; index < 45; index++)
    gallery.keep(
      frame(4, 4, () => index),
      'change',
      'change',
    );
  t.equal(readdirSync(join(workdir, 'console')).length, 40);
  t.match(told.at(-1), { notKept: '40 are kept already' });
  gallery.keep(
    frame(4, 4, () => 0),
    'end',
    'milestone',
  );
  t.match(told.at(-1), { file: 'console/001-change.png', sameAsBefore: true });
  for (let index = 100; index < 125; index++)
    gallery.keep(
      frame(4, 4, () => index),
      'end',
      'milestone',
    );
  t.equal(readdirSync(join(workdir, 'console')).length, 60);
  rmSync(join(workdir, 'console'), { recursive: true });
  gallery.keep(
    frame(4, 4, () => 200),
    'end',
    'milestone',
  );
  t.match(told.at(-1), { notKept: /ENOENT/ }, 'a disk that fails is said');
});

t.test('what prevents a reading is said, and nothing of it runs on', async (t) => {
  const within = (ms: number): Deadline => Deadline.after(ms, new AbortController().signal);
  const program = (name: string, text: string): string => {
    const path = join(dir, name);
    writeFileSync(path, text);
    return path;
  };
  const pid = join(dir, 'pid');
  const hangs = `import { writeFileSync } from 'node:fs';
    writeFileSync(${JSON.stringify(pid)}, String(process.pid)); setInterval(() => 0, 1000);`;
  const picture = frame(4, 4, () => 0);
  const missing = new ScreenReader(program('missing.mjs', "import 'no-such-library';"));
  t.match(await missing.read(picture, within(20_000)), { why: /ended \(exit 1\): .*no-such-library/ });
  const late = new ScreenReader(program('late.mjs', hangs));
  t.match(await late.read(picture, within(3_000)), { why: /reading a screen: no answer within 3\.0 s/ });
  const odd = new ScreenReader(program('odd.mjs', "process.stdin.once('data', () => console.log('{}'));"));
  t.match(await odd.read(picture, within(20_000)), { why: /gave no text/ });
  odd.close();
  t.throws(() => process.kill(Number(readFileSync(pid, 'utf8')), 0), { code: 'ESRCH' }, 'the late one was killed');
});
