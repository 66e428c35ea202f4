// @ts-check
/** What is drawn over the lines of a plot: runs that did not pass, what changed, which line is which. */

const plotMarks = (() => {
  /** Told apart on light and on dark (3 : 1), and by dashes and letters. */
  const COLOURS = ['#2f6fb5', '#b3591a', '#2f7d5b', '#8e4aa0', '#8a6d1d', '#b04a6b', '#5d6f7f'];
  const DASHES = [[], [7, 3], [2, 2], [9, 3, 2, 3], [14, 4], [4, 5], [1, 4]];
  const LETTERS = 'ABCDEFG';
  const MARK = { width: 3, height: 9, row: 6, letter: 11 };

  const style = (/** @type {string} */ name) =>
    getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

  /** @param {import('uplot')} u @param {(ctx: CanvasRenderingContext2D, ratio: number) => void} paint */
  function over({ ctx }, paint) {
    ctx.save();
    ctx.font = `600 ${MARK.letter * devicePixelRatio}px ${getComputedStyle(document.body).fontFamily}`;
    paint(ctx, devicePixelRatio);
    ctx.restore();
  }

  /** Pixels that the rows of marks take. @param {number} rows */
  const heightOf = (rows) => rows * (rows === 1 ? MARK.height : MARK.row) + 4;

  /** Below zero, full for FAIL and hollow for ERROR. @param {import('uplot')} u @param {Line[]} marked @param {string[]} statuses */
  function outcomes(u, marked, statuses) {
    over(u, (ctx, ratio) => {
      const height = (marked.length === 1 ? MARK.height : MARK.row - 1) * ratio;
      const top = u.bbox.top + u.bbox.height - (heightOf(marked.length) - 2) * ratio;
      ctx.lineWidth = ratio;
      ctx.fillStyle = style('fail');
      ctx.strokeStyle = style('error');
      marked.forEach(({ points }, row) => {
        const y = top + row * MARK.row * ratio;
        for (const { x, run } of points) {
          const left = Math.round(u.valToPos(x, 'x', true) - (MARK.width / 2) * ratio);
          const status = statuses[run[3]];
          if (status === 'FAIL') ctx.fillRect(left, y, MARK.width * ratio, height);
          if (status === 'ERROR')
            ctx.strokeRect(left + ratio / 2, y + ratio / 2, (MARK.width - 1) * ratio, height - ratio);
        }
      });
    });
  }

  /** A dashed line with the number that it has in the list below. @param {import('uplot')} u @param {Change[]} changes */
  function changed(u, changes) {
    over(u, (ctx, ratio) => {
      ctx.strokeStyle = ctx.fillStyle = style('muted');
      ctx.lineWidth = ratio;
      ctx.setLineDash([3 * ratio, 3 * ratio]);
      ctx.textAlign = 'center';
      let free = Number.NEGATIVE_INFINITY;
      changes.forEach(({ x }, nth) => {
        const left = u.valToPos(x, 'x', true);
        ctx.beginPath();
        ctx.moveTo(left, u.bbox.top);
        ctx.lineTo(left, u.bbox.top + u.bbox.height);
        ctx.stroke();
        if (left < free) return; // its number would cover the one before
        free = left + MARK.letter * ratio;
        ctx.fillText(String(nth + 1), left, u.bbox.top - 3 * ratio);
      });
    });
  }

  /** At the end of each line, and none over another. @param {import('uplot')} u @param {Line[]} lines */
  function letters(u, lines) {
    const ends = lines.flatMap(({ points }, nth) => {
      const value = points.findLast((point) => point.value !== null)?.value;
      return value == null ? [] : [{ nth, y: u.valToPos(value, 'y', true) }];
    });
    over(u, (ctx, ratio) => {
      let free = Number.POSITIVE_INFINITY;
      ctx.textBaseline = 'middle';
      ctx.textAlign = 'left';
      for (const { nth, y } of ends.sort((a, b) => b.y - a.y)) {
        const at = Math.min(y, free);
        free = at - MARK.letter * ratio;
        ctx.fillStyle = style('ink');
        ctx.fillText(LETTERS[nth] ?? '', u.bbox.left + u.bbox.width + 4 * ratio, at);
      }
    });
  }

  /** A piece of the line, as it is drawn. @param {number} nth */
  function sample(nth) {
    const make = (/** @type {string} */ name, /** @type {Record<string, string>} */ all) => {
      const element = document.createElementNS('http://www.w3.org/2000/svg', name);
      for (const [key, value] of Object.entries(all)) element.setAttribute(key, value);
      return element;
    };
    const dash = (DASHES[nth] ?? []).join(' ');
    const svg = make('svg', { width: '28', height: '10', 'aria-hidden': 'true' });
    const ends = { x1: '0', x2: '28', y1: '5', y2: '5' };
    svg.append(make('line', { ...ends, 'stroke-width': '2', stroke: COLOURS[nth] ?? '', 'stroke-dasharray': dash }));
    return svg;
  }

  return { COLOURS, DASHES, LETTERS, style, heightOf, outcomes, changed, letters, sample };
})();
