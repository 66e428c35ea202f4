/** A phase under tap's own runner: `npx tap phase9-xcpng-boot.ts` reads every point, and nothing else on stdout. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { startLab } from '../lab-process.ts';
import { ownEnvironment } from '../phase-process.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'bw-as-tap-'));
t.teardown(() => rmSync(dir, { recursive: true, force: true }));

const OPTIONS = {
  BOOTWITNESS_BUDGET_SCALE: '0.1',
  BOOTWITNESS_WORKDIR_ROOT: dir,
  BOOTWITNESS_REPORTS_DIR: join(dir, 'reports'),
};

/** Runs the entry under tap, which takes no arguments for it: options come from the environment. */
async function underTap(labFile: string): Promise<{ code: number | null; stdout: string }> {
  const { TAP: _tap, TAP_CHILD_ID: _id, TAP_JOB_ID: _job, ...environment } = ownEnvironment();
  const child = spawn(
    process.execPath,
    [join(ROOT, 'node_modules/tap/dist/esm/run.mjs'), '--reporter=tap', 'phase9-xcpng-boot.ts'],
    {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...environment, ...OPTIONS, BOOTWITNESS_LAB: labFile },
    },
  );
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stdout };
}

t.test('each check is a point', async (t) => {
  const lab = await startLab('--backend', 'simulated');
  t.teardown(() => lab.stop());
  const { code, stdout } = await underTap(lab.labFile);
  t.equal(code, 0, stdout);
  t.match(stdout, /# \{ total: 26, pass: 26 \}/);
  t.match(stdout, /^ {4}# PASS phase9-xcpng-boot/m);
});

t.test('a FAIL is a point that is not ok; the runner makes every failure a 1', async (t) => {
  const answers = join(dir, 'answers.json');
  const facts = { kind: 'absent', content: null };
  writeFileSync(answers, JSON.stringify({ guests: [{ answers: { 'ready-marker': { facts } } }] }));
  const lab = await startLab('--backend', 'simulated', '--guest-answers', answers);
  t.teardown(() => lab.stop());
  const { code, stdout } = await underTap(lab.labFile);
  t.equal(code, 1, stdout);
  t.match(stdout, /^ {4}not ok 3 - ready_marker/m);
  t.match(stdout, /# \{ total: 26, pass: 25, fail: 1 \}/);
});
