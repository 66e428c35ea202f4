/** The page of one run: cause, what changed, time, checks with their evidence, console, how to run it again. */
import { at, type Fields, listAt, numberAt, textAt } from '../history/fields.ts';
import type { RunRow } from '../history/run-row.ts';
import { compare } from './changes.ts';
import { checksSection } from './checks-section.ts';
import { film, lastWords } from './film.ts';
import { counted, duration, fullTime, span, time } from './format.ts';
import { type Html, html } from './html.ts';
import type { Section } from './page-frame.ts';
import { badge, blame, changesList, knownMark, reproCommand } from './red-card.ts';
import { timeSection } from './time-section.ts';

/** What a page may have below its head. */
const SECTIONS: readonly Section[] = [
  ['checks', 'Checks'],
  ['console', 'Console'],
  ['time', 'Time'],
  ['facts', 'Facts'],
];

export interface RunPage {
  readonly main: Html;
  readonly sections: readonly Section[];
}

/** A run among the others of its case. */
export interface Neighbours {
  /** The last PASS before it. */
  readonly lastPass: RunRow | null;
  readonly previous: RunRow | null;
  readonly next: RunRow | null;
}

/** @param present names of the pictures of its console that are there */
export function runMain(row: RunRow, record: Fields, neighbours: Neighbours, present: ReadonlySet<string>): RunPage {
  const [checks, console] = [checksSection(record), consoleSection(row, record, present)];
  const time = timeSection(listAt(record, 'result', 'timeline'));
  // First what says why: a check that failed, else what the guest showed last.
  const why = row.failed.length > 0 ? [checks, console] : [console, checks];
  const rest = row.status === 'PASS' ? [time, checks, console] : [...why, time];
  const main = html`${head(row, neighbours)}
${row.status === 'PASS' ? null : cause(row, record)}
${since(row, neighbours)}
${again(row)}
${rest}
${facts(row, record)}`;
  const placeOf = ([id]: Section): number => main.text.indexOf(`<section id="${id}"`);
  return { main, sections: SECTIONS.filter((each) => placeOf(each) >= 0).sort((a, b) => placeOf(a) - placeOf(b)) };
}

function head(row: RunRow, { previous, next }: Neighbours): Html {
  const beside = (run: RunRow | null, word: string, rel: string): Html =>
    run === null
      ? html``
      : html`<a rel="${rel}" href="${run.id}.html">${word} ${badge(run.status)} ${time(run.startedMs)}</a>`;
  return html`<nav class="beside" aria-label="Runs of this case"><a href="../index.html#runs">All runs</a>
${beside(previous, 'Previous', 'prev')} ${beside(next, 'Next', 'next')}</nav>
<section class="glance" aria-labelledby="h-run"><h1 id="h-run">${badge(row.status)} ${row.scenario}</h1>
<p class="lede">${row.image} <span class="muted">on</span> ${row.lab}</p>
<p class="muted">${fullTime(row.startedMs)},
 ${duration(row.seconds)}${row.night === null ? '' : `; night ${row.night}`};
 run <code>${row.id}</code></p>
${
  row.reference &&
  html`<p
 class="note">The image was the embedded lab's own reference guest: this says nothing about your image.</p>`
}
${row.leaked > 0 && html`<p class="note">Something was left in the lab; see below.</p>`}</section>`;
}

function cause(row: RunRow, record: Fields): Html {
  const remedy = textAt(record, 'verdict', 'cause', 'remedy');
  const causes = listAt(record, 'verdict', 'cause', 'causes').slice(0, 20);
  return html`<section class="card ${row.status.toLowerCase()}" aria-labelledby="h-cause"><h2 id="h-cause">Cause</h2>
<p><code class="code">${row.code ?? 'no code'}</code> <span class="muted">· fault:</span> ${blame(row.party)}</p>
<p class="message">${row.message}</p>
${causes.length > 0 && html`<ol class="causes">${causes.map((each) => html`<li>${String(each)}</li>`)}</ol>`}
${remedy !== null && html`<p><span class="muted">What to do:</span> ${remedy}</p>`}${knownMark(row)}</section>`;
}

function since(row: RunRow, { lastPass }: Neighbours): Html {
  if (lastPass === null) {
    return row.status === 'PASS'
      ? html``
      : html`<section aria-labelledby="h-since"><h2 id="h-since">It has not passed before</h2></section>`;
  }
  return html`<section aria-labelledby="h-since"><h2 id="h-since">Since the last <a href="${lastPass.id}.html">PASS</a>
 <span class="muted">${time(lastPass.startedMs)}, ${span(row.startedMs - lastPass.startedMs)} before</span></h2>
${changesList(compare(lastPass, row))}</section>`;
}

const again = (row: RunRow): Html => html`<section aria-labelledby="h-again"><h2 id="h-again">Again</h2>
<p class="command"><code>${reproCommand(row)}</code> <span
 class="muted small">the same image, scenario and budgets, from its workdir</span></p>
<p class="command"><code>${row.repeat}</code> <span class="muted small">as it was called</span></p></section>`;

function consoleSection(row: RunRow, record: Fields, present: ReadonlySet<string>): Html {
  const [shown, words] = [film(row, record, present), lastWords(record, row.status !== 'PASS')];
  if (shown.text === '' && words.text === '') return html``;
  const leftOut = numberAt(record, 'history', 'console', 'framesLeftOut') ?? 0;
  return html`<section id="console" aria-labelledby="h-console"><h2 id="h-console">Console</h2>${shown}
${leftOut > 0 && html`<p class="muted small">${counted(leftOut, 'more picture')} in the workdir.</p>`}
${words}</section>`;
}

/** Whatever else was recorded, and was not said above. */
function facts(row: RunRow, record: Fields): Html {
  const result = at(record, 'result');
  const named = (name: string): string | null => textAt(result, 'placed', name, 'name');
  const rows: readonly (readonly [string, string | null])[] = [
    ['workdir', row.workdir],
    ['image file', textAt(record, 'image', 'path')],
    ['image digest', row.imageSha256],
    ['image format', textAt(record, 'image', 'format')],
    ['closure', row.closure],
    ['scenario digest', row.scenarioSha256],
    ['boot mode', row.bootMode],
    ['guest identity', textAt(result, 'guestIdentity')],
    ['image identity', textAt(result, 'imageIdentity')],
    ['address', textAt(result, 'guestAddress')],
    ['VM', textAt(result, 'vm')],
    ...['pool', 'host', 'sr', 'network', 'template'].map((name) => [name, named(name)] as const),
    ['firmware', row.firmware],
    ['Xen Orchestra', row.xo],
    ['harness', row.harness],
    ['Node', textAt(record, 'node')],
    ['budget scale', String(row.budgetScale)],
    ['boots', String(row.boots)],
    ['exit code', row.exitCode === null ? null : String(row.exitCode)],
    ['left in the lab', listAt(result, 'leaked').map(String).join('\n') || null],
  ];
  return html`<section id="facts" aria-labelledby="h-facts"><h2 id="h-facts">Facts</h2><dl class="facts">${rows.map(
    ([name, value]) => value !== null && value !== '' && html`<div><dt>${name}</dt><dd>${value}</dd></div>`,
  )}</dl><p><a href="../runs/${row.id}.json">The whole record</a></p></section>`;
}
