/** The rules: each takes sources and returns one sentence per breach, `file:line: what is wrong; what to do`. */
import { BOUNDARIES, type Boundary, LIBRARIES } from './imports.ts';
import {
  COLUMNS_MAX,
  ENTRIES,
  EXEMPT,
  LINES_PER_FILE_MAX,
  LINES_PER_FUNCTION_MAX,
  PERMISSIONS,
  type Rule,
} from './limits.ts';
import type { Source } from './source.ts';

const DELIVERED = ['help/**', 'harness/**', 'lab/**', 'scenarios/**', '*.ts'];

export function boundaries(source: Source, rows: readonly Boundary[] = BOUNDARIES): string[] {
  return rows
    .filter((row) => among(row.files, source.path) && !among(row.except ?? [], source.path))
    .flatMap((row) =>
      source.imports
        .filter(({ kind, what }) => {
          if (kind === 'spawn') return false;
          if (row.never && among(row.never, what)) return true;
          return row.only !== undefined && kind === 'value' && !among(row.only, what.replace(/^node:.*/, 'node:'));
        })
        .map(({ line, what }) => `${source.path}:${line}: imports ${what}; ${row.because}`),
    );
}

export function libraries(source: Source, table: Readonly<Record<string, readonly string[]>> = LIBRARIES): string[] {
  if (!among(DELIVERED, source.path)) return [];
  return source.imports
    .filter(({ what, kind }) => kind !== 'spawn' && !/^node:|[/.]/.test(what.replace(/^@[^/]+\//, '')))
    .filter(({ what }) => !among(table[what] ?? [], source.path))
    .map(({ line, what }) => {
      const where = table[what]?.join(', ');
      const advice = where ? `only ${where} may` : 'a new library needs a row in test/tidy/imports.ts and a decision';
      return `${source.path}:${line}: imports the library ${what}; ${advice}`;
    });
}

export function permissions(source: Source): string[] {
  return PERMISSIONS.filter((row) => among(row.files, source.path) && row.allowed[source.path] === undefined).flatMap(
    (row) => {
      const used = source.uses.find(({ what }) => row.what.test(what));
      return used ? [`${source.path}:${used.line}: uses ${row.name} (${used.what}); ${row.instead}`] : [];
    },
  );
}

export function lengths(source: Source): string[] {
  if (!/\.ts$/.test(source.path)) return [];
  const lines = source.lines.length - 1;
  const long = source.functions.filter(({ length }) => length > LINES_PER_FUNCTION_MAX);
  return [
    ...(lines > LINES_PER_FILE_MAX && !exempt(source.path, 'file length')
      ? [`${source.path}: ${lines} lines, at most ${LINES_PER_FILE_MAX}; find the noun that wants a file of its own`]
      : []),
    ...(exempt(source.path, 'function length') ? [] : long).map(
      ({ line, what, length }) =>
        `${source.path}:${line}: ${what} has ${length} lines, at most ${LINES_PER_FUNCTION_MAX}; split it`,
    ),
  ];
}

export function wideLines(source: Source): string[] {
  if (!/\.(ts|sh)$/.test(source.path)) return [];
  return source.lines.flatMap((line, index) =>
    [...line].length > COLUMNS_MAX
      ? [`${source.path}:${index + 1}: ${line.length} columns, at most ${COLUMNS_MAX}`]
      : [],
  );
}

const LEFT_OVER = new RegExp(
  `\\b(${['TO', 'FIX', 'XX'].map((start, i) => start + ['DO', 'ME', 'X'][i]).join('|')})\\b`,
);

export function leftOvers(source: Source): string[] {
  const words = source.lines.flatMap((line, index) => {
    const word = LEFT_OVER.exec(line)?.[0];
    return word ? [`${source.path}:${index + 1}: ${word}; do it, file it, or write in docs/decisions why not`] : [];
  });
  const only = source.path.startsWith('test/') ? source.uses.filter(({ what }) => /^t\.only$/.test(what)) : [];
  return [
    ...words,
    ...only.map(({ line }) => `${source.path}:${line}: .only hides all other tests`),
    ...source.emptyCatches.map(({ line }) => `${source.path}:${line}: empty catch; translate it, or add context`),
  ];
}

/** @param scripts the values of package.json's scripts: what they name is started by hand */
export function unusedFiles(sources: readonly Source[], scripts: readonly string[]): string[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const started = sources
    .map(({ path }) => path)
    .filter(
      (path) => among(['*.ts', 'bench/*.ts'], path) || path in ENTRIES || scripts.some((it) => it.includes(path)),
    );
  const tests = [...byPath.keys()].filter((path) => path.endsWith('.test.ts'));
  const reach = (roots: readonly string[]): Set<string> => {
    const reached = new Set<string>();
    const todo = [...roots];
    for (let path = todo.pop(); path !== undefined; path = todo.pop()) {
      if (reached.has(path)) continue;
      reached.add(path);
      todo.push(...(byPath.get(path)?.imports ?? []).map(({ what }) => what));
    }
    return reached;
  };
  const [delivered, all] = [reach(started), reach([...started, ...tests])];
  return [...byPath.keys()]
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts') && !exempt(path, 'unused file'))
    .filter((path) => !(among(DELIVERED, path) ? delivered : all).has(path))
    .map((path) => `${path}: ${all.has(path) ? 'only tests import it' : 'nothing imports it'}; use it or remove it`);
}

/** Rows about files that are not there any more, or that do not need them any more. */
export function staleRows(sources: readonly Source[]): string[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const permitted = PERMISSIONS.flatMap((row) =>
    Object.keys(row.allowed)
      .filter((path) => !byPath.get(path)?.uses.some(({ what }) => row.what.test(what)))
      .map((path) => `${path}: does not use ${row.name}; remove its row from test/tidy/limits.ts`),
  );
  const gone = [...EXEMPT.map(({ file }) => file), ...Object.keys(ENTRIES)].filter((path) => !byPath.has(path));
  return [...permitted, ...gone.map((path) => `${path}: is not there; remove its row from test/tidy/limits.ts`)];
}

function exempt(file: string, rule: Rule): boolean {
  return EXEMPT.some((row) => row.file === file && row.rule === rule);
}

function among(patterns: readonly string[], path: string): boolean {
  return patterns.some((pattern) => {
    const body = pattern.replace(/[.+]/g, '\\$&').replace(/\*\*|\*/g, (stars) => (stars === '**' ? '.*' : '[^/]*'));
    return new RegExp(`^${body}$`).test(path);
  });
}
