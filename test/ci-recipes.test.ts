/** The recipes of docs/ci as text: what they use is known, their shell reads well, and nothing odd slips through. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { evaluated, isWanted, RECIPES, readRecipe } from './ci-recipe.ts';

const root = mkdtempSync(join(tmpdir(), 'bw-recipes-'));
t.teardown(() => rmSync(root, { recursive: true, force: true }));

/** By its documentation, each with the inputs that we give it. */
const ACTIONS: Readonly<Record<string, readonly string[]>> = {
  'actions/checkout@v4': ['repository', 'ref', 'path', 'token'],
  'actions/setup-node@v4': ['node-version'],
  'actions/upload-artifact@v4': ['name', 'path', 'retention-days'],
  'https://code.forgejo.org/actions/checkout@v4': ['repository', 'ref', 'path', 'token'],
  'https://code.forgejo.org/actions/setup-node@v4': ['node-version'],
  'https://code.forgejo.org/forgejo/upload-artifact@v4': ['name', 'path', 'retention-days'],
  './bootwitness/docs/ci/sweep-afterwards': ['nights', 'remove'],
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

t.test('what was not set is one sentence, and nothing is run', async (t) => {
  for (const [name, file] of Object.entries(RECIPES)) {
    const cwd = join(root, name, 'bootwitness');
    mkdirSync(cwd, { recursive: true });
    const ran = (step: string) => {
      const { run = '' } = readRecipe(file).job.steps.find((each) => each.name === step) ?? {};
      const { PATH } = process.env;
      return spawnSync('bash', ['--noprofile', '--norc', '-e', '-c', run], {
        cwd,
        encoding: 'utf8',
        env: { PATH, SSH_KEY: '' },
      });
    };
    t.match(ran('Key of the guests'), { status: 2, stderr: 'BOOTWITNESS_SSH_KEY is empty\n' }, name);
    t.notOk(existsSync(join(cwd, '../guest-key')));
    t.match(ran('Set up'), { status: 2, stderr: /^no Bootwitness .*: is BOOTWITNESS_REPOSITORY set\?\n$/ }, name);
  }
});

t.test('a night of Forgejo ends before the limits that a runner and a server have by default', async (t) => {
  const { job } = readRecipe(RECIPES.forgejo);
  t.ok(job['timeout-minutes'] < 180);
  const night = job.steps.find(({ name }) => name === 'Nightly');
  const [, grace, limit] = /--kill-after=(\d+)m (\d+)m/.exec(night?.run ?? '') ?? [];
  t.ok(Number(grace) + Number(limit) < (night?.['timeout-minutes'] ?? 0), 'in good order, before its step is killed');
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
