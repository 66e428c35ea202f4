/** What somebody meant who mistyped a name; nothing, where nothing is near. */
import t from 'tap';
import { nearest } from '../../help/nearest.ts';

const NAMES = ['lab', 'label', 'image', 'keep', 'keep-hours', 'xo-token-file', 'json'];

t.test('the nearest name', async (t) => {
  const rows: readonly (readonly [string, string | null])[] = [
    ['imgae', 'image'],
    ['img', 'image'],
    ['images', 'image'],
    ['kep', 'keep'],
    ['keep-hour', 'keep-hours'],
    ['xo-token', 'xo-token-file'],
    ['lba', 'lab'],
    ['frobnicate', null],
    ['all', null],
    ['x', null],
    ['', null],
  ];
  for (const [given, meant] of rows) t.equal(nearest(given, NAMES), meant, given);
  t.equal(nearest('lab', []), null);
});
