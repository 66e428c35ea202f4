/**
 * stale_cache_…: no compiled file of the three modules would bring a historical prefix back.
 *
 * Observed: for each module every `.go` on the load path of compiled files, and every one in a fallback cache of
 *   root, of a process without a home, and of the running Shepherd: its time beside that of the source, and
 *   whether its bytes hold one of the prefixes (see guile-modules.ts). Before any of the modules has run.
 * Proof: Guile takes a compiled file silently where it is not older than its source, whatever it was compiled
 *   from; an image builder that makes all times equal thus revives a file compiled before the source was
 *   corrected. Guile keeps the constants of a module as plain bytes in the `.go`: a prefix that is in the
 *   code is found there. So a file is fine where it is as new as the source and holds no prefix. One on the load path
 *   that is older than its source is stale by Guile's own rule, and one change of its time away from being
 *   taken: not fine, even if clean. In a fallback cache, which nobody stages, Guile ignores an old one: there only
 *   the content counts, since it shows what was compiled.
 * What could fool it: a prefix that is put together at run time, or compressed (the values of `(shepherd config)` are
 *   checked by themselves); a cache of a user who is not looked at; one in the store that no load path leads to
 *   (baked_prefix_strings counts it).
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
  readModules,
} from './guile-modules.ts';

const EXPECTED = 'absent, or fresh and clean';

export const staleCaches: Probe = {
  name: 'stale-caches',
  look: 'settled',
  paths: [...MODULES_PATHS, 'shimPrefixes'],
  runs: MODULES_RUNS,
  observe: (guest) => guest.run(askModules(guest.paths)),
  expect: (observation, { paths }): readonly [Check, ...Check[]] => {
    const spoken =
      paths.shimPrefixes.length === 0 ? 'no prefix was named to look for' : readModules(observation, paths);
    const [first, ...others] = MODULES.map((module) => cacheCheck(module, spoken));
    if (first === undefined) throw new TypeError('there are modules');
    return [first, ...others];
  },
};

function cacheCheck(module: string, spoken: ModulesSpoken | string): Check {
  const name = `stale_cache_${moduleKey(module)}`;
  if (typeof spoken === 'string') return check.unobserved(name, EXPECTED, spoken);
  const { lines, bare } = spoken;
  const sought = lineOf(lines, 'sought', module);
  const caches = lines.filter(({ word, fields }) => word === 'cache' && fields[0] === module);
  const wrong: string[] = [];
  const unknown: string[] = [];
  for (const { fields } of caches) {
    const [, kind, file = '?', , modified, content = ''] = fields;
    const older = sought?.[2] !== '' && Number(modified) < Number(sought?.[2]);
    if (content.startsWith('holds ')) wrong.push(`${file} ${content}`);
    else if (kind === 'path' && older) wrong.push(`${file} is older than its source ${sought?.[1]}`);
    else if (content !== 'clean') unknown.push(`${file}: ${content || 'nothing was said of its content'}`);
  }
  if (wrong.length > 0) {
    const reason = wrong.join('; ');
    if (bare) return check.unobserved(name, EXPECTED, `no environment for Guile was found; without one: ${reason}`);
    return check.failed(name, EXPECTED, 'stale', reason);
  }
  const blind = lineOf(lines, 'blind', module);
  if (blind !== undefined) unknown.push(blind.slice(1).join(': '));
  else if (sought === undefined || lineOf(lines, 'looked', module) === undefined) {
    unknown.push(`Guile did not say that it has looked for the caches of ${module}`);
  }
  if (unknown.length > 0) return check.unobserved(name, EXPECTED, unknown.join('; '));
  return check.held(name, EXPECTED, caches.length === 0 ? 'absent' : 'clean');
}
