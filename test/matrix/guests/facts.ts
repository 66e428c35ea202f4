/** For rows of the matrix: what a healthy guest says, and the same with one thing changed. */
import healthy from '../../../lab/simulated/healthy.json' with { type: 'json' };

export type Facts = Readonly<Record<string, string | null>>;

/** Answers of one guest by probe, in the shape of `--guest-answers`. */
export const guest = (answers: Readonly<Record<string, unknown>>, more: object = {}) => ({
  guests: [{ answers, ...more }],
});

/** What a guest of phase 9 says of its modules. */
const OUTPUT = healthy.modes['freebsd-init+rc.d-shepherd']['guile-module-smoke'].guile_output;

/** The output with what was said of one module put through `change`. @throws Error where it says nothing of it */
export function aboutModule(module: string, change: (said: string) => string): string {
  const start = OUTPUT.indexOf(`\nBW\tloading\t${module}\n`);
  const end = OUTPUT.indexOf(`\nBW\tloaded\t${module}\n`, start);
  if (start < 0 || end < 0) throw new Error(`a healthy guest was expected to load ${module}`);
  const after = end + `\nBW\tloaded\t${module}\n`.length;
  const said = OUTPUT.slice(start, after);
  const changed = change(said);
  if (changed === said) throw new Error(`nothing was changed of what is said of ${module}`);
  return OUTPUT.slice(0, start) + changed + OUTPUT.slice(after);
}

/** The output up to the moment at which it began to load the module. */
export function untilModule(module: string): string {
  const loading = `\nBW\tloading\t${module}\n`;
  const start = OUTPUT.indexOf(loading);
  if (start < 0) throw new Error(`a healthy guest was expected to load ${module}`);
  return OUTPUT.slice(0, start + loading.length);
}

/** Lines as our Scheme programs say them. */
export const said = (...lines: readonly (readonly string[])[]): string =>
  lines.map((fields) => `\nBW\t${fields.join('\t')}\n`).join('');

/** The same answer of Shepherd for both probes that ask it; whichever asks first is answered for both. */
export const talk = (facts: Facts) => ({ 'shepherd-status': { facts }, 'shepherd-pid': { facts } });
