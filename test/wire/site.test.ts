/** `npm run site` as it is called: from runs of phases to a page, and one sentence where it cannot. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { startLab } from '../lab-process.ts';
import { ownEnvironment, runPhase, workdirRoot } from '../phase-process.ts';

const ENTRY = fileURLToPath(new URL('../../site.ts', import.meta.url));
const root = workdirRoot(t);
const reports = join(root, 'reports');

const site = (args: readonly string[], environment: Readonly<Record<string, string>> = {}, cwd = root) =>
  spawnSync(process.execPath, ['--import', import.meta.resolve('tsx'), ENTRY, ...args], {
    ...{ encoding: 'utf8', cwd, env: { ...ownEnvironment(), ...environment } },
  });

t.test('a run that was just made is on the page', async (t) => {
  const lab = await startLab('--backend', 'simulated');
  t.teardown(() => lab.stop());
  const outcome = await runPhase('phase9', workdirRoot(t), ['--lab', lab.labFile, '--reports-dir', reports]);
  writeFileSync(join(reports, 'runs/\u001b[31m.txt'), '');
  const made = site([], { BOOTWITNESS_REPORTS_DIR: reports });
  t.equal(made.status, 0, made.stderr);
  t.equal(
    made.stdout,
    `1 runs, 0 cases red in the last night, 1 pages of runs written anew\n${join(reports, 'index.html')}\n`,
  );
  t.match(made.stderr, 'left out "\\u001b[31m.txt": foreign', 'a name cannot paint the terminal');
  const id = outcome.metadata.get('run_id') ?? '';
  t.match(readFileSync(join(reports, 'index.html'), 'utf8'), `href="run/${id}.html"`);
  const page = readFileSync(join(reports, 'run', `${id}.html`), 'utf8');
  for (const words of ['guile_module_smoke', outcome.workdir, 'npm run -s repro -- ', 'authenticated over SSH'])
    t.match(page, words);
});

t.test('the folder is the one that was named, else reports, here', async (t) => {
  const here = workdirRoot(t);
  t.equal(site([], {}, here).status, 0);
  t.ok(existsSync(join(here, 'reports/index.html')));
});

t.test('what cannot be done is one sentence', async (t) => {
  const file = join(root, 'file');
  writeFileSync(file, '');
  const table: readonly (readonly [readonly string[], RegExp])[] = [
    [['--reports-dir', 'none'], /^--reports-dir: expected a folder, given none/],
    [
      ['--reports-dir', file],
      /^--reports-dir: expected a folder that can be read and written to, given .*file \(ENOTDIR\)/,
    ],
    [['--image', 'x'], /^--image: unknown option/],
  ];
  for (const [args, why] of table) {
    const { status, stderr } = site(args);
    t.equal(status, 2, args.join(' '));
    t.match(stderr, why);
  }
  const help = site(['--help']);
  t.match(help.stdout, /Exit codes:\n +0 +done/);
  t.equal(help.status, 0);
});
