/** What is generated: two tables of the README, `docs/commands.md`, and what `npm run -s help` prints. */
import { exitTable } from '../../help/exits.ts';
import { GROUPS, type Help } from '../../help/help.ts';
import { helpText } from '../../help/text.ts';

const PRINTED_COLUMNS = 12;

const inGroups = (all: readonly Help[]) =>
  Object.entries(GROUPS).map(([group, wish]) => ({ wish, members: all.filter((help) => help.group === group) }));

const linked = (page: string): string => {
  const [file = '', anchor = ''] = page.split('#', 2);
  return file === 'README.md' ? `[below](#${anchor})` : `[${file}](${page})`;
};

function commandTable(all: readonly Help[]): readonly string[] {
  const rows = inGroups(all).flatMap(({ wish, members }) =>
    members.map(({ name, summary, page }, index) => {
      const command = `[\`npm run -s ${name}\`](docs/commands.md#${name})`;
      return `| ${index === 0 ? wish : ''} | ${command} | ${summary} | ${linked(page)} |`;
    }),
  );
  return ['| to | command | which | more |', '|---|---|---|---|', ...rows];
}

/** Replaces what lies between `<!-- NAME -->` and the next `<!-- /NAME -->`. @throws Error where they are not there */
function between(text: string, name: string, lines: readonly string[]): string {
  const [begin, end] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`README.md: expected ${begin.trim()} and behind it ${end}`);
  return `${text.slice(0, from)}${begin}${lines.join('\n')}\n${text.slice(to)}`;
}

/** The README with its tables made anew. @param readme as it is now */
export function readmePage(readme: string, all: readonly Help[]): string {
  return between(between(readme, 'commands', commandTable(all)), 'exit codes', exitTable());
}

/** `docs/commands.md`: the whole help of each command. */
export function commandsPage(all: readonly Help[]): string {
  return [
    '# The commands',
    '',
    '<!-- Made by `npm run -s docs` from what --help prints. Not edited by hand. -->',
    '',
    'What `npm run -s NAME -- --help` prints, of each. Which one is for what: the table in the [README](../README.md).',
    ...all.flatMap((help) => ['', `## ${help.name}`, '', '```text', helpText(help).trimEnd(), '```']),
    '',
  ].join('\n');
}

/** The table for a terminal. */
export function printedTable(all: readonly Help[]): string {
  const groups = inGroups(all).flatMap(({ wish, members }) => [
    `To ${wish}:`,
    ...members.map(({ name, summary }) => `  ${name.padEnd(PRINTED_COLUMNS)}${summary}`),
    '',
  ]);
  return [
    ...groups,
    'npm run -s NAME -- --help says all of one. To begin: npm run -s phase9 -- --lab embedded',
    '',
  ].join('\n');
}
