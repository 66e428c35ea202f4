/**
 * Where the outputs go may break: a reader that leaves, a disk that is full. Nothing of that may stay
 * in the lab, be blamed on the image, or look like a whole report of a PASS.
 */
import { type ChildProcess, execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { startLab } from '../lab-process.ts';
import { type Outcome, runPhase, workdirRoot } from '../phase-process.ts';

const root = workdirRoot(t);
const lab = await startLab('--backend', 'simulated');
t.teardown(() => lab.stop());
const run = (where: string, onStderr?: (all: string, child: ChildProcess) => void): Promise<Outcome> =>
  runPhase('phase9', where, ['--lab', lab.labFile], onStderr === undefined ? {} : { onStderr });

function cleaned(t: Pick<typeof import('tap').default, 'equal'>, outcome: Outcome): void {
  t.equal(outcome.metadata.get('leaked'), '0');
  t.equal(outcome.result?.result.leaked.length, 0, 'a fresh listing shows nothing');
}

t.test('whoever reads stderr leaves in the middle', async (t) => {
  let left = false;
  const outcome = await run(root, (all, child) => {
    if (left || !/\] boot\n/.test(all)) return;
    left = true;
    child.stderr?.destroy();
  });
  t.equal(outcome.code, 0);
  t.equal(outcome.metadata.get('result'), 'PASS');
  cleaned(t, outcome);
});

t.test('whoever reads stdout leaves', async (t) => {
  const outcome = await run(root, (_, child) => child.stdout?.destroy());
  t.equal(outcome.code, 0, outcome.stderr);
  t.equal(outcome.metadata.get('result'), 'PASS');
  cleaned(t, outcome);
});

t.test('the report in other formats, where the caller wants it', async (t) => {
  const dir = join(root, 'formats');
  mkdirSync(dir);
  const [junit, json, tap, page] = ['junit.xml', 'all.json', 'all.tap', 'page.md'].map((name) => join(dir, name));
  writeFileSync(String(page), 'of the step before\n');
  const runs = join(dir, 'runs');
  mkdirSync(runs);
  const args = ['--lab', lab.labFile, '--junit', String(junit), '--report-json', String(json), '--tap', String(tap)];
  const environment = { GITHUB_STEP_SUMMARY: String(page) };
  const outcome = await runPhase('phase9', runs, [...args, '--markdown', String(page)], { environment });
  t.equal(outcome.code, 0, outcome.stderr);
  const text = (file: unknown): string => readFileSync(String(file), 'utf8');
  t.equal(text(tap), outcome.stdout);
  t.same(JSON.parse(text(json)), outcome.result);
  t.match(text(junit), /<testsuite name="phase9-xcpng-boot\/[^"]*" package="[^"]*" tests="26" failures="0" errors="0"/);
  t.match(text(junit), /<property name="report" value="PASS phase9-xcpng-boot \(reference guest/);
  t.match(text(page), /^of the step before\n## PASS phase9/, 'a step adds to the page');
  t.match(text(page), /\| ✅ PASS \| phase9-xcpng-boot \| reference \| embedded \|/);
  const refused = await runPhase('phase9', runs, ['--lab', lab.labFile, '--junit', join(dir, 'none', 'junit.xml')]);
  t.equal(refused.code, 2, 'before anything is made');
  t.match(refused.stderr, /--junit: expected a file that can be written, given .*none\/junit.xml \(ENOENT\)/);
});

const mounted = (path: string, kib: number, more = 'rw'): boolean => {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kib}k,${more}`, 'tmpfs', path], { stdio: 'ignore' });
    return true;
  } catch {
    return false; // not root, or not allowed in this container
  }
};

t.test('a disk that is full is never a PASS, and a file on it is whole or absent', async (t) => {
  // The evidence of a simulated run takes some 80 KiB: the first is full before, the others in the report.
  for (const kib of [24, 96, 100, 104, 108]) {
    const full = join(root, `full-${kib}`);
    mkdirSync(full);
    if (!mounted(full, kib)) {
      t.pass('# SKIP a small file system cannot be mounted here');
      return;
    }
    try {
      const outcome = await run(full);
      const files = readdirSync(outcome.workdir);
      const said = outcome.metadata.get('result') ?? 'nothing';
      t.ok(outcome.code === 0 ? said === 'PASS' : said !== 'PASS', `${kib} KiB: ${said}, exit ${outcome.code}`);
      t.ok(outcome.code === 0 || outcome.code === 3, `${kib} KiB: not the image, no bug: ${outcome.stderr}`);
      if (outcome.code !== 0) t.match(outcome.stdout, /^Bail out! OUTPUT_UNWRITABLE \(machine\)/m);
      if (outcome.code !== 0) t.notMatch(outcome.stdout, /PASS/, `${kib} KiB`);
      t.same(
        files.filter((name) => name.endsWith('.part')),
        [],
        `${kib} KiB: no half file stays`,
      );
    } finally {
      execFileSync('umount', ['-l', full]);
    }
  }
});

t.test('a root that cannot be written to, or has no room for the first file, is misuse', async (t) => {
  for (const [name, options] of [
    ['read-only', 'ro'],
    ['no-inodes', 'nr_inodes=3'],
  ] as const) {
    const where = join(root, name);
    mkdirSync(where);
    if (!mounted(where, 64, options)) {
      t.pass('# SKIP a small file system cannot be mounted here');
      return;
    }
    try {
      const outcome = await run(where);
      t.equal(outcome.code, 2, outcome.stderr);
      t.match(outcome.stderr, /^workdir root: expected a folder that can be written to, given \S+ \((EROFS|ENOSPC)\)/m);
      t.same(outcome.workdirs, [], 'nothing stays there');
    } finally {
      execFileSync('umount', ['-l', where]);
    }
  }
});
