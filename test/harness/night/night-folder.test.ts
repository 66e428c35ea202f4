/** Where nights are kept, and for how long. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { makeNightFolder, nightId, removeOldNights, writeNightMark } from '../../../harness/night/night-folder.ts';
import { placeOf } from '../../../harness/process/process-place.ts';

const dir = mkdtempSync(join(tmpdir(), 'bw-night-folder-'));
t.teardown(() => rmSync(dir, { recursive: true, force: true }));

t.test('nights that are old go, and nothing else does', async (t) => {
  const root = join(dir, 'nights');
  const day = 24 * 3_600_000;
  const nowMs = Date.parse('2026-11-26T00:00:00Z');
  const at = (daysAgo: number) => new Date(nowMs - daysAgo * day).toISOString();
  t.same(removeOldNights(root, 14, nowMs), [], 'none yet');
  const [old, young] = [makeNightFolder(root, 'n', 0), makeNightFolder(root, 'n', 0)];
  t.same([old, young], [join(root, 'n-0'), join(root, 'n-1')], 'taken: a second later');
  writeNightMark(old, at(15), {});
  writeNightMark(young, at(13), {});
  mkdirSync(join(root, 'somebodys'));
  mkdirSync(join(root, 'damaged'));
  writeFileSync(join(root, 'damaged', 'night.json'), '{"schema": 1, "startedAt": "long ago"}');
  writeFileSync(join(root, 'a-file'), '');
  t.same(removeOldNights(root, 14, nowMs), [`removed ${old}, older than 14 days`]);
  t.same(readdirSync(root).sort(), ['a-file', 'damaged', 'n-1', 'somebodys']);
  t.throws(() => makeNightFolder(join(root, 'a-file', 'x'), 'n', 0), { code: 'BAD_WORKDIR' });
});

t.test('a night that goes on stays, however old', async (t) => {
  const root = join(dir, 'going-on');
  const at = '2026-11-26T00:00:00Z';
  const later = Date.parse(at) + 1;
  const [running, ended, killed] = [0, 1, 2].map((nth) => makeNightFolder(root, 'n', nth * 1000));
  writeNightMark(String(running), at, { process: placeOf() });
  writeNightMark(String(ended), at, { process: placeOf(), ended: true });
  writeNightMark(String(killed), at, { process: { ...placeOf(), startTicks: '1' } });
  removeOldNights(root, 0, later);
  t.same(readdirSync(root), ['n-0']);
});

t.test('two nights that begin in the same second are two', async (t) => {
  const ids = Array.from({ length: 3 }, () => nightId('n', '2026-11-26T18:04:06.123Z'));
  for (const id of ids) t.match(id, /^n-2026-11-26T18:04:06Z-[0-9a-f]{4}$/);
  t.ok(new Set(ids).size > 1);
});
