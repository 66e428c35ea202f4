/** The recipe's digest changes with what goes into a guest, and with nothing else. */
import { chmod, mkdir, mkdtemp, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { recipeDigest } from '../../../lab/guest/recipe/digest.ts';

const root = await mkdtemp(join(tmpdir(), 'bootwitness-digest-'));
t.teardown(() => rm(root, { recursive: true }));
await mkdir(join(root, 'recipe/inner'), { recursive: true });
await mkdir(join(root, 'other'));
const [first, second] = [join(root, 'recipe/a'), join(root, 'recipe/inner/b')];
await writeFile(first, 'one', { mode: 0o644 });
await writeFile(second, 'two', { mode: 0o644 });
const digest = (): Promise<string> => recipeDigest(root, ['recipe']);
const original = await digest();

t.match(original, /^[0-9a-f]{64}$/);

t.test('what does not count', async (t) => {
  await utimes(first, 1, 1);
  await chmod(second, 0o600);
  await writeFile(join(root, 'other/c'), 'not of the recipe');
  t.equal(await digest(), original, 'times, permissions of others, other folders');
});

t.test('what counts', async (t) => {
  const seen = new Set([original]);
  const differs = async (what: string): Promise<void> => {
    const now = await digest();
    t.notOk(seen.has(now), what);
    seen.add(now);
  };
  await chmod(first, 0o755);
  await differs('a file that becomes a program');
  await writeFile(first, 'onet');
  await writeFile(second, 'wo');
  await differs('a byte that moves from one file to the next');
  await rename(second, join(root, 'recipe/b'));
  await differs('a file that moves');
  await writeFile(join(root, 'recipe/empty'), '');
  await differs('an empty file more');
});

t.rejects(recipeDigest(root, ['nowhere']), { code: 'ENOENT' });
