// @ts-check
/**
 * What the plots show, from the runs in the page. A run without a figure is a gap in its line, and so is a long time
 * without runs.
 *
 * @typedef {{x: number, run: Run, value: number | null}} Point
 * @typedef {{label: string, points: Point[]}} Line
 * @typedef {{title: string, sub: string, shown: (value: number | null) => string, unit: string, lines: Line[],
 *   marked: Line[]}} Plot
 *   `marked`: lines whose runs are marked where they did not pass, each in a row of its own
 * @typedef {{x: number, run: Run, what: string[]}} Change
 */

const plotLines = (() => {
  const LINES_MAX = 7;
  /** So much longer than usual between two runs is a gap, and never what is less than two days. */
  const GAP_TIMES = 4;
  const GAP_S = 2 * 86_400;
  /** What changes more often is a nightly's image, and no event. */
  const CHANGES_MAX = 9;
  /** The library's word for it. */
  const NULL_EXPAND = 2;

  /** @param {number[]} values */
  const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

  /** No two at the same time. @param {Run[]} runs @returns {number[]} */
  function timesOf(runs) {
    let last = Number.NEGATIVE_INFINITY;
    return runs.map((run) => {
      last = Math.max(run[1] / 1000, last + 0.001);
      return last;
    });
  }

  /** @param {string} label @param {Run[]} runs @param {(run: Run) => number | null} value @returns {Line} */
  function lineOf(label, runs, value) {
    const times = timesOf(runs);
    return { label, points: runs.map((run, at) => ({ x: times[at] ?? 0, run, value: value(run) })) };
  }

  /** The longest stages, the longest first. @param {Data} data @param {Run[]} runs @returns {Line[]} */
  function stageLines({ stages }, runs) {
    const secondsOf = (/** @type {Run} */ run, /** @type {number} */ stage) => {
      for (let at = 0; at < run[8].length; at += 2) if (run[8][at] === stage) return run[8][at + 1] ?? null;
      return null;
    };
    return stages
      .map((label, stage) => ({ label, sum: runs.reduce((sum, run) => sum + (secondsOf(run, stage) ?? 0), 0), stage }))
      .filter(({ sum }) => sum > 0)
      .sort((a, b) => b.sum - a.sum)
      .slice(0, LINES_MAX)
      .map(({ label, stage }) => lineOf(label, runs, (run) => secondsOf(run, stage)));
  }

  /** Columns as the library wants them: null is a gap, undefined a run of another line. @param {Line[]} lines */
  function columns(lines) {
    const tables = lines.map(({ points }) => {
      const steps = points.slice(1).map(({ x }, at) => x - (points[at]?.x ?? 0));
      const longest = Math.max(GAP_S, GAP_TIMES * median(steps));
      /** @type {[number[], (number | null)[]]} */
      const table = [[], []];
      points.forEach(({ x, value }, at) => {
        const before = points[at - 1]?.x ?? x;
        if (x - before > longest) {
          table[0].push((x + before) / 2);
          table[1].push(null);
        }
        table[0].push(x);
        table[1].push(value);
      });
      return table;
    });
    // A gap lasts until the line's own next figure, whatever other lines have in between.
    return uPlot.join(
      tables,
      tables.map(() => [0, NULL_EXPAND]),
    );
  }

  /** What was different from the run before, the latest last. @param {Data} data @param {Run[]} runs */
  function changes({ facts, looks }, runs) {
    const times = timesOf(runs);
    const each = looks.map((look, nth) => {
      /** @type {{at: number, text: string}[]} */
      const found = [];
      let known = /** @type {string | null} */ (null);
      runs.forEach((run, at) => {
        const now = facts[run[9]]?.[nth] ?? null;
        if (now === null) return;
        if (known !== null && now !== known) found.push({ at, text: `${look} ${known} → ${now}` });
        known = now;
      });
      return { look, found };
    });
    /** @type {Map<number, string[]>} */
    const byRun = new Map();
    for (const { found } of each.filter(({ found }) => found.length <= CHANGES_MAX)) {
      for (const { at, text } of found) byRun.set(at, [...(byRun.get(at) ?? []), text]);
    }
    const often = each.filter(({ found }) => found.length > CHANGES_MAX);
    const shown = [...byRun].sort(([a], [b]) => a - b).slice(-CHANGES_MAX);
    return {
      /** @type {Change[]} */
      shown: shown.flatMap(([at, what]) => {
        const run = runs[at];
        return run === undefined ? [] : [{ x: times[at] ?? 0, run, what }];
      }),
      often: often.map(({ look, found }) => `${look} changed ${found.length} times`),
    };
  }

  return { LINES_MAX, median, lineOf, stageLines, columns, changes };
})();
