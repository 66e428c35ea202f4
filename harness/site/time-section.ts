/** Where the time of a run went: its stages one below the other, each against its budget. */

import { SLOW_SHARE } from '../boot/slow-stages.ts';
import { numberAt, textAt } from '../history/fields.ts';
import { duration } from './format.ts';
import { type Html, html } from './html.ts';

const STAGES_MAX = 200;
const WIDTH = 1_000;

interface Stage {
  readonly name: string;
  readonly startedMs: number;
  readonly seconds: number;
  readonly budgetS: number | null;
  readonly endedBy: string;
}

/** @param timeline of the record; what is no stage is left out */
export function timeSection(timeline: readonly unknown[]): Html {
  const stages = timeline.slice(0, STAGES_MAX).flatMap((entry) => stageOf(entry) ?? []);
  if (stages.length === 0) return html``;
  const fromMs = Math.min(...stages.map(({ startedMs }) => startedMs));
  const toMs = Math.max(...stages.map(({ startedMs, seconds }) => startedMs + seconds * 1000));
  const scale = WIDTH / Math.max(1, toMs - fromMs);
  const rows = stages.map((stage) => {
    const used = stage.budgetS === null || stage.budgetS === 0 ? null : stage.seconds / stage.budgetS;
    const slow = used !== null && used > SLOW_SHARE;
    const x = (stage.startedMs - fromMs) * scale;
    const width = Math.max(2, stage.seconds * 1000 * scale);
    return html`<tr><th scope="row">${stage.name}</th>
<td class="bar"><svg viewBox="0 0 ${WIDTH} 10" preserveAspectRatio="none" aria-hidden="true"><rect class="track"
 width="${WIDTH}" height="10"/>
<rect class="${slow ? 'slow' : 'stage'}" x="${x.toFixed(1)}" width="${width.toFixed(1)}" height="10"/></svg></td>
<td class="n" data-label="took">${duration(stage.seconds)}</td><td
 class="n" data-label="budget">${stage.budgetS === null ? '–' : duration(stage.budgetS)}</td>
<td class="n${slow && ' slow'}" data-label="used">${used === null ? '–' : `${(used * 100).toFixed(0)} %`}</td><td
 class="muted">${stage.endedBy}</td></tr>`;
  });
  return html`<section id="time" aria-labelledby="h-time"><h2 id="h-time">Time</h2><div class="wide" tabindex="0"
 role="region" aria-labelledby="h-time">
<table class="timeline"><thead><tr><th scope="col">stage</th><th
 scope="col">${duration((toMs - fromMs) / 1000)} from left to right</th>
<th scope="col" class="n">took</th><th scope="col" class="n">budget</th><th scope="col" class="n">used</th><th
 scope="col">ended by</th></tr></thead>
<tbody>${rows}</tbody></table></div></section>`;
}

function stageOf(entry: unknown): Stage | null {
  const [stage, seconds, startedAt] = [textAt(entry, 'stage'), numberAt(entry, 'seconds'), textAt(entry, 'startedAt')];
  const startedMs = Date.parse(startedAt ?? '');
  if (stage === null || seconds === null || Number.isNaN(startedMs)) return null;
  const boot = numberAt(entry, 'boot') ?? 1;
  const whose = [textAt(entry, 'guest') === 'control' ? ' (control image)' : '', boot > 1 ? ` (boot ${boot})` : ''];
  return {
    ...{ name: `${stage}${whose.join('')}`, startedMs, seconds },
    ...{ budgetS: numberAt(entry, 'budgetS'), endedBy: textAt(entry, 'endedBy') ?? '' },
  };
}
