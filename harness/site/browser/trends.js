// @ts-check
/** How cases went over time: boot, stages, whole run, baked prefixes, of one case or of all cases of a scenario. */

/** @param {Data} data */
function trends(data) {
  const { byId, make } = shared;
  const select = /** @type {HTMLSelectElement} */ (byId('trend'));
  const plots = byId('plots');
  /** @type {Map<string, number[]>} */
  const scenarios = new Map();
  data.cases.forEach(([scenario], number) => {
    scenarios.set(scenario, [...(scenarios.get(scenario) ?? []), number]);
  });
  const choices = [...scenarios].flatMap(([scenario, numbers]) => {
    const group = make('optgroup');
    group.label = scenario;
    select.append(group);
    const one = numbers.map((number) => ({ numbers: [number], text: data.cases[number]?.slice(1).join(' on ') ?? '' }));
    const all = numbers.length > 1 ? [{ numbers, text: `all ${numbers.length} cases` }] : [];
    for (const { text } of [...all, ...one]) group.append(make('option', `${scenario}: ${text}`));
    return [...all, ...one];
  });
  select.selectedIndex = Math.max(
    0,
    choices.findIndex(({ numbers }) => numbers.length === 1 && numbers[0] === data.first),
  );
  let shown = false;
  const drawShown = () => {
    shown = true;
    plots.replaceChildren();
    byId('trend-of').textContent = select.selectedOptions[0]?.textContent ?? '';
    drawTrends(data, choices[select.selectedIndex]?.numbers ?? [], plots);
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

/** @param {Data} data @param {number[]} numbers of the cases @param {HTMLElement} plots */
function drawTrends(data, numbers, plots) {
  const runs = data.runs.filter((run) => numbers.includes(run[2]));
  const one = numbers.length === 1;
  const { shown, often } = one ? plotLines.changes(data, runs) : { shown: [], often: [] };
  const context = { data, changes: shown, one };
  const figures = plotsOf(data, numbers, runs).map((spec) => ({ spec, ...figureOf(spec) }));
  plots.append(...figures.map(({ figure }) => figure));
  // Only now it is known how wide each is.
  for (const { spec, figure, place } of figures) {
    if (place !== null) figure.append(...plot.draw(spec, place, context));
  }
  plots.append(footOf(shown, often, one));
}

/** @param {Data} data @param {number[]} numbers of the cases @param {Run[]} runs @returns {Plot[]} */
function plotsOf(data, numbers, runs) {
  const { duration } = shared;
  const count = (/** @type {number | null} */ value) => (value === null ? '–' : value.toLocaleString('en'));
  const ofRuns = numbers
    .map((number) => ({ number, runs: runs.filter((run) => run[2] === number) }))
    .sort((a, b) => b.runs.length - a.runs.length)
    .slice(0, plotLines.LINES_MAX)
    .sort((a, b) => a.number - b.number);
  const left = numbers.length - ofRuns.length;
  const only = left > 0 ? `; ${left} ${left === 1 ? 'case' : 'cases'} left out` : '';
  const lines = (/** @type {(run: Run) => number | null} */ value) => {
    const all = ofRuns.map(({ number, runs }) =>
      plotLines.lineOf(data.cases[number]?.slice(1).join(' on ') ?? '', runs, value),
    );
    return { lines: all, marked: all };
  };
  const stages = plotLines.stageLines(data, runs);
  const time = { shown: duration, unit: ' s' };
  return [
    { ...time, title: 'Boot', sub: `power-on to session${only}`, ...lines((run) => run[6]) },
    ...(numbers.length > 1
      ? []
      : [{ ...time, title: 'Stages', sub: 'the longest ones', lines: stages, marked: stages.slice(0, 1) }]),
    { ...time, title: 'Whole run', sub: `planning to clean-up${only}`, ...lines((run) => run[5]) },
    {
      ...{ title: 'Baked prefixes', sub: `historical paths in files of the store${only}`, shown: count, unit: '' },
      ...lines((run) => run[7]),
    },
  ];
}

/** The plot's place, with what it shows in words. @param {Plot} spec */
function figureOf({ title, sub, lines, shown }) {
  const { make, many } = shared;
  const figure = make('figure');
  const values = lines.flatMap(({ points }) => points.flatMap(({ value }) => value ?? []));
  const runs = new Set(
    lines.flatMap(({ points }) => points.filter(({ value }) => value !== null).map(({ run }) => run)),
  );
  const most = values.reduce((max, value) => Math.max(max, value), 0);
  const figures = `median ${shown(plotLines.median(values))}, last ${shown(values.at(-1) ?? null)}, most ${shown(most)}`;
  const about = lines.length > 1 ? `${sub}; ${many(runs.size)}` : `${sub}; ${figures}; ${many(runs.size)}`;
  const caption = make('figcaption', `${title} `);
  caption.append(make('span', values.length === 0 ? 'nothing recorded' : about));
  figure.append(caption);
  if (values.length === 0) return { figure, place: null };
  const place = make('div', undefined, 'plot');
  place.tabIndex = 0;
  // Its value is the run under the cursor, so that a reader of screens leaves the arrow keys to it.
  place.setAttribute('role', 'slider');
  place.setAttribute('aria-valuemin', '0');
  place.setAttribute('aria-label', `${title}: ${about}`);
  figure.append(place);
  return { figure, place };
}

/** What the marks mean, and what changed when. @param {Change[]} changes @param {string[]} often @param {boolean} one */
function footOf(changes, often, one) {
  const { make, day } = shared;
  const foot = make('div', undefined, 'foot');
  const marks = make('p', undefined, 'muted small');
  marks.append(
    make('i', undefined, 'mark fail'),
    ' FAIL ',
    make('i', undefined, 'mark error'),
    one ? ' ERROR, below zero.' : ' ERROR, below zero, a row for each line, A on top.',
  );
  marks.append(' A gap: not measured, or no run for long. Point at a run, or use the arrow keys; Enter opens it.');
  foot.append(marks);
  const list = make('ol', undefined, 'changed');
  for (const { run, what } of changes) {
    const item = make('li', `${what.join('; ')}, `);
    const link = make('a', day(run[1]));
    link.href = `run/${run[0]}.html`;
    item.append(link);
    list.append(item);
  }
  if (changes.length > 0) foot.append(make('h3', 'What changed'), list);
  else if (one) foot.append(make('p', 'Nothing that is recorded changed in between.', 'muted small'));
  if (often.length > 0) foot.append(make('p', `Not marked: ${often.join(', ')}.`, 'muted small'));
  return foot;
}
