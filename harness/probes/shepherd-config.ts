/**
 * shepherd_config_…: the values of `(shepherd config)` are those of the system, each a check of its own.
 *
 * Observed: every exported string of `(shepherd config)`, as a fresh Guile in the environment of the running
 *   Shepherd loads it (see guile-modules.ts).
 * Proof: Shepherd is this code: it takes its paths from these variables, so a historical prefix in one of them is
 *   one that it uses.
 * What could fool it: another `(shepherd config)` than Shepherd's own (guile_module_file_… says which file it was,
 *   and the environment is Shepherd's); a Shepherd that was started before the file was changed. A module that
 *   threw has no values, and that is a failure; where Guile was gone or slow nothing was seen. A name that is
 *   missing or no string, in a module that loaded to its end, is a wrong value.
 * Which values are expected is data of the scenario (`shepherdConfig`, `NAME=VALUE`).
 */
import type { Check, Probe } from '../model.ts';
import { check } from './check.ts';
import {
  askModules,
  lineOf,
  MODULES_PATHS,
  MODULES_RUNS,
  type ModulesSpoken,
  notLoaded,
  readModules,
} from './guile-modules.ts';

const MODULE = '(shepherd config)';
const NAME = 'shepherd_config';

export const shepherdConfig: Probe = {
  name: 'shepherd-config',
  look: 'settled',
  paths: [...MODULES_PATHS, 'shepherdConfig'],
  runs: MODULES_RUNS,
  observe: (guest) => guest.run(askModules(guest.paths)),
  expect: (observation, { paths }): readonly [Check, ...Check[]] => {
    const spoken = readModules(observation, paths);
    const [first, ...others] = paths.shepherdConfig.map((setting) => valueCheck(setting, spoken));
    if (first === undefined) return [check.unobserved(NAME, 'its values', 'no value was named to look for')];
    return [first, ...others];
  },
};

function valueCheck(setting: string, spoken: ModulesSpoken | string): Check {
  const [variable = '', ...rest] = setting.split('=');
  const expected = rest.join('=');
  // `Prefix-dir` → `prefix_dir`, `%runstatedir` → `runstatedir`.
  const name = `${NAME}_${variable
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')}`;
  if (typeof spoken === 'string') return check.unobserved(name, expected, spoken);
  const { lines, bare } = spoken;
  if (lineOf(lines, 'loaded', MODULE) === undefined) return notLoaded(spoken, MODULE, name, expected);
  const said = lines.filter(
    ({ word, fields }) => (word === 'value' || word === 'other') && fields[0] === MODULE && fields[1] === variable,
  );
  const [line, second] = said;
  if (second !== undefined) return check.unobserved(name, expected, `Guile named ${variable} twice`);
  const actual = line === undefined ? 'none' : (line.fields[2] ?? '');
  if (line?.word === 'value' && actual === expected) return check.held(name, expected, actual);
  const reason =
    line === undefined
      ? `${MODULE} exports no ${variable}`
      : `${variable} of ${MODULE} is ${line.word === 'value' ? '' : 'no string: '}${actual}`;
  if (bare) return check.unobserved(name, expected, `no environment for Guile was found; without one: ${reason}`);
  return check.failed(name, expected, actual, reason);
}
