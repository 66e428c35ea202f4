/** Help, README and `docs/commands.md` are of one source, and true; first each rule is shown what it must refuse. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { COMMANDS, type Listed } from '../../docs/generate/commands.ts';
import { commandsPage, printedTable, readmePage } from '../../docs/generate/pages.ts';
import { FAULTS } from '../../harness/faults/fault-table.ts';
import { EXIT } from '../../help/exits.ts';
import type { Help } from '../../help/help.ts';
import { helpText } from '../../help/text.ts';
import { shellWords } from './calls.ts';
import * as rules from './help.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(`${ROOT}${path}`, 'utf8');
const PAGES = [
  ...['README.md', 'CONTRIBUTING.md', 'reports/README.md'],
  ...['labs', 'plans'].flatMap((folder) =>
    readdirSync(`${ROOT}${folder}`)
      .filter((name) => name.endsWith('.example.toml'))
      .map((name) => `${folder}/${name}`),
  ),
  ...readdirSync(`${ROOT}docs`, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && name !== 'commands.md')
    .map((name) => `docs/${name}`),
];
const ALL = COMMANDS.map(({ help }) => help);

const [PHASE9] = COMMANDS as [Listed];
const told = (words: Partial<Help>): readonly Listed[] => [{ ...PHASE9, help: { ...PHASE9.help, ...words } }];

t.test('what the rules refuse', async (t) => {
  const no = (said: readonly string[], why: RegExp): void => void t.match(said.join('\n'), why);
  no(rules.examples(told({ examples: [] })), /^phase9: no example/);
  no(rules.examples(told({ examples: [{ args: ['--imge', 'x'], does: '' }] })), /--imge x is refused: --imge: unknown/);
  no(rules.examples(told({ examples: [{ args: ['--boots', '0'], does: '' }] })), /refused: --boots: expected a whole/);
  no(rules.examples(told({ about: ['See --wait.'] })), /speaks of --wait, which it has not/);
  no(
    rules.defaults(told({ options: [{ heading: '', rows: [['--label NAME', 'a name']] }] })),
    /--label NAME: .* no default/,
  );
  no(rules.scripts(COMMANDS, ['phase9', 'frobnicate']), /frobnicate has no help.*\n.*phase11: no script of package/s);
  const call = (page: string): string[] => rules.calls(COMMANDS, 'a.md', page);
  no(call('```sh\nnpm run -s phase9 -- --lab embedded --kep # x\n```'), /^a.md:2: .* refused: --kep: unknown option/);
  no(call('```sh\n./setup.sh && npm run phase10\n```'), /^a.md:2: npm run -s phase10: no such command/);
  no(call('    npm run -s compare -- A'), /refused: A B: expected 2, given one/);
  no(call('It is `npm run -s site -- --all` then.'), /refused: --all: unknown option/);
  no(rules.spoken(COMMANDS, 'a.md', 'With `--kep` it stays.'), /^a.md:1: --kep, which no command has/);
  no(rules.remedies(COMMANDS, { A: { remedy: 'Give --kep.' } }), /^A:1: --kep, which no command has/);
  no(
    rules.failing(COMMANDS.slice(0, 1), () => ''),
    /^phase9: says what exit code 1 means/,
  );
  no(
    rules.failing(COMMANDS, (name) => (name === 'site' ? 'EXIT.failed' : null)),
    /^site: does not say/,
  );
  no(rules.widths('a', 'x'.repeat(121)), /121 columns/);
  no(rules.pages(told({ page: 'README.md#nowhere' }), read), /README.md has no section #nowhere/);
  no(
    rules.pages(told({ page: 'docs/nowhere.md' }), () => null),
    /docs\/nowhere.md is not there/,
  );
  t.throws(() => readmePage('no tables', ALL), /expected <!-- commands -->/);
  t.same(call("```sh\nnpm run -s doctor -- --write-test sr:'Local storage' && x --y | z\n```"), []);
  t.same(call('`npm run -s shell`, a part of a call'), []);
  t.same(shellWords(`a 'b c'd "e $F" g\\ h # i`), ['a', 'b cd', 'e $F', 'g h']);
});

t.test('the commands', async (t) => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const exist = (path: string): string | null => (existsSync(`${ROOT}${path}`) ? read(path) : null);
  const breaches = [
    ...rules.examples(COMMANDS),
    ...rules.defaults(COMMANDS),
    ...rules.scripts(COMMANDS, Object.keys(scripts)),
    ...rules.pages(COMMANDS, exist),
    ...rules.remedies(COMMANDS, FAULTS),
    ...rules.failing(COMMANDS, (name) => exist(`harness/commands/${name}.ts`)),
    ...ALL.flatMap((help) => rules.widths(help.name, helpText(help))),
    ...rules.widths('help', printedTable(ALL)),
    ...PAGES.flatMap((path) => [
      ...rules.calls(COMMANDS, path, read(path)),
      ...rules.spoken(COMMANDS, path, read(path)),
    ]),
  ];
  for (const breach of breaches) t.fail(breach, { at: null, stack: '', source: '' });
  for (const { name, exits } of ALL) {
    const codes = exits.map(({ code }) => code);
    t.ok(codes.includes(EXIT.fine) && codes.includes(EXIT.misuse), `${name} says what 0 and 2 mean`);
  }
});

t.test('README.md and docs/commands.md are what the source renders; else: npm run -s docs', async (t) => {
  t.equal(readmePage(read('README.md'), ALL), read('README.md'), 'README.md');
  t.equal(commandsPage(ALL), read('docs/commands.md'), 'docs/commands.md');
});
