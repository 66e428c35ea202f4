/** Every package that npm brings, for this machine or another one, may be used and passed on without asking. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PERMISSIVE = new Set([
  'MIT',
  'MIT-0',
  'ISC',
  '0BSD',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'CC-BY-3.0', // asks for naming the author, like the others; only data (spdx-exceptions) comes under it
  'Python-2.0',
  'Unlicense',
]);

/** Packages whose manifest names no licence; read by hand. */
const READ_BY_HAND: Readonly<Record<string, string>> = {
  'jsonc-simple-parser 3.0.0': 'MIT', // its file `license` is the MIT text
};

/** The part of package-lock.json (and of a package.json) that says what is brought under which licence. */
interface Manifest {
  readonly version?: string;
  readonly license?: string | { readonly type?: string };
  /** The form of old manifests. */
  readonly licenses?: readonly { readonly type?: string }[];
}

/** @returns `name version: licence` of each package that is not permissive, or that does not say */
function offenders(packages: Readonly<Record<string, Manifest>>, manifest: (path: string) => Manifest): string[] {
  return Object.entries(packages)
    .filter(([path]) => path !== '')
    .map(([path, locked]) => {
      const name = `${path.replace(/^.*node_modules\//, '')} ${locked.version}`;
      const licence = licenceOf(locked) ?? licenceOf(manifest(path)) ?? READ_BY_HAND[name] ?? 'none named';
      return { name, licence };
    })
    .filter(({ licence }) => !permissive(licence))
    .map(({ name, licence }) => `${name}: ${licence}`);
}

function licenceOf({ license, licenses }: Manifest): string | undefined {
  if (licenses) return licenses.map(({ type }) => type ?? 'none named').join(' OR ');
  return typeof license === 'string' ? license : license?.type;
}

/** SPDX expressions with OR, AND and brackets; of an OR we choose the permissive side. */
function permissive(expression: string): boolean {
  const inner = expression.replace(/\(([^()]*)\)/g, (_, part: string) => (permissive(part) ? 'MIT' : 'refused'));
  if (inner !== expression) return permissive(inner);
  return expression.split(/ OR /).some((side) => side.split(/ AND /).every((name) => PERMISSIVE.has(name.trim())));
}

t.test('offenders are named', async (t) => {
  const made: Record<string, Manifest> = {
    '': { license: 'UNLICENSED' },
    'node_modules/good': { version: '1.0.0', license: 'MIT' },
    'node_modules/good/node_modules/@x/copyleft': { version: '2.0.0', license: 'GPL-3.0-only' },
    'node_modules/either': { version: '1.0.0', license: '(GPL-2.0 OR (MIT AND ISC))' },
    'node_modules/both': { version: '1.0.0', license: 'MIT AND LGPL-3.0' },
    'node_modules/silent': { version: '1.0.0' },
    'node_modules/old': { version: '1.0.0' },
  };
  const said = offenders(made, (path) => (path.endsWith('old') ? { licenses: [{ type: 'BSD-3-Clause' }] } : {}));
  t.same(said, ['@x/copyleft 2.0.0: GPL-3.0-only', 'both 1.0.0: MIT AND LGPL-3.0', 'silent 1.0.0: none named']);
});

t.test('no package asks for more than its notice', async (t) => {
  const { packages } = JSON.parse(readFileSync(`${ROOT}package-lock.json`, 'utf8'));
  t.ok(Object.keys(packages).length > 100, 'the packages were found');
  const said = offenders(packages, (path) => {
    const file = `${ROOT}${path}/package.json`;
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  });
  t.same(said, []);
});
