// @ts-check
/** Finds runs in the table of the first page. */

const RUNS_DRAWN = 50;
const RUNS_MORE = 200;

/** @param {Data} data */
function runsTable(data) {
  const { byId, make, many, when, duration } = shared;
  const { cases, statuses, codes, runs } = data;
  const body = byId('rows');
  const more = /** @type {HTMLButtonElement} */ (byId('more'));
  const words = /** @type {HTMLInputElement} */ (byId('words'));
  const status = /** @type {HTMLSelectElement} */ (byId('status'));
  const year = (/** @type {number} */ ms) => new Date(ms).getUTCFullYear();
  const newest = year(runs.at(-1)?.[1] ?? 0);
  const dated = (/** @type {number} */ ms) => (year(ms) === newest ? when(ms) : `${when(ms)} ${year(ms)}`);
  const haystacks = cases.map((each) => each.join(' ').toLowerCase());
  let limit = RUNS_DRAWN;

  const row = (/** @type {Run} */ [id, ms, number, state, code, seconds, bootS]) => {
    const line = make('tr');
    const cell = (/** @type {string} */ text, /** @type {string} */ kind = '') => line.append(make('td', text, kind));
    const result = make('td');
    result.append(make('span', statuses[state], `badge ${(statuses[state] ?? '').toLowerCase()}`));
    const link = make('a');
    link.href = `run/${id}.html`;
    const time = make('time', dated(ms));
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
      const text = `${haystacks[number]} ${(codes[code] ?? '').toLowerCase()} ${id} ${when(ms).toLowerCase()} ${year(ms)}`;
      return wanted.every((word) => text.includes(word));
    };
    const found = runs.filter(fits).reverse();
    body.replaceChildren(...found.slice(0, limit).map(row));
    more.hidden = found.length <= limit;
    byId('found').textContent = `${found.length.toLocaleString('en')} of ${runs.length.toLocaleString('en')}`;
  };
  const again = () => {
    limit = RUNS_DRAWN;
    show();
  };
  words.addEventListener('input', again);
  status.addEventListener('change', again);
  byId('filter').addEventListener('submit', (event) => event.preventDefault());
  more.addEventListener('click', () => {
    limit += RUNS_MORE;
    show();
  });
  // What the page came with is what would be drawn: the count and the button are all that is missing.
  more.hidden = runs.length <= RUNS_DRAWN;
  byId('found').textContent = many(runs.length);
  if (words.value !== '' || status.value !== '') show();
}
