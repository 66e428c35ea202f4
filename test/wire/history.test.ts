/** Each run is kept in the history; where that fails the verdict stays, it is said, and a PASS ends with 3. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { startLab } from '../lab-process.ts';
import { type Options, type Outcome, runPhase, workdirRoot } from '../phase-process.ts';

const root = workdirRoot(t);
const reports = join(workdirRoot(t), 'reports');
const runs = join(reports, 'runs');
const lab = await startLab('--backend', 'simulated');
t.teardown(() => lab.stop());
const run = (where: string, args: readonly string[], options: Options = {}): Promise<Outcome> =>
  runPhase('phase9', where, ['--lab', lab.labFile, ...args], options);

t.test('two runs side by side are two records; the night is in them and not in the command', async (t) => {
  const both = await Promise.all(
    ['2026-11-26', null].map((night) =>
      run(workdirRoot(t), ['--reports-dir', reports, ...(night === null ? [] : ['--night', night])]),
    ),
  );
  for (const { code, stderr } of both) t.equal(code, 0, stderr);
  const ids = both.map(({ metadata }) => metadata.get('run_id') ?? '');
  t.same(readdirSync(runs).sort(), ids.map((id) => `${id}.json`).sort());
  const [first, second] = ids.map((id) => JSON.parse(readFileSync(join(runs, `${id}.json`), 'utf8')));
  t.equal(first.history.night, '2026-11-26');
  t.equal(second.history.night, null);
  t.notMatch(first.repeat, 'night', 'what is run again is no part of that night');
  t.match(first.repeat, /--reports-dir \S+$/);
  t.equal(Object.keys(first.history.evidence).length > 10, true, 'evidence behind the checks');
});

t.test('a folder that cannot be had is misuse, before anything is made', async (t) => {
  const file = `${root}-file`;
  writeFileSync(file, '');
  t.teardown(() => rmSync(file));
  const outcome = await run(root, ['--reports-dir', file]);
  t.equal(outcome.code, 2);
  t.match(outcome.stderr, `--reports-dir: expected a folder that can be made and written to, or none, given ${file} (`);
  t.same(outcome.workdirs, []);
  const night = await run(root, ['--night', '../x']);
  t.equal(night.code, 2);
  t.match(night.stderr, /^--night: expected letters, .* given "\.\.\/x"/m);
});

t.test('a history that cannot be written leaves the verdict, is said, and a PASS ends with 3', async (t) => {
  let gone = false;
  const own = join(workdirRoot(t), 'reports');
  const outcome = await run(root, ['--reports-dir', own], {
    onStderr: (all) => {
      if (gone || !/\] probe\n/.test(all)) return;
      gone = true;
      rmSync(join(own, 'runs'), { recursive: true });
      writeFileSync(join(own, 'runs'), 'in the way');
    },
  });
  t.equal(outcome.code, 3, outcome.stderr);
  t.match(outcome.stderr, /^NOT KEPT IN THE HISTORY \(.*reports\): .*no folder/m);
  t.match(outcome.stderr, /^PASS phase9-xcpng-boot/m);
  t.equal(outcome.metadata.get('result'), 'PASS');
  t.equal(outcome.metadata.get('exit_code'), '3', 'as it ended');
  t.equal(outcome.result.exitCode, 3);
});
