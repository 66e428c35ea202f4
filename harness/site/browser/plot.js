// @ts-check
/**
 * Draws one plot, and says below it what is under the cursor. Arrow keys move the cursor from run to run, Enter opens
 * the run.
 *
 * @typedef {{data: Data, changes: Change[], one: boolean}} Context
 *   `one`: all runs are of one case
 */

const plot = (() => {
  const HEIGHT = 220;
  const DAY_S = 86_400;
  /** With more the points would hide the line. */
  const POINTS_MAX = 80;
  const AXIS = 34;

  /** @param {Plot} spec @param {HTMLElement} place @param {Context} context @returns {HTMLElement[]} what belongs below */
  function draw(spec, place, context) {
    const { lines } = spec;
    const alone = lines.length === 1;
    const readout = shared.make('p', undefined, 'readout');
    const legend = alone ? null : legendOf(spec);
    const runAt = new Map(lines.flatMap(({ points }) => points.map(({ x, run }) => [x, run])));
    const times = [...runAt.keys()].sort((a, b) => a - b);
    place.setAttribute('aria-valuemax', String(times.length - 1));
    const say = (/** @type {import('uplot')} */ u) => {
      const at = u.cursor.idx;
      const x = at == null ? Number.POSITIVE_INFINITY : (u.data[0][at] ?? 0);
      legend?.at(x);
      const run = runAt.get(x);
      readout.replaceChildren(...(run === undefined ? [] : wordsOf(run, x, spec, context)));
      const now = run === undefined ? times.length - 1 : times.indexOf(x);
      place.setAttribute('aria-valuenow', String(now));
      place.setAttribute('aria-valuetext', readout.textContent || 'no run is chosen');
    };
    const columns = plotLines.columns(lines);
    const u = new uPlot(
      { ...optionsOf(spec, place.clientWidth, context), hooks: hooksOf(spec, context, say) },
      columns,
      place,
    );
    say(u);
    listen(u, place, runAt, times);
    return legend === null ? [readout] : [legend.list, readout];
  }

  /** @param {Plot} spec @param {Context} context @param {(u: import('uplot')) => void} say @returns {import('uplot').Hooks.Arrays} */
  function hooksOf({ lines, marked }, { data, changes }, say) {
    const paint = (/** @type {import('uplot')} */ u) => {
      plotMarks.changed(u, changes);
      plotMarks.outcomes(u, marked, data.statuses);
      if (lines.length > 1) plotMarks.letters(u, lines);
    };
    return { draw: [paint], setCursor: [say] };
  }

  /** @param {Plot} spec @param {number} width @param {Context} context @returns {import('uplot').Options} */
  function optionsOf({ lines, marked, unit }, width, { changes }) {
    const { day, clock } = shared;
    const alone = lines.length === 1;
    const top = changes.length > 0 ? 18 : 8;
    const lane = plotMarks.heightOf(marked.length);
    const below = (1.08 * lane) / (HEIGHT - AXIS - top - lane);
    const grid = { stroke: plotMarks.style('line'), width: 1 };
    const axis = { stroke: plotMarks.style('muted'), grid, ticks: grid };
    return {
      ...{
        width,
        height: HEIGHT,
        legend: { show: false },
        cursor: { points: { size: 6 }, drag: { x: false, y: false } },
      },
      padding: [top, alone ? 8 : 20, 0, 0],
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
      scales: {
        x: { range: ({ data: [times] }) => spanOf(times) },
        y: { range: (_, __, max) => [-below * (max || 1), 1.08 * (max || 1)] },
      },
      axes: [
        {
          ...{ ...axis, space: 70, size: AXIS },
          values: (_, ticks, __, ___, step) => ticks.map((tick) => (step < DAY_S ? clock : day)(tick * 1000)),
        },
        {
          ...{ ...axis, size: 60, filter: (_, ticks) => ticks.map((tick) => (tick < 0 ? null : tick)) },
          values: (_, ticks) => ticks.map((tick) => (tick === null ? '' : `${tick.toLocaleString('en')}${unit}`)),
        },
      ],
      series: [{}, ...lines.map(({ label, points }, nth) => seriesOf(label, points.length, nth, alone))],
    };
  }

  /** One run alone, or a few of one day, are not drawn as if they filled a year or an edge. @param {ArrayLike<number>} times @returns {[number, number]} */
  function spanOf(times) {
    const [from, to] = [times[0] ?? 0, times[times.length - 1] ?? 0];
    return to - from < 2 * DAY_S ? [from - DAY_S, to + DAY_S] : [from, to];
  }

  /** @param {string} label @param {number} count @param {number} nth @param {boolean} alone @returns {import('uplot').Series} */
  function seriesOf(label, count, nth, alone) {
    const stroke = alone ? plotMarks.style('link') : (plotMarks.COLOURS[nth] ?? '');
    return {
      ...{ label, width: 1.25, spanGaps: false, stroke, dash: alone ? [] : (plotMarks.DASHES[nth] ?? []) },
      points: {
        ...{ show: count < POINTS_MAX, size: 4 },
        // A figure between two gaps has no line to be seen by.
        filter: (u, series, all) =>
          all ? null : single(/** @type {(number | null | undefined)[]} */ (u.data[series])),
      },
    };
  }

  /** Where figures stand alone. @param {(number | null | undefined)[]} values */
  function single(values) {
    const own = values.flatMap((value, at) => (value === undefined ? [] : [{ value, at }]));
    const alone = own.filter(
      ({ value }, n) => value !== null && own[n - 1]?.value == null && own[n + 1]?.value == null,
    );
    return alone.map(({ at }) => at);
  }

  /** @param {Plot} spec */
  function legendOf({ lines, shown }) {
    const { make } = shared;
    const list = make('ul', undefined, 'legend');
    const values = lines.map(({ label }, nth) => {
      const [item, value] = [make('li'), make('b')];
      item.append(make('b', plotMarks.LETTERS[nth]), plotMarks.sample(nth), make('span', label), value);
      list.append(item);
      return value;
    });
    const at = (/** @type {number} */ x) =>
      lines.forEach(({ points }, nth) => {
        const value = points.findLast((point) => point.x <= x && point.value !== null)?.value ?? null;
        const element = values[nth];
        if (element !== undefined) element.textContent = shown(value);
      });
    return { list, at };
  }

  /** A run in words, with a link to its page. @param {Run} run @param {number} x @param {Plot} spec @param {Context} context */
  function wordsOf(run, x, { lines, shown }, { data, changes, one }) {
    const link = shared.make('a', `${shared.when(run[1])} UTC`);
    link.href = `run/${run[0]}.html`;
    const [, image, lab] = data.cases[run[2]] ?? [];
    const words = [`: ${data.statuses[run[3]]} ${data.codes[run[4]] ?? ''}`.trimEnd()];
    const value = lines.length > 1 ? undefined : lines[0]?.points.find((point) => point.x === x)?.value;
    if (value !== undefined) words.push(shown(value));
    words.push(...(one ? [] : [`${image} on ${lab}`]), ...(changes.find((change) => change.run === run)?.what ?? []));
    return [link, document.createTextNode(words.join('; '))];
  }

  /** @param {import('uplot')} u @param {HTMLElement} place @param {Map<number, Run>} runAt @param {number[]} times */
  function listen(u, place, runAt, times) {
    const open = () => {
      const run = runAt.get(u.data[0][u.cursor.idx ?? -1] ?? Number.NaN);
      if (run !== undefined) location.href = `run/${run[0]}.html`;
    };
    // A finger's tap puts the cursor there, and the line below has the link.
    u.over.addEventListener('click', (event) => {
      if (/** @type {PointerEvent} */ (event).pointerType === 'mouse') open();
    });
    place.addEventListener('keydown', (event) => {
      const last = times.length - 1;
      const now = u.cursor.idx == null ? null : times.findIndex((x) => x >= (u.data[0][u.cursor.idx ?? 0] ?? 0));
      const steps = { ArrowLeft: (now ?? last + 1) - 1, ArrowRight: (now ?? last - 1) + 1, Home: 0, End: last };
      const to = /** @type {Record<string, number>} */ (steps)[event.key];
      if (event.key === 'Enter') open();
      if (to === undefined) return;
      event.preventDefault();
      const left = u.valToPos(times[Math.min(last, Math.max(0, to))] ?? 0, 'x');
      u.setCursor({ left, top: u.over.clientHeight / 2 });
    });
  }

  return { draw, spanOf };
})();
