/** What is given without a flag: refused, taken once, or missed. */
import t from 'tap';
import { IMAGES_OPTIONS, LINT_OPTIONS } from '../../../harness/options/command-options.ts';
import { Given } from '../../../harness/options/given.ts';

const given = (args: readonly string[], operand: string | null): Given => new Given(LINT_OPTIONS, args, {}, operand);

t.test('an operand', async (t) => {
  t.same(given(['a.raw', '--json'], 'FILE').operand(), { from: 'FILE', text: 'a.raw' });
  t.same(given(['--firmware', 'bios', 'a.raw'], 'FILE').operand().text, 'a.raw', 'after an option with a value');
  t.same(given(['--', '--json'], 'FILE').operand().text, '--json', 'after --, whatever it looks like');
  t.throws(() => given(['a', 'b'], 'FILE'), { code: 'BAD_OPTION', message: 'FILE: expected one, given also "b"' });
  t.throws(() => given([], 'FILE').operand(), { code: 'BAD_OPTION', message: 'FILE: expected one, given nothing' });
  t.equal(given(['--help'], 'FILE').print, 'help', 'help asks for none');
  t.throws(() => given(['a'], null), { code: 'BAD_OPTION', message: '--: expected options only, given "a"' });
});

t.test('what prunes everything is asked for by its flag, never by what is left in the environment', async (t) => {
  const environment = { BOOTWITNESS_ALL: 'true', BOOTWITNESS_DRY_RUN: 'true' };
  const left = new Given(IMAGES_OPTIONS, [], environment, null);
  t.equal(left.value('all'), null);
  t.same(left.value('dry-run'), { from: 'BOOTWITNESS_DRY_RUN', text: 'true' }, 'what does less may be left there');
  t.same(left.shownVariables(), { BOOTWITNESS_DRY_RUN: 'true' });
  t.same(new Given(IMAGES_OPTIONS, ['--all'], environment, null).value('all'), { from: '--all', text: 'true' });
});
