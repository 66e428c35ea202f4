/** What the scripts send to a guest writes nothing there: no output into a file, no program that changes one. */
import t from 'tap';
import { fruixPaths } from '../../../scenarios/fruix-paths.ts';
import { scripts } from './scripts.ts';

const WRITERS = 'rm|rmdir|mv|cp|ln|mkdir|mkfifo|mknod|touch|tee|dd\\b.*\\bof=|truncate|chmod|chown|mount|umount|reboot';

/** One sentence for each thing that would write. */
function writes(script: string): readonly string[] {
  return script.split('\n').flatMap((line) => {
    const code = line.replace(/^\s*#.*/, '');
    // `=>`, `->` and `(>=` are Scheme's.
    const files = [...code.matchAll(/(?<![=(-])>{1,2}\s*(\S+)/g)].map(([, target = '']) =>
      target.replace(/[;)]+$/, ''),
    );
    const outside = files.filter((target) => target !== '/dev/null' && !/^&\d$/.test(target));
    const program = new RegExp(`(?:^|[;|&(]|\\bdo|\\bthen|\\belse)\\s*(?:${WRITERS}|sed -i|sysctl -w)\\b`).exec(code);
    return [...outside.map((target) => `writes to ${target}`), ...(program === null ? [] : [`runs ${program[0]}`])];
  });
}

t.test('no script writes', async (t) => {
  for (const [name, script] of await scripts(fruixPaths)) t.same(writes(script), [], name);
});

t.test('what writes is seen', async (t) => {
  const rows = ['echo x >/tmp/x', 'x >>"$file" 2>&1', 'true && rm -f x', 'if y; then touch z; fi', 'sed -i s/a/b/ c'];
  for (const row of rows) t.equal(writes(row).length, 1, row);
  t.same(writes('x >/dev/null 2>&1\n# rm\n(x => y)'), []);
});
