/** A summary as Markdown for the page of a CI job (GitHub's and Forgejo's dialect). Nothing a guest says is markup. */

import {
  type CaseSummary,
  failuresOf,
  knownNote,
  pointsOf,
  type Standing,
  type Summary,
  standing,
} from '../report/summary.ts';
import { scrub } from '../workdir/secrets.ts';

const CELL_CHARACTERS_MAX = 300;
/** GitHub shows none of a page above 1 MiB, which the other steps of a job write to as well. */
const ROWS_BYTES_MAX = 500_000;
const DETAILS_BYTES_MAX = 300_000;

const SHOWN: Readonly<Record<Standing, string>> = {
  pass: '✅ PASS',
  known: '🟡 FAIL, known',
  fail: '❌ FAIL',
  error: '💥 ERROR',
  leak: '⚠️ left something in the lab',
  skip: '⏭️ SKIP',
};
/** What wants somebody's eyes first. */
const ORDER: readonly Standing[] = ['fail', 'error', 'leak', 'known', 'skip', 'pass'];

/** One line without markup: what Markdown or HTML would read is written as a number. Secrets go before that. */
export function plain(text: string): string {
  const line = scrub(text)
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim();
  const [...characters] = line;
  const long = characters.length > CELL_CHARACTERS_MAX;
  const cut = long ? `${characters.slice(0, CELL_CHARACTERS_MAX).join('')}…` : line;
  return cut.replace(/[&<>|`*_~[\]\\#@!$:]/g, (each) => `&#${each.charCodeAt(0)};`);
}

/** Commands and paths, to be copied. */
const code = (text: string): string => `<code>${plain(text)}</code>`;

function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

function why(of: CaseSummary): string {
  const { verdict, leaked, retried } = of;
  const again =
    retried.length === 0 ? [] : [`after ${retried.length} retried: ${plain(retried.at(-1)?.cause.code ?? '')}`];
  const left = leaked.length === 0 ? [] : [`${leaked.length} left in the lab`];
  if (verdict.status === 'SKIP') return [plain(verdict.reason), ...again].join('; ');
  if (verdict.status === 'PASS') return [...left, ...again].join('; ');
  const failed = failuresOf(verdict).map((name) => {
    const note = knownNote(of, name);
    return note ? `${plain(name)} (known until ${plain(note.expires)})` : plain(name);
  });
  const shown = failed.length > 0 ? failed : [`${plain(verdict.cause.code)}: ${plain(verdict.cause.message)}`];
  return [...shown, ...left, ...again].join('; ');
}

function details(of: CaseSummary): readonly string[] {
  const bad = pointsOf(of).filter(({ state }) => state !== 'held');
  if (bad.length === 0) return [];
  const { verdict, workdir, repeat } = of;
  const cause = verdict.status === 'FAIL' || verdict.status === 'ERROR' ? verdict.cause : null;
  return [
    '',
    `<details><summary>${SHOWN[standing(of)]} ${plain(of.name)}</summary>`,
    '',
    ...bad.map(({ name, message }) => `- **${plain(name)}**: ${plain(message)}`),
    ...(cause === null ? [] : [`- fault: ${plain(cause.party)}. ${plain(cause.remedy)}`]),
    ...of.leaked.map((each) => `- left in the lab: ${plain(each)}`),
    ...(workdir === null ? [] : [`- workdir: ${code(workdir)}`]),
    ...(repeat === null ? [] : [`- again: ${code(repeat)}`]),
    '',
    '</details>',
  ];
}

const bytesOf = (lines: readonly string[]): number => Buffer.byteLength(`${lines.join('\n')}\n`);

/** As many of them, from the first on, as there is room for. @param more says how many are left out */
function within(bytesMax: number, parts: readonly (readonly string[])[], more: (left: number) => string): string[] {
  const lines: string[] = [];
  let bytes = 0;
  for (const [nth, part] of parts.entries()) {
    bytes += bytesOf(part);
    if (bytes > bytesMax) return [...lines, ...['', more(parts.length - nth)]];
    lines.push(...part);
  }
  return lines;
}

function rowOf(of: CaseSummary): readonly string[] {
  const named = [SHOWN[standing(of)], plain(of.scenario), plain(of.image), plain(of.lab)];
  return [`| ${[...named, duration(of.seconds), why(of)].join(' | ')} |`];
}

/** Ends with a line break, so that it can be appended to what is there. */
export function markdownText(summary: Summary): string {
  const { title, cases, remarks, seconds } = summary;
  const byNeed = [...cases].sort((a, b) => ORDER.indexOf(standing(a)) - ORDER.indexOf(standing(b)));
  const tally = ORDER.flatMap((each) => {
    const count = cases.filter((of) => standing(of) === each).length;
    return count === 0 ? [] : [`${count} × ${SHOWN[each]}`];
  });
  const detailed = byNeed.map(details).filter((lines) => lines.length > 0);
  const lines = [
    `## ${plain(title)}`,
    '',
    `${tally.join(', ') || 'no case'} in ${duration(seconds)}`,
    '',
    ...remarks.map(
      ({ level, text }) => `- ${level === 'failure' ? '❌' : level === 'lost' ? '💥' : '⚠️'} ${plain(text)}`,
    ),
    ...(remarks.length === 0 ? [] : ['']),
    '| | scenario | image | lab | time | why |',
    '| --- | --- | --- | --- | ---: | --- |',
    ...within(ROWS_BYTES_MAX, byNeed.map(rowOf), (left) => `${left} cases more: the other reports have them.`),
    ...within(
      DETAILS_BYTES_MAX,
      detailed,
      (left) => `${left} cases more, without their details: see the other reports.`,
    ),
    '',
  ];
  return `${lines.join('\n')}\n`;
}
