/** Guests whose Guile does not load its modules from the store: rows of the matrix. */
import { broken, type Row, unseen } from '../../wire/rows.ts';
import { aboutModule, type Facts, guest, said, untilModule } from './facts.ts';

const MODULES = ['(fibers config)', '(gnutls)', '(shepherd config)'] as const;
const CHECK = 'guile_module_smoke';
const OLD = '/tmp/guile-gnutls-freebsd-validate-install';

const smoke = (facts: Facts) => guest({ 'guile-module-smoke': { facts } });
const output = (guile_output: string) => smoke({ guile_output });
/** In place of all that was said of the module. */
const error = (module: string, key: string, text: string): string =>
  aboutModule(module, () => said(['loading', module], ['error', module, key, text]));

const FAILING: readonly Row[] = MODULES.flatMap((module): Row[] => [
  {
    name: `${module} is missing`,
    answers: output(error(module, 'misc-error', `no code for module ${module}`)),
    ...{ ...broken(CHECK), says: /no code for module/ },
  },
  {
    name: `${module} throws`,
    answers: output(error(module, 'wrong-type-arg', 'Wrong type argument in position 1: #f')),
    ...{ ...broken(CHECK), says: /Wrong type argument/ },
  },
  {
    name: `${module} is loaded from outside the store`,
    answers: output(aboutModule(module, (text) => text.replaceAll('\t/frx/store/', `\t${OLD}/`))),
    ...{ ...broken(CHECK), says: /outside \/frx\/store/ },
  },
  {
    name: `${module}: its compiled file is from outside the store`,
    answers: output(
      aboutModule(module, (text) => said(['compiled', module, `${OLD}/a.go`, `${OLD}/a.go`, '1']) + text),
    ),
    ...{ ...broken(CHECK), says: /outside \/frx\/store/ },
  },
  {
    name: `${module} hangs`,
    answers: smoke({ guile_output: untilModule(module), guile_status: '124', control: '0' }),
    ...{ ...broken(CHECK), says: /hang: still loading/ },
  },
  {
    name: `${module} hangs, and so does everything else`,
    answers: smoke({ guile_output: untilModule(module), guile_status: '124', control: '124' }),
    ...{ ...unseen(CHECK), says: /slow or hanging, and so is Guile itself/ },
  },
]);

export const MODULE_ROWS: readonly Row[] = [
  ...FAILING,
  {
    name: 'Guile dies while it loads (gnutls)',
    answers: smoke({ guile_output: untilModule('(gnutls)'), guile_status: '139' }),
    ...{ ...broken(CHECK), says: /Guile died with status 139/ },
  },
  {
    name: 'Guile does not start at all',
    answers: smoke({ guile_output: 'guile: bad locale\n', guile_status: '1' }),
    ...{ ...unseen(CHECK), says: /Guile itself ended with status 1/ },
  },
  {
    name: 'no Guile in the store',
    answers: smoke({ guile: '', guile_real: null, guile_output: null, guile_status: null }),
    ...{ ...unseen(CHECK), says: /tool missing: no guile/ },
  },
  {
    name: 'a module that is missing where no environment was found',
    answers: smoke({
      guile_environment: 'none',
      guile_output: error('(gnutls)', 'misc-error', 'no code for module (gnutls)'),
    }),
    ...{ ...unseen(CHECK), says: /no environment for Guile was found/ },
  },
  {
    name: 'Guile says nothing of a module',
    answers: output(aboutModule('(gnutls)', () => '')),
    ...unseen(CHECK),
  },
];
