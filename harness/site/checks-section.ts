/** The checks of a run, those first that did not hold, each with what of its evidence is in the history. */
import { at, type Fields, fieldsOf, listAt, numberAt, textAt } from '../history/fields.ts';
import { type Html, html } from './html.ts';

const CHECKS_MAX = 500;
const ORDER: Readonly<Record<string, number>> = { failed: 0, unobserved: 1 };
const rank = (check: unknown): number => ORDER[textAt(check, 'outcome') ?? ''] ?? 2;

export function checksSection(record: Fields): Html {
  const checks = [...listAt(record, 'verdict', 'checks')].slice(0, CHECKS_MAX).sort((a, b) => rank(a) - rank(b));
  if (checks.length === 0) {
    return html`<section id="checks" aria-labelledby="h-checks"><h2 id="h-checks">Checks</h2><p
 class="muted">It did not come so far.</p></section>`;
  }
  const held = checks.filter((check) => rank(check) === 2).length;
  const evidence = at(record, 'history', 'evidence');
  return html`<section id="checks" aria-labelledby="h-checks"><h2 id="h-checks">Checks <span
 class="muted">${held} of ${checks.length} held</span></h2>
<div class="wide" tabindex="0" role="region" aria-labelledby="h-checks"><table class="checks"><thead><tr><th
 scope="col">outcome</th>
<th scope="col">check</th><th scope="col">expected</th><th scope="col">there was</th></tr></thead>
<tbody>${checks.map((check) => checkRow(check, evidence))}</tbody></table></div></section>`;
}

function checkRow(check: unknown, evidence: unknown): Html {
  const outcome = textAt(check, 'outcome') ?? 'unknown';
  const pointer = textAt(check, 'evidence') ?? '';
  const excerpt = at(evidence, /#(\d+)$/.exec(pointer)?.[1] ?? '');
  const reason = textAt(check, 'reason') ?? '';
  const kind = outcome === 'held' ? 'pass' : outcome === 'failed' ? 'fail' : 'error';
  return html`<tr><td><span class="badge ${kind}">${outcome}</span></td><th
 scope="row">${textAt(check, 'name') ?? 'unnamed'}</th>
<td data-label="expected">${textAt(check, 'expected')}</td><td data-label="there was">${
    outcome === 'unobserved'
      ? html`<span
 class="muted">not seen</span>`
      : textAt(check, 'actual')
  }
${reason !== '' && html`<p class="reason">${reason}</p>`}${evidenceOf(excerpt, pointer)}</td></tr>`;
}

function evidenceOf(excerpt: unknown, pointer: string): Html {
  const facts = Object.entries(fieldsOf(at(excerpt, 'facts'))).slice(0, 60);
  const unseen = textAt(excerpt, 'unseen') ?? '';
  if (textAt(excerpt, 'kind') === null) return html``;
  return html`<details><summary>evidence</summary>
<p class="muted small">${pointer}, ${textAt(excerpt, 'name')},
 ${textAt(excerpt, 'at')}${commandOf(at(excerpt, 'command'))}</p>
${unseen !== '' && html`<pre tabindex="0">${unseen}</pre>`}
${
  facts.length > 0 &&
  html`<dl class="facts">${facts.map(
    ([name, value]) => html`<div><dt>${name}</dt>
<dd>${String(value)}</dd></div>`,
  )}</dl>`
}
${stderrOf(at(excerpt, 'command'))}</details>`;
}

function commandOf(command: unknown): string {
  const [exit, ms, flaw] = [numberAt(command, 'exit'), numberAt(command, 'ms'), textAt(command, 'flaw')];
  if (ms === null) return '';
  return `; exit status ${exit ?? 'none'} after ${ms} ms${flaw ? `, ${flaw}` : ''}`;
}

function stderrOf(command: unknown): Html {
  const stderr = textAt(command, 'stderr') ?? '';
  return stderr === '' ? html`` : html`<pre tabindex="0">${stderr}</pre>`;
}
