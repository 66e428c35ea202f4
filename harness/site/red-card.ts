/** A case that did not pass, for whoever must act: cause, whose fault, what changed, how to run it again. */
import type { RunRow } from '../history/run-row.ts';
import type { CaseStanding } from './cases.ts';
import { type Comparison, compare } from './changes.ts';
import { counted, span, time } from './format.ts';
import { type Html, html } from './html.ts';
import { runPage } from './outcome-strip.ts';

const MESSAGE_CHARACTERS_MAX = 420;

const BLAME: Readonly<Record<string, string>> = {
  image: 'the image',
  lab: 'the lab',
  caller: 'the caller',
  harness: 'a bug of the harness',
  undetermined: 'undetermined',
  nobody: 'nobody',
};

export const blame = (party: string | null): string => BLAME[party ?? ''] ?? 'unknown';

export const badge = (status: string): Html => html`<span class="badge ${status.toLowerCase()}">${status}</span>`;

/** Reproduces the case from what its workdir holds. */
export const reproCommand = ({ workdir }: RunRow): string => `npm run -s repro -- ${shellWord(workdir)}`;

const shellWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

export function changesList({ changed, same, unknown }: Comparison): Html {
  if (changed.length === 0) {
    const rest = unknown.length > 0 ? `; not known of one of them: ${unknown.join(', ')}` : '';
    return html`<p class="nothing">Nothing that is recorded changed: same ${same.join(', ')}${rest}.</p>`;
  }
  const rows = changed.map(
    ({ what, from, to }) =>
      html`<div><dt>${what}</dt><dd><code>${from}</code> <span aria-label="became">→</span> <code>${to}</code></dd>
</div>`,
  );
  const others = [
    same.length > 0 ? `same: ${same.join(', ')}` : '',
    unknown.length > 0 ? `not known of one of them: ${unknown.join(', ')}` : '',
  ].filter(Boolean);
  return html`<dl class="changes">${rows}</dl><p class="muted small">${others.join('; ')}</p>`;
}

function since({ last, lastPass, redRuns }: CaseStanding): Html {
  if (lastPass === null)
    return html`<h4>It has never passed</h4><p class="muted small">${counted(redRuns, 'run')} so far.</p>`;
  const away = redRuns > 1 ? `, ${counted(redRuns, 'run')} ago` : '';
  return html`<h4>Since its last <a href="${runPage(lastPass.id)}">PASS</a>
 <span class="muted">${time(lastPass.startedMs)}, ${span(last.startedMs - lastPass.startedMs)} before${away}</span></h4>
${changesList(compare(lastPass, last))}`;
}

export function knownMark({ known }: RunRow): Html {
  if (known === null) return html``;
  const text = html`known: ${known.reason} (until ${known.expires})`;
  return /^https?:\/\//.test(known.link)
    ? html`<p class="known"><a href="${known.link}" rel="noreferrer">${text}</a></p>`
    : html`<p class="known">${text}</p>`;
}

export const attemptsMark = ({ attempts }: CaseStanding): Html =>
  attempts > 1 ? html`<span class="muted small">attempt ${attempts} of this night</span>` : html``;

/** @param level of its heading */
export function redCard(standing: CaseStanding): Html {
  const { scenario, image, lab, last } = standing;
  const cutOff = last.message.length > MESSAGE_CHARACTERS_MAX;
  const message = cutOff ? `${last.message.slice(0, MESSAGE_CHARACTERS_MAX)} …` : last.message;
  const picture =
    last.lastFrame === null
      ? null
      : html`<a class="shot" href="${runPage(last.id)}#console" tabindex="-1"><img loading="lazy" decoding="async"
 src="runs/${last.id}.console/${last.lastFrame}" alt="Last picture of the console" width="240" height="150"></a>`;
  return html`<article class="card ${last.status.toLowerCase()}">
<header>${badge(last.status)}<h3><a href="${runPage(last.id)}">${scenario}</a></h3>
<span class="where">${image} <span class="muted">on</span> ${lab}</span>${attemptsMark(standing)}</header>
<div class="body"><div class="cause"><p><code class="code">${last.code ?? 'no code'}</code>
 <span class="muted">· fault:</span> ${blame(last.party)}</p><p class="message">${message}</p>${
   last.remedy !== '' &&
   html`<p class="small"><span
 class="muted">What to do:</span> ${last.remedy}</p>`
 }${knownMark(last)}
<p class="command"><code>${reproCommand(last)}</code></p></div>
<div class="since">${since(standing)}</div>${picture}</div></article>`;
}
