/** The table of broken variants against the files that the guest is made of. */
import { access, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import type { Change } from '../../../lab/guest/change.ts';
import { edited } from '../../../lab/guest/changes.ts';
import { FAULTS, VARIANT_FAULTS } from '../../../lab/guest/faults.ts';
import { GUEST_BOOT_MODES } from '../../../lab/guest/recipe/syslinux.ts';

const FILES = new URL('../../../lab/guest/files/', import.meta.url);

async function source(path: string): Promise<string> {
  return readFile(fileURLToPath(new URL(path.replace('@CLOSURE@/', 'closure/'), FILES)), 'utf8');
}

/** Edits of one fault apply one after the other: the second must still find its text. */
async function checkEdits(t: Test, changes: readonly Change[]): Promise<void> {
  const texts = new Map<string, string>();
  for (const change of changes) {
    // Shepherd's own files come from its package: makeVariant finds out whether the text is there.
    if (change.kind !== 'edit' || change.path.startsWith('@SHEPHERD@/')) continue;
    t.notOk(texts.has(change.path), 'one edit for a file: the second would be given the unedited text');
    const before = await source(change.path);
    texts.set(change.path, edited(before, change));
    t.not(texts.get(change.path), before, change.path);
  }
}

t.strictSame([...VARIANT_FAULTS].sort(), Object.keys(FAULTS).sort(), 'one row for each fault');

for (const fault of VARIANT_FAULTS) {
  const row = FAULTS[fault];
  t.test(fault, async (t) => {
    t.match(row.changed, /\.$/);
    t.match(row.seen, /\.$/);
    for (const mode of GUEST_BOOT_MODES.filter((each) => row.onlyIn === null || row.onlyIn === each)) {
      const changes = row.changes(mode);
      const changesNothing = changes.length === 0 && row.bootsAs === null && row.hasRoot && row.hasEfiLoader;
      t.notOk(changesNothing, `something is broken in ${mode}`);
      await checkEdits(t, changes);
      for (const change of changes) {
        t.match(change.path, /^(?:\/|@CLOSURE@\/|@EXTRA@\/|@SHEPHERD@\/)/);
        if (change.kind === 'file') await t.resolves(access(new URL(`variants/${change.file}`, FILES)), change.file);
      }
    }
  });
}

t.test('an edit that does not find its text, or finds it twice, is an error', async (t) => {
  const change = { path: '/etc/x', from: 'a', to: 'b' };
  t.equal(edited('-a-', change), '-b-');
  t.throws(() => edited('---', change), /\/etc\/x was expected to hold "a" once, and it does 0 times/);
  t.throws(() => edited('a-a', change), /2 times/);
});

t.test('each shim is at one of the three places, in three forms', async (t) => {
  const shims = ['shim-directory', 'shim-dangling-symlink', 'shim-file'] as const;
  const made = shims.flatMap((fault) => FAULTS[fault].changes('shepherd-pid1'));
  t.strictSame(
    made.map(({ kind }) => kind),
    ['directory', 'link', 'file'],
  );
  t.strictSame(made.map(({ path }) => path).sort(), [
    '/tmp/guile-freebsd-validate-install',
    '/tmp/guile-gnutls-freebsd-validate-install',
    '/tmp/shepherd-freebsd-validate-install',
  ]);
});
