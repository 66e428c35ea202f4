/** What help and pages must be true to, as rules: each returns one sentence per breach. */
import type { Listed } from '../../docs/generate/commands.ts';
import { EXIT } from '../../help/exits.ts';
import { callsIn, optionsNamed } from './calls.ts';

/** The widest line that a terminal somebody made a little wider shows. */
const HELP_COLUMNS_MAX = 120;

/** Scripts of package.json that nobody calls who uses the harness, each with where it is told. */
export const OTHER_SCRIPTS: Readonly<Record<string, string>> = {
  help: 'prints the table itself',
  docs: 'CONTRIBUTING.md',
  check: 'CONTRIBUTING.md',
  test: 'CONTRIBUTING.md',
  'test:fast': 'CONTRIBUTING.md',
};

/** Of programs that are not ours, or of ours that are no scripts. */
const FOREIGN: Readonly<Record<string, string>> = {
  fast: 'test/run.ts',
  'npm-only': 'setup.sh',
  list: 'lab/guest/main.ts',
  variant: 'lab/guest/main.ts',
  mode: 'lab/guest/main.ts',
  'cache-dir': 'the lab',
  mishap: 'the lab',
  write: 'test/wire/reading-a-failure.test.ts',
  'experimental-': 'Node',
};

const why = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function refused({ parse }: Listed, args: readonly string[], whole: boolean): string | null {
  try {
    parse(args, whole);
    return null;
  } catch (error) {
    return why(error);
  }
}

/** Names of the options that a command's help lists. */
const optionsOf = ({ help }: Listed): ReadonlySet<string> =>
  new Set(help.options.flatMap(({ rows }) => rows.flatMap(([left]) => optionsNamed(left))));

/** Each example is taken by the parser of its command, and each option that is spoken of is there. */
export function examples(all: readonly Listed[]): string[] {
  return all.flatMap((command) => {
    const { name, about, examples: calls, summary, stdout, exits } = command.help;
    const known = optionsOf(command);
    const said = [summary, ...about, stdout, ...exits.map(({ meaning }) => meaning), ...calls.map(({ does }) => does)];
    return [
      ...(calls.length === 0 ? [`${name}: no example`] : []),
      ...calls.flatMap(({ args }) => {
        const reason = refused(command, args, true);
        return reason === null ? [] : [`${name}: the example ${args.join(' ')} is refused: ${reason}`];
      }),
      ...said
        .flatMap(optionsNamed)
        .filter((option) => !known.has(option))
        .map((option) => `${name}: its help speaks of --${option}, which it has not`),
    ];
  });
}

/** Each value says what counts where it is not given. */
export function defaults(all: readonly Listed[]): string[] {
  const rows = all.flatMap(({ help }) =>
    help.options.flatMap(({ heading, rows }) =>
      rows.map(([left, meaning]) => ({ left, said: `${heading} ${meaning}` })),
    ),
  );
  const missing = rows
    .filter(({ left, said }) => /^--\S+ [^-]/.test(left) && !/default|must be given/.test(said))
    .map(({ left }) => `${left}: its meaning says no default (default: …), nor that it must be given`);
  return [...new Set(missing)];
}

/** Scripts and commands are the same, but for those that are named above. */
export function scripts(all: readonly Listed[], names: readonly string[]): string[] {
  const commands = all.map(({ help }) => help.name);
  const users = names.filter((name) => !Object.hasOwn(OTHER_SCRIPTS, name));
  return [
    ...users
      .filter((name) => !commands.includes(name))
      .map(
        (name) => `package.json: ${name} has no help; list it in docs/generate/commands.ts, or in test/tidy/help.ts`,
      ),
    ...commands.filter((name) => !names.includes(name)).map((name) => `${name}: no script of package.json`),
  ];
}

/** Each call that a page shows is one that its command takes. */
export function calls(all: readonly Listed[], path: string, page: string): string[] {
  return callsIn(page).flatMap(({ line, name, args, whole }) => {
    const at = `${path}:${line}: npm run -s ${name}`;
    if (Object.hasOwn(OTHER_SCRIPTS, name)) return [];
    const command = all.find(({ help }) => help.name === name);
    if (command === undefined) return [`${at}: no such command`];
    const reason = refused(command, args, whole);
    return reason === null ? [] : [`${at} -- ${args.join(' ')} is refused: ${reason}`];
  });
}

/** Each option that a sentence of a page names is one of some command. */
export function spoken(all: readonly Listed[], path: string, page: string): string[] {
  const known = new Set([...all.flatMap((command) => [...optionsOf(command)]), ...Object.keys(FOREIGN)]);
  return page.split('\n').flatMap((text, index) =>
    [...text.matchAll(/`(--[^`]+)`/g)]
      .flatMap(([, code = '']) => optionsNamed(code.split(' ')[0] ?? ''))
      .filter((option) => !known.has(option))
      .map((option) => `${path}:${index + 1}: --${option}, which no command has`),
  );
}

/** Each option that the remedy of a fault names is one of some command. */
export function remedies(
  all: readonly Listed[],
  faults: Readonly<Record<string, { readonly remedy: string }>>,
): string[] {
  return Object.entries(faults).flatMap(([code, { remedy }]) =>
    spoken(all, code, [...remedy.matchAll(/--[a-z][a-z0-9-]*/g)].map(([option]) => `\`${option}\``).join(' ')),
  );
}

/** A command that ends with 1 says what that means, and no other does. @param sourceOf its text; null: it has none */
export function failing(all: readonly Listed[], sourceOf: (name: string) => string | null): string[] {
  return all.flatMap(({ help: { name, exits } }) => {
    const source = sourceOf(name);
    if (source === null) return [];
    const [ends, says] = [/EXIT\.failed|exitCodeOf\(/.test(source), exits.some(({ code }) => code === EXIT.failed)];
    return ends === says
      ? []
      : [`${name}: ${says ? 'says' : 'does not say'} what exit code 1 means; see EXIT.failed in it`];
  });
}

export function widths(name: string, text: string): string[] {
  return text
    .split('\n')
    .filter((line) => [...line].length > HELP_COLUMNS_MAX)
    .map((line) => `${name}: --help has a line of ${[...line].length} columns: ${line.trim().slice(0, 40)}…`);
}

/** As GitHub and Forgejo make it. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');

/** The page to read on is there, and so is its section. */
export function pages(all: readonly Listed[], read: (path: string) => string | null): string[] {
  return all.flatMap(({ help: { name, page } }) => {
    const [file = '', anchor] = page.split('#', 2);
    const text = read(file);
    if (text === null) return [`${name}: its page ${file} is not there`];
    const anchors = text.split('\n').flatMap((line) => (/^#+ /.test(line) ? [anchorOf(line.replace(/^#+ /, ''))] : []));
    return anchor === undefined || anchors.includes(anchor) ? [] : [`${name}: ${file} has no section #${anchor}`];
  });
}
