// @ts-check
/**
 * The first page's own script: finds runs, draws trends. It asks for nothing: the runs are in the page, and the plotting
 * library stands before it. Everything from outside becomes text by textContent, never HTML.
 */
(() => {
  /**
   * @typedef {[id: string, startedMs: number, caseNumber: number, status: number, code: number, seconds: number,
   *   bootS: number | null, baked: number | null, stages: number[]]} Run
   * @typedef {{cases: [scenario: string, image: string, lab: string][], statuses: string[], codes: string[],
   *   stages: string[], runs: Run[], first: number}} Data
   */
  const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
  const STALE_MS = 36 * 3_600_000;
  const ROWS = 50;
  const ROWS_MORE = 200;
  const STAGES_MAX = 7;

  /** @param {string} id */
  const byId = (id) => {
    const found = document.getElementById(id);
    if (found === null) throw new Error(`no element ${id}`);
    return found;
  };
  /** @template {keyof HTMLElementTagNameMap} K @param {K} name @param {string} [text] @param {string} [kind] */
  const make = (name, text, kind) => {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    if (kind) element.className = kind;
    return element;
  };
  const two = (/** @type {number} */ value) => String(value).padStart(2, '0');
  const when = (/** @type {number} */ ms) => {
    const at = new Date(ms);
    return `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
  };
  const duration = (/** @type {number | null} */ seconds) => {
    if (seconds === null) return '–';
    if (seconds < 99.95) return `${seconds.toFixed(1)} s`;
    const whole = Math.round(seconds);
    if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
    return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
  };

  /** A nightly that has stopped looks like one that is fine, unless somebody says so. */
  function tellAge() {
    const note = byId('stale');
    const newest = Number(note.dataset.newest);
    const age = Date.now() - newest;
    if (age < STALE_MS) return;
    note.textContent = `The newest run is ${Math.round(age / 86_400_000)} days old (${when(newest)} UTC).`;
    note.hidden = false;
  }

  /** @param {Data} data */
  function runsTable(data) {
    const { cases, statuses, codes, runs } = data;
    const body = byId('rows');
    const more = /** @type {HTMLButtonElement} */ (byId('more'));
    const words = /** @type {HTMLInputElement} */ (byId('words'));
    const status = /** @type {HTMLSelectElement} */ (byId('status'));
    const haystacks = cases.map((each) => each.join(' ').toLowerCase());
    let limit = ROWS;

    const row = (/** @type {Run} */ [id, ms, number, state, code, seconds, bootS]) => {
      const line = make('tr');
      const cell = (/** @type {string} */ text, /** @type {string} */ kind = '') => line.append(make('td', text, kind));
      const result = make('td');
      result.append(make('span', statuses[state], `badge ${(statuses[state] ?? '').toLowerCase()}`));
      const link = make('a');
      link.href = `run/${id}.html`;
      const time = make('time', when(ms));
      time.dateTime = time.title = new Date(ms).toISOString();
      link.append(time);
      const at = make('td');
      at.append(link);
      line.append(result, at);
      const [scenario = '', image = '', lab = ''] = cases[number] ?? [];
      for (const text of [scenario, image, lab, codes[code] ?? '']) cell(text);
      cell(duration(bootS), 'n');
      cell(duration(seconds), 'n');
      return line;
    };
    const show = () => {
      const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
      const fits = (/** @type {Run} */ [id, ms, number, state, code]) => {
        if (status.value !== '' && statuses[state] !== status.value) return false;
        if (wanted.length === 0) return true;
        const text = `${haystacks[number]} ${(codes[code] ?? '').toLowerCase()} ${id} ${when(ms).toLowerCase()}`;
        return wanted.every((word) => text.includes(word));
      };
      const found = runs.filter(fits).reverse();
      body.replaceChildren(...found.slice(0, limit).map(row));
      more.hidden = found.length <= limit;
      byId('found').textContent = `${found.length.toLocaleString('en')} of ${runs.length.toLocaleString('en')}`;
    };
    const again = () => {
      limit = ROWS;
      show();
    };
    words.addEventListener('input', again);
    status.addEventListener('change', again);
    byId('filter').addEventListener('submit', (event) => event.preventDefault());
    more.addEventListener('click', () => {
      limit += ROWS_MORE;
      show();
    });
    // What the page came with is what would be drawn: the count and the button are all that is missing.
    more.hidden = runs.length <= ROWS;
    byId('found').textContent = `${runs.length.toLocaleString('en')} runs`;
    if (words.value !== '' || status.value !== '') show();
  }

  const median = (/** @type {number[]} */ values) =>
    [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

  /** @param {Data} data */
  function trends(data) {
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
    const draw = () => {
      shown = true;
      drawCase(data, Number(select.value), plots);
    };
    select.addEventListener('change', draw);
    const redraw = () => shown && draw();
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
    matchMedia('print').addEventListener('change', redraw);
    let width = innerWidth;
    addEventListener('resize', () => {
      if (innerWidth !== width) redraw();
      width = innerWidth;
    });
    addEventListener('beforeprint', () => !shown && draw());
    // Drawing waits until somebody comes near: opening the page costs nothing for it.
    new IntersectionObserver(
      (entries, observer) => {
        if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
        observer.disconnect();
        if (!shown) draw();
      },
      { rootMargin: '300px' },
    ).observe(byId('trends'));
  }

  /** @param {Data} data @param {number} number @param {HTMLElement} plots */
  function drawCase(data, number, plots) {
    const runs = data.runs.filter((run) => run[2] === number);
    const sums = data.stages.map(() => 0);
    const ofStages = runs.map((run) => {
      /** @type {(number | null)[]} */
      const values = data.stages.map(() => null);
      for (let at = 0; at < run[8].length; at += 2) {
        const [stage = 0, seconds = 0] = [run[8][at], run[8][at + 1]];
        values[stage] = seconds;
        sums[stage] = (sums[stage] ?? 0) + seconds;
      }
      return values;
    });
    const largest = sums.map((sum, stage) => ({ sum, stage })).filter(({ sum }) => sum > 0);
    largest.sort((a, b) => b.sum - a.sum);
    const kept = largest.slice(0, STAGES_MAX).map(({ stage }) => stage);
    const boot = runs.map((run) => run[6]);
    const baked = runs.map((run) => run[7]);
    const seconds = duration;
    const count = (/** @type {number | null} */ value) => (value === null ? '–' : String(value));
    const of = (/** @type {number} */ stage) => ofStages.map((values) => values[stage] ?? null);
    plots.replaceChildren();
    const stageLines = kept.map((stage) => ({ label: data.stages[stage] ?? '', values: of(stage) }));
    plot(plots, {
      title: 'Boot',
      sub: 'power-on to session',
      runs,
      lines: [{ label: 'boot', values: boot }],
      shown: seconds,
    });
    plot(plots, { title: 'Stages', sub: 'seconds of each', runs, lines: stageLines, shown: seconds });
    plot(plots, {
      title: 'Whole run',
      sub: 'planning to clean-up',
      runs,
      lines: [{ label: 'run', values: runs.map((run) => run[5]) }],
      shown: seconds,
    });
    plot(plots, {
      title: 'Baked prefixes',
      sub: 'historical paths in files of the store',
      runs,
      lines: [{ label: 'prefixes', values: baked }],
      shown: count,
    });
  }

  /**
   * @param {HTMLElement} plots
   * @param {{title: string, sub: string, runs: Run[], lines: {label: string, values: (number | null)[]}[],
   *   shown: (value: number | null) => string}} what
   */
  function plot(plots, { title, sub, runs, lines, shown }) {
    const figure = make('figure');
    const caption = make('figcaption', `${title} `);
    const values = (lines[0]?.values ?? []).flatMap((value) => value ?? []);
    const about =
      values.length === 0
        ? 'nothing recorded'
        : lines.length > 1
          ? `${sub}; ${runs.length} runs`
          : `${sub}; median ${shown(median(values))}, last ${shown(values.at(-1) ?? null)}, most ${shown(Math.max(...values))}; ${values.length} runs`;
    caption.append(make('span', about));
    figure.append(caption);
    plots.append(figure);
    if (values.length === 0) return;
    const place = make('div', undefined, 'plot');
    place.setAttribute('role', 'img');
    place.setAttribute('aria-label', `${title}: ${about}`);
    figure.append(place);
    const style = getComputedStyle(document.documentElement);
    const colour = (/** @type {string} */ name) => style.getPropertyValue(`--${name}`).trim();
    const wheel = ['#3f7fbf', '#c0712c', '#3d9970', '#a05cb0', '#b8963e', '#c25b78', '#6b7f8f'];
    const axis = {
      stroke: colour('muted'),
      grid: { stroke: colour('line'), width: 1 },
      ticks: { stroke: colour('line'), width: 1 },
    };
    const red = runs.map((run) => run[3] !== 0);
    new uPlot(
      {
        width: place.clientWidth,
        height: 220,
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
        scales: { y: { range: (_, __, max) => [0, max > 0 ? max * 1.08 : 1] } },
        axes: [axis, { ...axis, size: 56, values: (_, ticks) => ticks.map((tick) => String(tick)) }],
        legend: { live: true },
        cursor: { points: { size: 6 } },
        series: [
          { value: (_, seconds) => (seconds == null ? '' : `${when(seconds * 1000)} UTC`), label: 'run' },
          ...lines.map(({ label }, index) => ({
            label,
            stroke: lines.length === 1 ? colour('link') : (wheel[index % wheel.length] ?? ''),
            width: 1.25,
            spanGaps: true,
            points: { show: runs.length < 80, size: 4 },
            value: (/** @type {unknown} */ _, /** @type {number | null} */ value) =>
              value == null ? '' : shown(value),
          })),
        ],
        hooks: { draw: [(/** @type {any} */ u) => markRed(u, red, colour('fail'))] },
      },
      [runs.map((run) => run[1] / 1000), ...lines.map((line) => line.values)],
      place,
    );
  }

  /** A tick at the lower edge for each run that was not PASS. @param {any} u @param {boolean[]} red @param {string} colour */
  function markRed(u, red, colour) {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.fillStyle = colour;
    const size = 3 * devicePixelRatio;
    red.forEach((isRed, index) => {
      if (isRed)
        ctx.fillRect(
          u.valToPos(u.data[0][index], 'x', true) - size / 3,
          bbox.top + bbox.height - 3 * size,
          size / 1.5,
          3 * size,
        );
    });
    ctx.restore();
  }

  const block = document.getElementById('data');
  if (block === null) return;
  document.documentElement.classList.add('scripted');
  /** @type {Data} */
  const data = JSON.parse(block.textContent ?? '');
  tellAge();
  runsTable(data);
  trends(data);
})();
