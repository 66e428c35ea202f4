// @ts-check
/**
 * What the scripts of the first page share. They ask for nothing: the runs are in the page, and the plotting library
 * stands before them. Everything from outside becomes text by textContent, never HTML.
 *
 * @typedef {[id: string, startedMs: number, caseNumber: number, status: number, code: number, seconds: number,
 *   bootS: number | null, baked: number | null, stages: number[], facts: number]} Run
 * @typedef {{cases: [scenario: string, image: string, lab: string][], statuses: string[], codes: string[],
 *   stages: string[], looks: string[], facts: (string | null)[][], runs: Run[], first: number}} Data
 */

const shared = (() => {
  const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
  const two = (/** @type {number} */ value) => String(value).padStart(2, '0');

  /** `26 Nov` @param {number} ms */
  const day = (ms) => `${new Date(ms).getUTCDate()} ${MONTHS[new Date(ms).getUTCMonth()]}`;
  /** `06:49` @param {number} ms */
  const clock = (ms) => `${two(new Date(ms).getUTCHours())}:${two(new Date(ms).getUTCMinutes())}`;
  return {
    day,
    clock,
    /** @param {number} ms */
    when: (ms) => `${day(ms)} ${clock(ms)}`,

    /** @param {number | null} seconds */
    duration: (seconds) => {
      if (seconds === null) return '–';
      if (seconds < 99.95) return `${seconds.toFixed(1)} s`;
      const whole = Math.round(seconds);
      if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
      return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
    },

    /** @param {number} count */
    many: (count) => (count === 1 ? '1 run' : `${count.toLocaleString('en')} runs`),

    /** @param {string} id */
    byId: (id) => {
      const found = document.getElementById(id);
      if (found === null) throw new Error(`no element ${id}`);
      return found;
    },

    /** @template {keyof HTMLElementTagNameMap} K @param {K} name @param {string} [text] @param {string} [kind] */
    make: (name, text, kind) => {
      const element = document.createElement(name);
      if (text !== undefined) element.textContent = text;
      if (kind) element.className = kind;
      return element;
    },
  };
})();
