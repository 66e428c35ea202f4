/** Help as text: what is long is broken between words, and an example is what a shell takes. */
import t from 'tap';
import { exitLines } from '../../help/exits.ts';
import type { Help } from '../../help/help.ts';
import { commandLine, helpText, shellWord, wrap } from '../../help/text.ts';

t.test('a line is broken between words, and keeps what it was indented by', async (t) => {
  t.same(wrap('a bb ccc', 8), ['a bb ccc']);
  t.same(wrap('a bb ccc', 7), ['a bb', 'ccc']);
  t.same(wrap('  a bb ccc', 7, '  '), ['  a bb', '    ccc']);
  t.same(wrap('unbreakable', 4), ['unbreakable'], 'a word stays whole');
  t.same(wrap('', 4), ['']);
});

t.test('an argument is written as a shell is told it', async (t) => {
  t.equal(shellWord('~/.ssh/fruix'), '~/.ssh/fruix');
  t.equal(shellWord('sr:Local storage'), "'sr:Local storage'");
  t.equal(shellWord("it's"), "'it'\\''s'");
  t.equal(shellWord('$GITHUB_STEP_SUMMARY'), '"$GITHUB_STEP_SUMMARY"');
  t.equal(commandLine('site', []), 'npm run -s site');
  t.equal(commandLine('site', ['--reports-dir', 'a b']), "npm run -s site -- --reports-dir 'a b'");
});

const HELP: Help = {
  ...{ name: 'look', group: 'lab', page: 'docs/look.md' },
  summary: 'looks',
  usage: ['FILE'],
  about: ['Long.\n  indented'],
  examples: [{ args: ['a b'], does: 'looks at it' }],
  precedence: 'flags > defaults',
  options: [
    {
      heading: 'Some',
      rows: [
        ['--a', 'one'],
        [`--${'b'.repeat(40)} X`, `two ${'words '.repeat(20)}`],
      ],
    },
  ],
  environment: { rule: 'Also so.', variables: [] },
  stdout: 'lines.',
  exits: [...exitLines(['fine', 'lab'], { lab: 'nothing was seen' }), { code: 'other', meaning: 'its own' }],
};

t.test('all of it is there, in its place', async (t) => {
  const text = helpText(HELP);
  t.match(text, /^look: looks\.\n\nUsage:\n {2}npm run -s look -- FILE\n\nLong\.\n {2}indented\n\nExamples:\n/);
  t.match(
    text,
    / {2}npm run -s look -- 'a b'\n {6}looks at it\n\nOptions \(flags > defaults\)\nSome:\n {2}--a {2}one\n/,
  );
  t.match(text, /\n {2}--b{40} X\n {7}two words /, 'a long option has its meaning below it');
  t.match(
    text,
    /\nAlso so\.\n\nstdout: lines\.\n\nExit codes:\n {2}0 {6}done\n {2}3 {6}nothing was seen\n {2}other {2}its own\n/,
  );
  t.match(text, /\n\nMore: docs\/look\.md\n$/);
  t.notMatch(text, / \n/, 'no line ends with a blank');
});
