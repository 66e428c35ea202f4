/** Help as text: the one renderer of all commands. */
import type { Example, Help, Row, Section } from './help.ts';

/** Of a terminal that somebody has made a little wider. */
const COLUMNS = 110;
/** Where meanings begin; what is longer has its meaning below it. */
const LEFT_MAX = 34;

/** Breaks a line between words; what it was indented by it keeps, and further lines hang below `hang`. */
export function wrap(line: string, columns: number, hang = ''): readonly string[] {
  const indent = /^ */.exec(line)?.[0] ?? '';
  const lines: string[] = [];
  let open = indent;
  for (const word of line.trim().split(/ +/)) {
    const next = open.trim() === '' ? `${open}${word}` : `${open} ${word}`;
    if (next.length <= columns || open.trim() === '') {
      open = next;
      continue;
    }
    lines.push(open);
    open = `${indent}${hang}${word}`;
  }
  return [...lines, open];
}

/** As a shell is told it. */
export function shellWord(word: string): string {
  if (/^[\w@%+=:,./~…-]+$/.test(word)) return word;
  if (word.includes('$')) return `"${word}"`;
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** How people call it. */
export function commandLine(name: string, args: readonly string[]): string {
  const call = `npm run -s ${name}`;
  return args.length === 0 ? call : [call, '--', ...args.map(shellWord)].join(' ');
}

/** The whole of `--help`, with a newline at its end. */
export function helpText(help: Help): string {
  const { name, summary, usage, about, examples, precedence, options, stdout } = help;
  const counts = precedence === null ? '' : ` (${precedence})`;
  return [
    ...wrap(`${name}: ${summary}.`, COLUMNS),
    '',
    'Usage:',
    ...usage.map((form) => `  npm run -s ${name} -- ${form}`),
    ...about.flatMap((text) => [
      '',
      ...text.split('\n').flatMap((line) => wrap(line, COLUMNS, line.startsWith(' ') ? '  ' : '')),
    ]),
    '',
    'Examples:',
    ...examples.flatMap((example) => exampleLines(name, example)),
    '',
    `Options${counts}`,
    ...sections(options),
    ...environmentLines(help),
    '',
    ...wrap(`stdout: ${stdout}`, COLUMNS, '  '),
    '',
    'Exit codes:',
    ...table(help.exits.map(({ code, meaning }) => [String(code), meaning])),
    '',
    `More: ${help.page}`,
    '',
  ].join('\n');
}

function exampleLines(name: string, { args, does }: Example): readonly string[] {
  return [`  ${commandLine(name, args)}`, ...wrap(`      ${does}`, COLUMNS)];
}

function sections(all: readonly Section[]): readonly string[] {
  const width = widthOf(all.flatMap(({ rows }) => rows));
  return all.flatMap(({ heading, rows }) => [...(heading === '' ? [] : [`${heading}:`]), ...table(rows, width)]);
}

function environmentLines({ environment }: Help): readonly string[] {
  if (environment === null) return [];
  const { rule, variables } = environment;
  const listed = variables.length === 0 ? [] : ['Environment:', ...table(variables)];
  return ['', ...(rule === null ? [] : wrap(rule, COLUMNS)), ...listed];
}

function widthOf(rows: readonly Row[]): number {
  return Math.max(...rows.map(([left]) => left.length).filter((length) => length <= LEFT_MAX), 0);
}

function table(rows: readonly Row[], width = widthOf(rows)): readonly string[] {
  const hang = ' '.repeat(width + 4);
  return rows.flatMap(([left, right]) => {
    const [first = '', ...more] = wrap(right, COLUMNS - hang.length).map((line) => `${hang}${line}`);
    if (left.length > width) return [`  ${left}`, first, ...more];
    return [`  ${left.padEnd(width)}  ${first.trimStart()}`, ...more];
  });
}
