/** Holds the tree to the rules of the house; first each rule is shown an example on which it must say no. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import * as rules from './rules.ts';
import { parseSource, type Source } from './source.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FOLDERS = ['help', 'harness', 'lab', 'scenarios', 'bench', 'test', 'docs', 'reports', '.ci'];
const READ = /\.(ts|sh|md|scm)$|\/run$/;

function tree(): Source[] {
  const inside = FOLDERS.flatMap((folder) =>
    readdirSync(`${ROOT}${folder}`, { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
  );
  return [...readdirSync(ROOT), ...inside]
    .filter((path) => READ.test(path) && !path.includes('/fixtures/'))
    .map((path) => parseSource(path, readFileSync(`${ROOT}${path}`, 'utf8')));
}

const saysNo = (t: Test, rule: (source: Source) => string[], path: string, text: string, why: RegExp): void => {
  const said = rule(parseSource(path, text));
  t.match(said.join('\n'), why, `says no: ${path}: ${text.slice(0, 50)}`);
};
const saysNothing = (t: Test, rule: (source: Source) => string[], path: string, text: string): void => {
  t.same(rule(parseSource(path, text)), [], `says nothing: ${path}: ${text.slice(0, 50)}`);
};

t.test('boundaries', async (t) => {
  const no = saysNo.bind(null, t, rules.boundaries);
  const fine = saysNothing.bind(null, t, rules.boundaries);
  no(
    'harness/run.ts',
    "import { x } from '../lab/world.ts';",
    /^harness\/run.ts:1: imports lab\/world.ts; .*on the wire/,
  );
  no('harness/run.ts', "import type { X } from '../lab/world.ts';", /on the wire/);
  no('harness/run.ts', "const x = await import('../lab/world.ts');", /on the wire/);
  no('harness/run.ts', "type X = import('../lab/world.ts').X;", /on the wire/);
  no('lab/rpc.ts', "export * from '../harness/model.ts';", /on the wire/);
  no('harness/run.ts', "import { x } from './xcpng/lab.ts';", /interfaces Lab and Guest/);
  no('harness/judge.ts', "import { readFileSync } from 'node:fs';", /judging and reporting are pure/);
  no('harness/report/report.ts', "import { run } from './run.ts';", /pure/);
  no('harness/probes/pid1.ts', "import { connect } from '../ssh.ts';", /only through the guest/);
  no('harness/xcpng/guest.ts', "import { judge } from '../judge.ts';", /knows nothing of probes/);
  no('harness/lab.ts', "import { x } from './run.ts';", /contracts/);
  no('scenarios/a.ts', "import { run } from '../harness/run.ts';", /a scenario is data/);
  no('phase9.ts', "import { run } from './harness/run.ts';", /one call of phase/);
  no('harness/run.ts', "import { x } from '../test/totals.ts';", /does not lean on its tests/);
  fine('harness/report/report.ts', "import type { Run } from './run.ts';");
  fine('harness/prepare/embedded.ts', "const lab = new URL('../lab/main.ts', import.meta.url);");
  fine('test/harness/a.test.ts', "import '../../lab/world.ts'; import '../../harness/run.ts';");
});

t.test('libraries', async (t) => {
  const no = saysNo.bind(null, t, rules.libraries);
  no('harness/run.ts', "import pRetry from 'p-retry';", /p-retry; only harness\/deadline.ts may/);
  no('harness/run.ts', "import type { Xo } from 'xo-lib';", /only harness\/xcpng\/link.ts may/);
  no('harness/run.ts', "import { WebSocket } from 'ws';", /only lab\/\*\*, harness\/xcpng\/console-socket\.ts may/);
  no('lab/rpc.ts', "import _ from '@scope/lodash/map';", /@scope\/lodash; a new library needs a row/);
  saysNothing(t, rules.libraries, 'lab/simulated/guest.ts', "import ssh2 from 'ssh2'; import { x } from 'node:fs';");
});

t.test('permissions', async (t) => {
  const no = saysNo.bind(null, t, rules.permissions);
  no('harness/run.ts', 'const a = process.env.HOME;', /^harness\/run.ts:1: uses process.env .*; read it in config.ts/);
  no('harness/run.ts', '\nsetTimeout(f, 1);', /:2: uses timers \(setTimeout\)/);
  no('harness/run.ts', 'new Promise((r) => globalThis.setInterval(r, 1));', /timers \(setInterval\)/);
  no('harness/run.ts', "import { setTimeout as sleep } from 'node:timers/promises';", /timers/);
  no('harness/run.ts', 'const at = Date.now();', /wall clock/);
  no('harness/run.ts', 'const at = new Date();', /wall clock/);
  saysNothing(t, rules.permissions, 'harness/run.ts', '// setTimeout\nconst a = { setTimeout: new Date(5) };');
  saysNothing(t, rules.permissions, 'harness/options/config.ts', 'const a = process.env;');
});

t.test('sizes', async (t) => {
  saysNo(t, rules.lengths, 'lab/a.ts', '\n'.repeat(251), /^lab\/a.ts: 251 lines, at most 250/);
  saysNothing(t, rules.lengths, 'lab/a.ts', '\n'.repeat(250));
  saysNo(t, rules.lengths, 'lab/a.ts', `const f = () => {${'\n'.repeat(70)}};`, /a function has 71 lines, at most 70/);
  saysNo(t, rules.lengths, 'lab/a.ts', `class A { m() {${'\n'.repeat(70)}} }`, /m has 71 lines/);
  saysNothing(t, rules.lengths, 'lab/a.ts', `function f() {${'\n'.repeat(69)}}`);
  saysNo(t, rules.wideLines, 'setup.sh', `\n${'x'.repeat(121)}`, /^setup.sh:2: 121 columns/);
  saysNothing(t, rules.wideLines, 'lab/a.ts', 'é'.repeat(120));
});

t.test('left-overs', async (t) => {
  for (const word of [`TO${'DO'}`, `FIX${'ME'}`, `XX${'X'}`]) {
    saysNo(t, rules.leftOvers, 'docs/a.md', `\na ${word}: later`, new RegExp(`^docs/a.md:2: ${word}; do it`));
  }
  saysNo(t, rules.leftOvers, 'test/a.test.ts', "t.only('x');", /hides all other tests/);
  saysNo(t, rules.leftOvers, 'lab/a.ts', 'try { f(); } catch { /* no */ }', /empty catch/);
  saysNothing(t, rules.leftOvers, 'lab/a.ts', `mkdtemp('a-XX${'XXXX'}'); try { f(); } catch { g(); }`);
});

t.test('unused files', async (t) => {
  const made = (files: Record<string, string>) => Object.entries(files).map(([path, text]) => parseSource(path, text));
  const said = rules.unusedFiles(
    made({
      'phase.ts': "import './harness/used.ts';",
      'harness/used.ts': "new URL('../lab/started.ts', import.meta.url);",
      'lab/started.ts': '',
      'harness/script.ts': '',
      'harness/unused.ts': "import './used.ts';",
      'harness/tested.ts': '',
      'test/a.test.ts': "import '../harness/tested.ts'; new URL('started.ts', import.meta.url);",
      'test/started.ts': '',
      'test/lost.ts': '',
    }),
    ['node --import tsx harness/script.ts'],
  );
  t.same(said, [
    'harness/unused.ts: nothing imports it; use it or remove it',
    'harness/tested.ts: only tests import it; use it or remove it',
    'test/lost.ts: nothing imports it; use it or remove it',
  ]);
  t.match(rules.staleRows([]).join('\n'), /harness\/options\/config.ts: does not use process.env; remove its row/);
});

t.test('the tree', async (t) => {
  const sources = tree();
  t.ok(sources.some(({ path }) => path === 'harness/model.ts') && sources.length > 20, 'it was found');
  const { scripts } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8'));
  const each = [
    rules.boundaries,
    rules.libraries,
    rules.permissions,
    rules.lengths,
    rules.wideLines,
    rules.leftOvers,
  ].flatMap((rule) => sources.flatMap((source) => rule(source)));
  const breaches = [
    ...each,
    ...rules.unusedFiles(sources, Object.values<string>(scripts)),
    ...rules.staleRows(sources),
  ];
  for (const breach of breaches) t.fail(breach, { at: null, stack: '', source: '' });
});
