/**
 * guile_module_smoke: the store-backed Guile loads its three modules, from the store.
 *
 * Observed: a fresh Guile, with the environment of the running Shepherd (or of the environment file)
 *   and nothing else, loads each module, and says which source and which compiled file the load
 *   paths lead to.
 * Proof: a module that loaded shows that its code and its shared object were found; the real paths of
 *   the files show that they were found in the store.
 * What could fool it: a cache in HOME that is loaded instead of the store's files even with
 *   auto-compilation off (so HOME and XDG_CACHE_HOME lead nowhere); another Guile (so its real path
 *   must be in the store); what one module does to the load path (so it is reset before each);
 *   `module-filename`, which of a compiled file is whatever the compiler was told (so it is only
 *   recorded). Loading one module after the other in one process can hide a shared object that only
 *   an earlier module pulls in; three processes would cost a second more.
 * A module that is missing, a Guile that died and a Guile that hangs are told apart by the last thing
 * it said. Only a Guile that has said `started` can blame a module: else the runtime was not observed.
 * Where no environment was found, neither the running Shepherd's nor a file, a module that is missing is
 * missing from Guile's bare defaults: that shows nothing of the service's runtime.
 * A hang counts where Guile answers a trivial expression promptly right after it: else the machine is
 * only slow.
 */
import type { Check, Probe } from '../model.ts';
import { check } from './check.ts';
import {
  askModules,
  firstLine,
  lineOf,
  MODULES,
  MODULES_PATHS,
  MODULES_RUNS,
  type ModulesSpoken,
  readModules,
} from './guile-modules.ts';
import { inStore } from './store-path.ts';

const NAME = 'guile_module_smoke';
const EXPECTED = 'ok';

export const guileModuleSmoke: Probe = {
  name: 'guile-module-smoke',
  look: 'settled',
  paths: MODULES_PATHS,
  runs: MODULES_RUNS,
  observe: (guest) => guest.run(askModules(guest.paths)),
  expect: (observation, { paths }): readonly [Check] => {
    const spoken = readModules(observation, paths);
    if (typeof spoken === 'string') return [check.unobserved(NAME, EXPECTED, spoken)];
    const found = judged(spoken, paths.store);
    if (found.outcome === 'failed' && spoken.bare) {
      return [check.unobserved(NAME, EXPECTED, `no environment for Guile was found; without one: ${found.reason}`)];
    }
    return [found];
  },
};

function judged({ lines, output, status, control }: ModulesSpoken, store: string): Check {
  const one = (word: string, module: string): readonly string[] | undefined => lineOf(lines, word, module);
  const done = lines.some((line) => line.word === 'done');
  const wrong: string[] = [];
  const unknown: string[] = [];
  for (const module of MODULES) {
    const error = one('error', module);
    if (error !== undefined) wrong.push(`${module}: ${error.slice(1).join(': ')}`);
    else if (one('loaded', module) === undefined) {
      if (one('loading', module) === undefined || done) unknown.push(`${module}: Guile said nothing of it`);
      else if (status === '124' && control !== '0') unknown.push(`${module}: slow or hanging, and so is Guile itself`);
      else if (status === '124') wrong.push(`${module}: hang: still loading when its time was up`);
      else wrong.push(`${module}: Guile died with status ${status}`);
    } else {
      // The real path, or the path as found where it has none any more.
      const places = [one('source', module), one('compiled', module)]
        .filter((fields) => fields !== undefined)
        .map((fields) => fields[2] || fields[1] || '?');
      const outside = places.filter((place) => !inStore(place, store));
      if (places.length === 0) unknown.push(`${module} loaded, but its files are not on the load paths`);
      else if (outside.length > 0) wrong.push(`${module}: found outside ${store}: ${outside.join(', ')}`);
    }
  }
  if (wrong.length > 0) {
    return check.failed(NAME, EXPECTED, 'failed', wrong.join('; '));
  }
  if (unknown.length > 0) return check.unobserved(NAME, EXPECTED, unknown.join('; '));
  if (!done || status !== '0') {
    return check.unobserved(NAME, EXPECTED, `Guile ended early with status ${status}: ${firstLine(output)}`);
  }
  return check.held(NAME, EXPECTED, EXPECTED);
}
