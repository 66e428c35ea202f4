/** Pictures that come back: what counts as a return, and what does not. */
import t from 'tap';
import { ReturningPictures } from '../../../harness/console/returning-pictures.ts';
import type { ScreenFrame } from '../../../harness/lab.ts';

/** @param rows that are bright, of 400 */
function picture(...rows: readonly number[]): ScreenFrame {
  const [width, height] = [720, 400];
  const rgb = Buffer.alloc(width * height * 3);
  for (const row of rows) rgb.fill(0xaa, row * width * 3, row * width * 3 + 300);
  return { width, height, rgb };
}
const EMPTY = picture();
const A = picture(10, 200);
const B = picture(10, 300, 350);

t.test('one that comes after others is counted', async (t) => {
  const seen = new ReturningPictures();
  t.same(
    [A, B, A, B, A].map((each) => seen.came(each)?.times),
    [1, 1, 2, 2, 3],
  );
});

t.test('an empty one is none, and stands between', async (t) => {
  const seen = new ReturningPictures();
  t.same(
    [EMPTY, A, EMPTY, A].map((each) => seen.came(each)?.times),
    [undefined, 1, undefined, 2],
  );
  t.equal(seen.came(picture(5, 12)), null, 'a cursor alone is nothing');
});

t.test('a counter in one line, or a cursor, is no return', async (t) => {
  const seen = new ReturningPictures();
  const ticks = [picture(10, 200), picture(10, 201), picture(10, 200), picture(10, 202)];
  t.same(
    ticks.map((each) => seen.came(each)?.times),
    [1, 1, 1, 1],
  );
});

t.test('a boot that goes on shows no picture again', async (t) => {
  const seen = new ReturningPictures();
  const lines = Array.from({ length: 300 }, (_, at) => at);
  const grown = [40, 80, 120, 160, 200].map((count) => picture(...lines.slice(0, count)));
  t.ok(grown.every((each) => seen.came(each)?.times === 1));
});
