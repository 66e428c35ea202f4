// @ts-check
/**
 * Draws how a case went over time: boot, stages, whole run, baked prefixes.
 *
 * @typedef {{title: string, sub: string, lines: {label: string, values: (number | null)[]}[],
 *   shown: (value: number | null) => string}} Plot
 */

const STAGES_MAX = 7;
const DAY_S = 86_400;
/** With more runs the points would hide the line. */
const POINTS_RUNS_MAX = 80;
/** Readable on light and on dark. */
const WHEEL = ['#3f7fbf', '#c0712c', '#3d9970', '#a05cb0', '#b8963e', '#c25b78', '#6b7f8f'];

/** @param {Data} data */
function trends(data) {
  const { byId, make } = shared;
  const select = /** @type {HTMLSelectElement} */ (byId('trend'));
  const plots = byId('plots');
  /** @type {Map<string, HTMLOptGroupElement>} */
  const groups = new Map();
  data.cases.forEach(([scenario, image, lab], number) => {
    let group = groups.get(scenario);
    if (group === undefined) {
      group = make('optgroup');
      group.label = scenario;
      groups.set(scenario, group);
      select.append(group);
    }
    const option = make('option', `${scenario}: ${image} on ${lab}`);
    option.value = String(number);
    group.append(option);
  });
  select.value = String(data.first);
  let shown = false;
  const drawShown = () => {
    shown = true;
    drawCase(data, Number(select.value), plots);
  };
  select.addEventListener('change', drawShown);
  const redraw = () => shown && drawShown();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
  matchMedia('print').addEventListener('change', redraw);
  let width = innerWidth;
  addEventListener('resize', () => {
    if (innerWidth !== width) redraw();
    width = innerWidth;
  });
  addEventListener('beforeprint', () => !shown && drawShown());
  // Drawing waits until somebody comes near: opening the page costs nothing for it.
  new IntersectionObserver(
    (entries, observer) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      observer.disconnect();
      if (!shown) drawShown();
    },
    { rootMargin: '300px' },
  ).observe(byId('trends'));
}

/** @param {Data} data @param {number} number @param {HTMLElement} plots */
function drawCase(data, number, plots) {
  const { duration } = shared;
  const runs = data.runs.filter((run) => run[2] === number);
  const count = (/** @type {number | null} */ value) => (value === null ? '–' : String(value));
  const one = (/** @type {string} */ label, /** @type {(number | null)[]} */ values) => [{ label, values }];
  /** @type {Plot[]} */
  const all = [
    {
      ...{ title: 'Boot', sub: 'power-on to session', shown: duration },
      lines: one(
        'boot',
        runs.map((run) => run[6]),
      ),
    },
    { ...{ title: 'Stages', sub: 'seconds of each', shown: duration }, lines: stageLines(data, runs) },
    {
      ...{ title: 'Whole run', sub: 'planning to clean-up', shown: duration },
      lines: one(
        'all',
        runs.map((run) => run[5]),
      ),
    },
    {
      ...{ title: 'Baked prefixes', sub: 'historical paths in files of the store', shown: count },
      lines: one(
        'prefixes',
        runs.map((run) => run[7]),
      ),
    },
  ];
  const places = all.map((plot) => figureOf(plot, runs));
  plots.replaceChildren(...places.map(({ figure }) => figure));
  // Only now it is known how wide each is.
  places.forEach(({ place }, index) => {
    const plot = all[index];
    if (place !== null && plot !== undefined) draw(plot, runs, place);
  });
}

/** The longest stages, the longest first. @param {Data} data @param {Run[]} runs */
function stageLines(data, runs) {
  const lines = data.stages.map((label) => ({
    label,
    sum: 0,
    values: runs.map(() => /** @type {number | null} */ (null)),
  }));
  runs.forEach((run, index) => {
    for (let at = 0; at < run[8].length; at += 2) {
      const line = lines[run[8][at] ?? -1];
      const seconds = run[8][at + 1] ?? 0;
      if (line === undefined) continue;
      line.values[index] = seconds;
      line.sum += seconds;
    }
  });
  return lines
    .filter(({ sum }) => sum > 0)
    .sort((a, b) => b.sum - a.sum)
    .slice(0, STAGES_MAX);
}

/** @param {number[]} values */
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** The plot's place, with what it shows in words. @param {Plot} plot @param {Run[]} runs */
function figureOf({ title, sub, lines, shown }, runs) {
  const { make, many } = shared;
  const figure = make('figure');
  const values = (lines[0]?.values ?? []).flatMap((value) => value ?? []);
  const figures = `median ${shown(median(values))}, last ${shown(values.at(-1) ?? null)}, most ${shown(Math.max(...values))}`;
  const about = lines.length > 1 ? `${sub}; ${many(runs.length)}` : `${sub}; ${figures}; ${many(values.length)}`;
  const caption = make('figcaption', `${title} `);
  caption.append(make('span', values.length === 0 ? 'nothing recorded' : about));
  figure.append(caption);
  if (values.length === 0) return { figure, place: null };
  const place = make('div', undefined, 'plot');
  place.setAttribute('role', 'img');
  place.setAttribute('aria-label', `${title}: ${about}`);
  figure.append(place);
  return { figure, place };
}

/** @param {Plot} plot @param {Run[]} runs @param {HTMLElement} place */
function draw({ lines, shown }, runs, place) {
  const { day, clock, when } = shared;
  const style = getComputedStyle(document.documentElement);
  const colour = (/** @type {string} */ name) => style.getPropertyValue(`--${name}`).trim();
  const grid = { stroke: colour('line'), width: 1 };
  const axis = { stroke: colour('muted'), grid, ticks: grid };
  const red = runs.map((run) => run[3] !== 0);
  new uPlot(
    {
      ...{ width: place.clientWidth, height: 220, legend: { live: true }, cursor: { points: { size: 6 } } },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
      scales: { y: { range: (_, __, max) => [0, max > 0 ? max * 1.08 : 1] } },
      axes: [
        {
          ...axis,
          space: 70,
          values: (_, ticks, __, ___, step) => ticks.map((tick) => (step < DAY_S ? clock : day)(tick * 1000)),
        },
        { ...axis, size: 56, values: (_, ticks) => ticks.map((tick) => String(tick)) },
      ],
      series: [
        { value: (_, seconds) => (seconds == null ? '' : `${when(seconds * 1000)} UTC`), label: 'run' },
        ...lines.map(({ label }, index) => ({
          ...{ label, width: 1.25, spanGaps: true, points: { show: runs.length < POINTS_RUNS_MAX, size: 4 } },
          stroke: lines.length === 1 ? colour('link') : (WHEEL[index % WHEEL.length] ?? ''),
          value: (/** @type {unknown} */ _, /** @type {number | null} */ value) => (value == null ? '' : shown(value)),
        })),
      ],
      hooks: { draw: [(u) => markRed(u, red, colour('fail'))] },
    },
    [runs.map((run) => run[1] / 1000), ...lines.map((line) => line.values)],
    place,
  );
}

/** A tick at the lower edge for each run that was not PASS. @param {import('uplot')} u @param {boolean[]} red @param {string} colour */
function markRed(u, red, colour) {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.fillStyle = colour;
  const size = 3 * devicePixelRatio;
  red.forEach((isRed, index) => {
    if (isRed)
      ctx.fillRect(
        u.valToPos(u.data[0][index] ?? 0, 'x', true) - size / 3,
        bbox.top + bbox.height - 3 * size,
        size / 1.5,
        3 * size,
      );
  });
  ctx.restore();
}
