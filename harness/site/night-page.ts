/** The first page: how the last night went, what needs somebody, every case, trends, all runs. */
import type { Skipped } from '../history/read-runs.ts';
import type { RunRow } from '../history/run-row.ts';
import { type CaseStanding, flakyOf, type LastNight, standingBy } from './cases.ts';
import { counted, duration, fullTime, time } from './format.ts';
import { glance } from './glance.ts';
import { type Html, html } from './html.ts';
import { bootSpark, outcomeStrip, runPage } from './outcome-strip.ts';
import { badge, blame, redCard } from './red-card.ts';

/** What the first page is made from. */
export interface NightPage {
  readonly rows: readonly RunRow[];
  /** Of a wrong clock, and not among `rows`. */
  readonly misdated: readonly RunRow[];
  readonly night: LastNight;
  readonly cases: readonly CaseStanding[];
  readonly skipped: readonly Skipped[];
}

/** In the page itself; all others are drawn when they are asked for. */
const RUNS_SHOWN = 50;
const CARDS_MAX = 100;
const CASES_MAX = 300;

export function nightMain(page: NightPage): Html {
  const { rows, cases } = page;
  if (rows.length === 0) return html`${empty()}${misdatedRuns(page.misdated)}${skippedFiles(page.skipped)}`;
  return html`${glance(page)}
${cards('newly-failing', 'Newly failing', standingBy(cases, 'newly failing'))}
${cards('still-failing', 'Still failing', standingBy(cases, 'still failing'))}
${flakyTable(flakyOf(cases))}
${fixedTable(standingBy(cases, 'fixed'))}
${missing(standingBy(cases, 'not run'))}
${board(cases)}
${trends()}
${runsTable(rows)}
${misdatedRuns(page.misdated)}
${skippedFiles(page.skipped)}`;
}

const empty = (): Html => html`<section aria-labelledby="h-night"><h1 id="h-night">No runs yet</h1>
<p class="lede">Each run of a phase is kept in <code>reports/runs/</code>. Run one, then make this page again:</p>
<p class="command"><code>npm run -s phase9 &amp;&amp; npm run -s site</code></p></section>`;

/** What somebody has named beforehand is no news, and comes last. */
const isKnown = ({ last }: CaseStanding): number => (last.known === null ? 0 : 1);

function cards(id: string, title: string, cases: readonly CaseStanding[]): Html {
  if (cases.length === 0) return html``;
  const more = cases.length - CARDS_MAX;
  return html`<section id="${id}" aria-labelledby="h-${id}"><h2 id="h-${id}">${title} <span
 class="muted">${cases.length}</span></h2>
${[...cases]
  .sort((a, b) => isKnown(a) - isKnown(b))
  .slice(0, CARDS_MAX)
  .map(redCard)}
${more > 0 && html`<p class="muted">${counted(more, 'more case', 'more cases')} in the table below.</p>`}</section>`;
}

const caseName = ({ scenario, image, lab, last }: CaseStanding): Html =>
  html`<a href="${runPage(last.id)}">${scenario}</a> <span class="muted">${image} on ${lab}</span>`;

function flakyTable(cases: readonly CaseStanding[]): Html {
  if (cases.length === 0) return html``;
  const rows = cases.map(
    (each) => html`<li>${caseName(each)} ${outcomeStrip(each.rows)}
 <span>${each.flaky && `${each.flaky.passed} of ${each.flaky.of} passed`}</span></li>`,
  );
  return html`<section id="flaky" aria-labelledby="h-flaky"><h2 id="h-flaky">Flaky <span
 class="muted">${cases.length}</span></h2>
<p class="muted small">Same image, scenario and harness, and the outcome turned at least twice in the last ten runs.</p>
<ul class="lines">${rows}</ul></section>`;
}

function fixedTable(cases: readonly CaseStanding[]): Html {
  if (cases.length === 0) return html``;
  const rows = cases.map((each) => {
    const red = each.rows.findLast(({ status, startedMs }) => status !== 'PASS' && startedMs < each.last.startedMs);
    return html`<li>${badge('PASS')} ${caseName(each)} <span class="muted">was ${red?.code ?? 'red'},
 the fault of ${blame(red?.party ?? null)}</span></li>`;
  });
  return html`<section id="fixed" aria-labelledby="h-fixed"><h2 id="h-fixed">Fixed <span
 class="muted">${cases.length}</span></h2>
<ul class="lines">${rows}</ul></section>`;
}

function missing(cases: readonly CaseStanding[]): Html {
  if (cases.length === 0) return html``;
  const rows = cases.map(
    (each) => html`<li>${badge(each.last.status)} ${caseName(each)}
 <span class="muted">last ${time(each.last.startedMs)}</span></li>`,
  );
  return html`<section id="not-run" aria-labelledby="h-not-run"><h2 id="h-not-run">Did not run <span
 class="muted">${cases.length}</span></h2>
<p class="muted small">They ran in the fortnight before, and not in this night.</p><ul class="lines">${rows}</ul>
</section>`;
}

function board(cases: readonly CaseStanding[]): Html {
  const shown = cases.slice(0, CASES_MAX);
  const rows = shown.map(({ last, lastPass, rows, ...each }) => {
    const pass = last.status === 'PASS' ? last : lastPass;
    return html`<tr><th scope="row">${badge(last.status)} <span
 class="case">${caseName({ ...each, last, lastPass, rows })}${
   each.standing === 'not run' && html` <span class="muted small">(did not run this night)</span>`
 }</span></th>
<td class="strips">${outcomeStrip(rows)}</td>
<td data-label="boot">${bootSpark(rows)} <span class="n">${last.bootS === null ? '–' : duration(last.bootS)}</span></td>
<td class="n" data-label="run">${duration(last.seconds)}</td>
<td data-label="last PASS">${
      pass === null
        ? 'never'
        : html`<a
 href="${runPage(pass.id)}">${time(pass.startedMs)}</a>`
    }</td></tr>`;
  });
  return html`<section id="cases" aria-labelledby="h-cases"><h2 id="h-cases">Cases <span
 class="muted">${cases.length}</span></h2>
<table class="board"><thead><tr><th scope="col">scenario, image, lab</th><th scope="col" class="n">last 30 runs</th><th
 scope="col">boot</th>
<th scope="col" class="n">run</th><th scope="col">last PASS</th></tr></thead><tbody>${rows}</tbody></table>
${
  cases.length > shown.length &&
  html`<p
 class="muted">The first ${shown.length} of ${cases.length}; all runs are in the table below.</p>`
}
</section>`;
}

const trends = (): Html => html`<section id="trends" aria-labelledby="h-trends"><h2 id="h-trends">Trends
 <span class="paper muted" id="trend-of"></span></h2>
<noscript><p class="muted">The plots need JavaScript; it is in this file, and asks for nothing elsewhere.</p></noscript>
<p class="controls js"><label for="trend">Show</label> <select id="trend"></select></p>
<div class="plots js" id="plots"></div></section>`;

function runsTable(rows: readonly RunRow[]): Html {
  const newest = rows.slice(-RUNS_SHOWN).reverse();
  const shown = newest.map(
    (row) => html`<tr><td>${badge(row.status)}</td><td><a href="${runPage(row.id)}">${time(row.startedMs)}</a></td>
<td>${row.scenario}</td>
<td>${row.image}</td><td>${row.lab}</td><td>${row.code}</td><td
 class="n">${row.bootS === null ? '–' : duration(row.bootS)}</td>
<td class="n">${duration(row.seconds)}</td></tr>`,
  );
  return html`<section id="runs" aria-labelledby="h-runs"><h2 id="h-runs">Runs <span
 class="muted">${rows.length.toLocaleString('en')}</span></h2>
<form class="controls js" id="filter"><label for="words">Find</label> <input id="words" type="search"
 autocomplete="off" spellcheck="false">
<label for="status">Result</label> <select id="status"><option value="">any</option><option>PASS</option>
<option>FAIL</option>
<option>ERROR</option><option>SKIP</option></select> <output id="found" for="words status"></output></form>
<table class="runs"><thead><tr><th scope="col">result</th><th scope="col">when (UTC)</th><th scope="col">scenario</th>
<th scope="col">image</th>
<th scope="col">lab</th><th scope="col">fault</th><th scope="col" class="n">boot</th><th scope="col" class="n">run</th>
</tr></thead>
<tbody id="rows">${shown}</tbody></table>
<p class="js"><button type="button" id="more" hidden>Show more</button></p>
${
  rows.length > newest.length &&
  html`<noscript><p class="muted">The newest ${newest.length} of ${rows.length}.</p>
</noscript>`
}</section>`;
}

function skippedFiles(skipped: readonly Skipped[]): Html {
  if (skipped.length === 0) return html``;
  const rows = skipped
    .slice(0, 100)
    .map(({ file, why }) => html`<li><code>${file}</code> <span class="muted">${why}</span></li>`);
  return html`<section id="skipped" aria-labelledby="h-skipped"><h2 id="h-skipped">Left out <span
 class="muted">${skipped.length}</span></h2>
<p class="muted small">Files in <code>runs/</code> that are no run, or that cannot be read.</p><ul
 class="lines">${rows}</ul></section>`;
}

function misdatedRuns(misdated: readonly RunRow[]): Html {
  if (misdated.length === 0) return html``;
  const rows = misdated.slice(0, 100).map(
    (row) => html`<li>${badge(row.status)} <a href="${runPage(row.id)}">${fullTime(row.startedMs)}</a>
 <span>${row.scenario}</span> <span class="muted">${row.image} on ${row.lab}</span></li>`,
  );
  return html`<section id="misdated" aria-labelledby="h-misdated"><h2
 id="h-misdated">Of a wrong clock <span
 class="muted">${misdated.length}</span></h2>
<p class="muted small">They say that they began after this page was made, or before there was this harness, and count
 for no night: a clock was wrong, that of the machine that ran them or that of the one that made this page.</p>
<ul class="lines">${rows}</ul></section>`;
}
