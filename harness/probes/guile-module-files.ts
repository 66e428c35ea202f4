/**
 * guile_module_file_…: the file that each of the three modules was loaded from lies in the store.
 *
 * Observed: source and compiled file that the load paths of a fresh Guile lead to, with their real paths and
 *   times, and that the module loaded (see guile-modules.ts).
 * Proof: Guile takes the compiled file where it is not older than the source, or where there is no source, and
 *   the source else; caches elsewhere are shut out. So these two lines name the file. Its real path, every link
 *   resolved by the kernel, lies below `<store>/`: a folder that only begins like the store does not.
 * What could fool it: `module-filename`, which names what the compiler was given (so it is not used); a compiled
 *   file that Guile cannot load and replaces by the source (so both must lie in the store). What the running
 *   Shepherd has mapped is another question: stale_cache_… and process_prefixes look there.
 */
import type { Check, Probe } from '../model.ts';
import { check } from './check.ts';
import {
  askModules,
  lineOf,
  MODULES,
  MODULES_PATHS,
  MODULES_RUNS,
  type ModulesSpoken,
  moduleKey,
  notLoaded,
  readModules,
} from './guile-modules.ts';
import { inStore } from './store-path.ts';

export const guileModuleFiles: Probe = {
  name: 'guile-module-files',
  look: 'settled',
  paths: MODULES_PATHS,
  runs: MODULES_RUNS,
  observe: (guest) => guest.run(askModules(guest.paths)),
  expect: (observation, { paths }): readonly [Check, ...Check[]] => {
    const spoken = readModules(observation, paths);
    const [first, ...others] = MODULES.map((module) => fileCheck(module, spoken, paths.store));
    if (first === undefined) throw new TypeError('there are modules');
    return [first, ...others];
  },
};

function fileCheck(module: string, spoken: ModulesSpoken | string, store: string): Check {
  const name = `guile_module_file_${moduleKey(module)}`;
  const expected = `a file under ${store}`;
  if (typeof spoken === 'string') return check.unobserved(name, expected, spoken);
  const { lines, bare } = spoken;
  const ofModule = lines.filter(({ fields }) => fields[0] === module);
  if (['source', 'compiled', 'loaded'].some((word) => ofModule.filter((line) => line.word === word).length > 1)) {
    return check.unobserved(name, expected, `Guile named the file of ${module} twice`);
  }
  if (lineOf(lines, 'loaded', module) === undefined) return notLoaded(spoken, module, name, expected);
  const [source, compiled] = [lineOf(lines, 'source', module), lineOf(lines, 'compiled', module)];
  const loaded = compiled !== undefined && !isOlder(compiled, source) ? compiled : source;
  if (loaded === undefined) return check.unobserved(name, expected, `${module} is on no load path`);
  const outside = [loaded, source, compiled].map(placeOf).find((place) => place !== null && !inStore(place, store));
  const actual = placeOf(loaded) ?? '?';
  if (outside == null) return check.held(name, expected, actual);
  if (bare) return check.unobserved(name, expected, `no environment for Guile was found; without one: ${outside}`);
  return check.failed(name, expected, outside, `${module} is found outside ${store}`);
}

/** The real path, or the path as found where it has none any more; null: there is no such file. */
function placeOf(fields: readonly string[] | undefined): string | null {
  return fields === undefined ? null : fields[2] || fields[1] || '?';
}

/** By their times in seconds; equal counts as fresh, as for Guile. */
function isOlder(compiled: readonly string[], source: readonly string[] | undefined): boolean {
  return source !== undefined && Number(compiled[3]) < Number(source[3]);
}
