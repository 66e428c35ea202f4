/** A comparison as lines of at most 80 columns. What a guest wrote is escaped: it must not steer a terminal. Pure. */
import { escapeValue } from '../report/report.ts';
import type { Compared, Comparison, ConsoleComparison, Difference, Section } from './comparison.ts';
import { diffLines } from './line-diff.ts';
import { withoutUsual } from './usual.ts';

const COLUMNS = 80;
const NAME = 26;
const VALUE = 25;
/** Of one value, where it has lines of its own. */
const VALUE_LINES_MAX = 4;
const CONSOLE_LINES_MAX = 24;

const HEADINGS: Readonly<Record<Section['name'], string>> = {
  verdict: 'VERDICT',
  checks: 'CHECKS',
  image: 'IMAGE',
  versions: 'VERSIONS',
  asked: 'ASKED',
  lab: 'LAB',
  facts: 'FACTS (what the guest told)',
  timeline: 'TIMELINE',
};

/** @param all also what differs between any two runs */
export function shownComparison({ a, b, sections, console }: Comparison, all: boolean): readonly string[] {
  const shown = sections.map((section) => shownSection(section, all));
  const hidden = sections.flatMap(({ differences }) => differences).filter(({ usual }) => usual).length;
  const unlike = sections.filter(({ differences }) => differences.some(({ usual }) => all || !usual));
  const same = sections.filter((section) => !unlike.includes(section)).map(({ name }) => name);
  return [
    ...head('A', a),
    ...head('B', b),
    ...shown.flat(),
    ...console.flatMap(shownConsole),
    '',
    ...wrap(`alike: ${same.join(', ') || 'nothing'}`),
    ...(hidden === 0 || all ? [] : wrap(`left out: ${hidden} that differ between any two runs (--all shows them)`)),
  ];
}

function head(side: string, run: Compared): readonly string[] {
  const { status, scenario, startedAt, seconds, cause, path, notes } = run;
  const time = `${startedAt.slice(0, 19)}Z, ${seconds.toFixed(1)} s`;
  const said = cause === null ? [] : [`${cause.code} (${cause.party}): ${cause.message}`];
  return [
    ...wrap(`${side}  ${status}  ${scenario}  ${time}`, '   '),
    ...[path, ...said, ...notes.map((note) => `note: ${note}`)].flatMap((text) =>
      wrap(`   ${escapeValue(text)}`, '   '),
    ),
  ];
}

function shownSection({ name, alike, differences }: Section, all: boolean): readonly string[] {
  const rows = differences.filter(({ usual }) => all || !usual);
  if (rows.length === 0) return [];
  return ['', `${HEADINGS[name]}${alike > 0 ? `, ${alike} alike` : ''}`, ...rows.flatMap(row)];
}

function row({ name, a, b }: Difference): readonly string[] {
  const [key, left, right] = [escapeValue(name), shownValue(a), shownValue(b)];
  const fits = key.length <= NAME && left.length <= VALUE && right.length <= VALUE;
  if (fits) return [`  ${key.padEnd(NAME)} ${left.padEnd(VALUE)} ${right}`];
  if (a?.includes('\n') && b?.includes('\n'))
    return [...wrap(`  ${key}, lines that are unlike`, '  '), ...unlike(a, b)];
  return [...wrap(`  ${key}`, '  '), ...block('A', left), ...block('B', right)];
}

/** Of two answers of many lines. */
function unlike(a: string, b: string): readonly string[] {
  const { lines } = diffLines(a.split('\n'), b.split('\n'), withoutUsual);
  return (['a', 'b'] as const).flatMap((side) => {
    const own = lines.filter((line) => line.side === side && line.text !== '').map(({ text }) => escapeValue(text));
    const more = own.length - VALUE_LINES_MAX;
    const shown = own.slice(0, VALUE_LINES_MAX).flatMap((text) => block(side.toUpperCase(), text));
    return more > 0 ? [...shown, `       … ${more} lines more (--json)`] : shown;
  });
}

const shownValue = (value: string | null): string =>
  value === null ? '-' : value === '' ? '(empty)' : escapeValue(value);

function block(side: string, value: string): readonly string[] {
  const lines = wrap(`    ${side}  ${value}`, '       ');
  if (lines.length <= VALUE_LINES_MAX) return lines;
  return [...lines.slice(0, VALUE_LINES_MAX), `       … ${value.length} characters in all (--json)`];
}

function shownConsole(console: ConsoleComparison): readonly string[] {
  const { file, linesA, linesB, alike, head, parting, lines, cut } = console;
  if (lines.length === 0 && linesA !== null && linesB !== null) return [];
  const has = (side: string, count: number | null): string =>
    `${side} ${count === null ? 'has none' : `${count} lines`}`;
  const shown = lines.slice(0, CONSOLE_LINES_MAX);
  const more = lines.length - shown.length;
  return [
    '',
    ...wrap(`CONSOLE ${file}: ${has('A', linesA)}, ${has('B', linesB)}, ${alike} alike`),
    ...(parting === null ? [] : wrap(`  alike for ${head} lines, up to: ${escapeValue(parting)}`, '    ')),
    ...shown.flatMap(({ side, text }) => wrap(`  ${side.toUpperCase()}  ${escapeValue(text)}`, '     ').slice(0, 2)),
    ...(more > 0 ? [`  … ${more} lines more (--json)`] : []),
    ...(cut ? ['  … too long to be compared to the end'] : []),
  ];
}

/** At blanks where there are any, else where the line ends. */
export function wrap(text: string, indent = ''): readonly string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > COLUMNS) {
    const blank = rest.lastIndexOf(' ', COLUMNS);
    const at = blank > indent.length + COLUMNS / 2 ? blank : COLUMNS;
    lines.push(rest.slice(0, at).trimEnd());
    rest = `${indent}${rest.slice(at).trimStart()}`;
  }
  return [...lines, rest];
}
