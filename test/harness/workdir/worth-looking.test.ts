import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { worthLooking } from '../../../harness/workdir/worth-looking.ts';

t.test('a person is sent to what is there and says something', async (t) => {
  const workdir = t.testdir({ 'evidence.ndjson': '', 'log.ndjson': '{}\n' });
  const at = (...names: string[]): readonly string[] => names.map((name) => join(workdir, name));
  t.same(worthLooking(workdir), at('log.ndjson'));
  mkdirSync(join(workdir, 'console'));
  writeFileSync(join(workdir, 'evidence.ndjson'), '{}\n');
  t.same(worthLooking(workdir), at('evidence.ndjson', 'log.ndjson'), 'no guest was started');
  writeFileSync(join(workdir, 'console', 'serial.txt'), 'x');
  t.same(worthLooking(workdir), at('evidence.ndjson', 'console/'));
  t.same(worthLooking(join(workdir, 'gone')), []);
});
