/** The recipes of docs/ci as text: what they use is known, their shell reads well, and nothing odd slips through. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { evaluated, isWanted, RECIPES, readRecipe } from './ci-recipe.ts';

const root = mkdtempSync(join(tmpdir(), 'bw-recipes-'));
t.teardown(() => rmSync(root, { recursive: true, force: true }));

/** By its documentation, each with the inputs that we give it. */
const ACTIONS: Readonly<Record<string, readonly string[]>> = {
  'actions/checkout@v4': ['repository', 'ref', 'path'],
  'actions/setup-node@v4': ['node-version'],
  'actions/upload-artifact@v4': ['name', 'path', 'retention-days'],
  'https://code.forgejo.org/actions/checkout@v4': ['repository', 'ref', 'path'],
  'https://code.forgejo.org/actions/setup-node@v4': ['node-version'],
  'https://code.forgejo.org/forgejo/upload-artifact@v4': ['name', 'path', 'retention-days'],
  './bootwitness/docs/ci/sweep-afterwards': ['nights'],
};

t.test('what stands in a recipe is what was run or is told in docs/ci.md', async (t) => {
  for (const [name, file] of Object.entries(RECIPES)) {
    const { on, concurrency, job } = readRecipe(file);
    t.match(on.schedule[0]?.cron, /^\d+ \d+ \* \* \*$/, `${name}: once a day`);
    t.same(Object.keys(on.workflow_dispatch.inputs), ['cases']);
    t.equal(concurrency['cancel-in-progress'], false, `${name}: a night is not cancelled by the next`);
    for (const { uses, with: inputs = {} } of job.steps.filter((step) => step.uses !== undefined)) {
      const known = ACTIONS[uses ?? ''] ?? [];
      const odd = Object.keys(inputs).filter((input) => !known.includes(input));
      t.ok(ACTIONS[uses ?? ''] !== undefined && odd.length === 0, `${name}: ${uses} ${odd}`);
    }
    const minutes = job.steps.map((step) => step['timeout-minutes'] ?? 0);
    t.ok(minutes.reduce((sum, each) => sum + each, 0) <= job['timeout-minutes'], `${name}: steps end before the job`);
    for (const { run = '', name: ofStep } of job.steps) {
      t.notMatch(run, /\$\{\{/, `${name}: ${ofStep}: what a person types in is no shell`);
      const read = spawnSync('shellcheck', ['-s', 'bash', '-'], { input: run, encoding: 'utf8' });
      t.equal(read.stdout, '', `${name}: ${ofStep} (setup.sh brings shellcheck)`);
    }
  }
});

t.test('a recipe that means more than was run is refused', async (t) => {
  const text = readFileSync(RECIPES.github, 'utf8');
  const odd = (from: string, to: string): string => {
    const file = join(root, 'odd.yml');
    writeFileSync(file, text.replace(from, to));
    return file;
  };
  t.throws(() => readRecipe(odd('    steps:', '    services: {}\n    steps:')), /job: the key services is not known/);
  t.throws(() => readRecipe(odd('        id: setup', '        continue-on-error: true')), /step: the key continue-on-/);
  t.throws(() => evaluated(`a $\{{ github.token }}`, { 'github.run_id': '7' }), /expression github.token is not known/);
  const standing = { failed: false, cancelled: false, setUp: true };
  t.throws(() => isWanted({ name: 'x', if: '!cancelled()' }, standing), /condition !cancelled\(\) is not known/);
});
