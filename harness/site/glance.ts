/** The head of the first page: what the night came to, whose fault it was, and where to go from there. */
import type { Skipped } from '../history/read-runs.ts';
import { type CaseStanding, flakyOf, redOf, standingBy } from './cases.ts';
import { counted, days, fullTime, shortTime, span } from './format.ts';
import { type Html, html } from './html.ts';
import type { NightPage } from './night-page.ts';
import { blame } from './red-card.ts';

const CODES_MAX = 3;

export function glance({ rows, misdated, night, cases, skipped }: NightPage): Html {
  const ran = cases.filter(({ standing }) => standing !== 'not run').length;
  const last = night.rows.at(-1);
  const [fromMs, toMs] = [night.rows[0]?.startedMs ?? 0, (last?.startedMs ?? 0) + (last?.seconds ?? 0) * 1000];
  const title = night.names.length === 0 ? `24 hours to ${shortTime(toMs)} UTC` : `Night of ${days(fromMs, toMs)}`;
  const labs = [...new Set(night.rows.map(({ lab }) => lab))].join(', ');
  return html`<section aria-labelledby="h-night" class="glance"><h1 id="h-night">${title}</h1>
${ran === 0 ? html`<p class="lede">No run of it was decided.</p>` : outcome(cases)}
<p class="muted">${fullTime(fromMs)} to ${fullTime(toMs)}, ${span(toMs - fromMs)}; ${counted(ran, 'case')},
 ${counted(night.rows.length, 'run')} on ${labs}.${night.names.length > 0 && ` Night ${night.names.join(', ')}.`}
 ${counted(rows.length + misdated.length, 'run')} in the history.</p>
<p class="stale" id="stale" data-newest="${rows.at(-1)?.startedMs ?? 0}" hidden></p>
${
  misdated.length > 0 &&
  html`<p class="stale">${counted(misdated.length, 'run is', 'runs are')} of a wrong clock and left out of the night:
 <a href="#misdated">named below</a>.</p>`
}
${leftOut(skipped)}
${tiles(cases)}</section>`;
}

/** What cannot be read may be the night itself: of a newer version, or half copied. */
function leftOut(skipped: readonly Skipped[]): Html {
  const { length } = skipped.filter(({ file }) => !file.startsWith('.'));
  if (length === 0) return html``;
  return html`<p class="stale">${counted(length, 'file')} in <code>runs/</code> could not be taken for a run:
 <a href="#skipped">named below</a>.</p>`;
}

function outcome(cases: readonly CaseStanding[]): Html {
  const red = redOf(cases);
  if (red.length === 0) return html`<p class="lede">Nothing is red.</p>`;
  const [newly, known] = [
    standingBy(red, 'newly failing').length,
    red.filter(({ last }) => last.known !== null).length,
  ];
  const parts = [`${counted(red.length, 'case is', 'cases are')} red`, `${newly} newly`];
  if (known > 0) parts.push(`${known} of a known failure`);
  return html`<p class="lede">${parts.join(', ')}.</p><p>Fault: ${faults(red)}.</p>`;
}

/** Whose fault, those with most cases first, each with its codes: ten cases of one dead lab are one thing to do. */
function faults(red: readonly CaseStanding[]): string {
  return tally(red.map(({ last }) => blame(last.party)))
    .map(([party, count]) => {
      const codes = tally(
        red.filter(({ last }) => blame(last.party) === party).map(({ last }) => last.code ?? 'no code'),
      );
      const named = codes.slice(0, CODES_MAX).map(([code, times]) => (times === 1 ? code : `${code} ×${times}`));
      if (codes.length > CODES_MAX) named.push(`${codes.length - CODES_MAX} more`);
      return `${party} ${count} (${named.join(', ')})`;
    })
    .join('; ');
}

/** How often each comes, the most frequent first. */
function tally(words: readonly string[]): readonly (readonly [word: string, count: number])[] {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a);
}

function tiles(cases: readonly CaseStanding[]): Html {
  const tile = (id: string, kind: string, label: string, { length }: readonly CaseStanding[]): Html =>
    html`<li class="${length === 0 ? 'none' : kind}">${
      length === 0 ? html`<span><b>0</b> ${label}</span>` : html`<a href="#${id}"><b>${length}</b> ${label}</a>`
    }</li>`;
  return html`<ul class="tiles">${tile('newly-failing', 'fail', 'newly failing', standingBy(cases, 'newly failing'))}
${tile('still-failing', 'fail', 'still failing', standingBy(cases, 'still failing'))}
${tile('flaky', 'error', 'flaky', flakyOf(cases))}
${tile('fixed', 'pass', 'fixed', standingBy(cases, 'fixed'))}
${tile('cases', 'pass', 'passing', standingBy(cases, 'passing'))}
${tile('not-run', 'error', 'did not run', standingBy(cases, 'not run'))}</ul>`;
}
