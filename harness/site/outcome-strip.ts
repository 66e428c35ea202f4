/** Two pictures of a case on one line: how its last runs ended, and how long it took to boot. SVG, no script. */
import type { RunRow } from '../history/run-row.ts';
import { counted, duration, fullTime } from './format.ts';
import { type Html, html } from './html.ts';

const RUNS_MAX = 30;
const STEP = 7;
const HEIGHT = 18;
/** Told apart by height and filling, too: not everybody sees the colours. */
const SHAPES = {
  PASS: { y: 6, height: 12 },
  FAIL: { y: 0, height: 18 },
  ERROR: { y: 0, height: 18 },
  SKIP: { y: 14, height: 4 },
} as const;

export const runPage = (id: string): string => `run/${id}.html`;

export function said({ status, code, startedMs }: RunRow): string {
  return `${status}${code === null ? '' : ` ${code}`}, ${fullTime(startedMs)}`;
}

/** @param rows of one case, the oldest first */
export function outcomeStrip(rows: readonly RunRow[]): Html {
  const shown = rows.slice(-RUNS_MAX);
  const counts = (['PASS', 'FAIL', 'ERROR', 'SKIP'] as const)
    .map((status) => ({ status, count: shown.filter((row) => row.status === status).length }))
    .filter(({ count }) => count > 0)
    .map(({ status, count }) => `${count} ${status}`);
  const width = shown.length * STEP;
  // Reachable by mouse; by keyboard each run is reached through the pages of its neighbours.
  const bars = shown.map((row, index) => {
    const { y, height } = SHAPES[row.status];
    const x = index * STEP + 1;
    return html`<a href="${runPage(row.id)}" tabindex="-1"><title>${said(row)}</title>
<rect class="hit" x="${x - 1}" y="0" width="${STEP}" height="${HEIGHT}"/>
<rect class="${row.status.toLowerCase()}" x="${x}" y="${y}" width="5" height="${height}" rx="1"/></a>`;
  });
  return html`<svg class="strip" role="img" aria-label="last ${counted(shown.length, 'run')}: ${counts.join(', ')}"
 viewBox="0 0 ${width} ${HEIGHT}" width="${width}" height="${HEIGHT}">${bars}</svg>`;
}

const SPARK = { width: 96, height: 18 } as const;

/** Boot times of the runs that answered; nothing where there are fewer than two. */
export function bootSpark(rows: readonly RunRow[]): Html {
  const times = rows.slice(-RUNS_MAX).flatMap(({ bootS }) => bootS ?? []);
  if (times.length < 2) return html``;
  const [low, high] = [Math.min(...times), Math.max(...times)];
  const point = (value: number, index: number): readonly [string, string] => [
    (2 + (index / (times.length - 1)) * (SPARK.width - 5)).toFixed(1),
    (SPARK.height - 3 - ((value - low) / (high - low || 1)) * (SPARK.height - 6)).toFixed(1),
  ];
  const points = times.map(point);
  const [x, y] = points.at(-1) ?? ['0', '0'];
  return html`<svg class="spark" role="img"
 aria-label="boot time of ${times.length} runs, ${duration(low)} to ${duration(high)}"
 viewBox="0 0 ${SPARK.width} ${SPARK.height}" width="${SPARK.width}" height="${SPARK.height}">
<polyline points="${points.map((each) => each.join(',')).join(' ')}"/><circle cx="${x}" cy="${y}" r="2"/></svg>`;
}
