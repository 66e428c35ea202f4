/** Real QEMU in a lab that is broken: a network that is dead for everybody, and a harness that is killed. */
import { execFileSync } from 'node:child_process';
import t from 'tap';
import { systemClock } from '../../harness/deadline.ts';
import { startLab } from '../lab-process.ts';
import { runPhase, workdirRoot } from '../phase-process.ts';

const root = workdirRoot(t);

t.test('a network that is dead for image and control alike is the lab', async (t) => {
  const lab = await startLab('--mishap', 'dead-network');
  t.teardown(() => lab.stop());
  // Half of a host's budget: nothing can answer, so that waiting longer shows nothing more.
  const outcome = await runPhase('phase11', root, ['--lab', lab.labFile, '--budget-scale', '0.5']);
  t.equal(outcome.code, 3, outcome.stderr);
  t.equal(outcome.metadata.get('result'), 'ERROR');
  t.equal(outcome.metadata.get('fault'), 'CONTROL_SILENT');
  t.equal(outcome.metadata.get('fault_party'), 'lab');
  t.match(outcome.metadata.get('reason'), /both silent/);
  t.equal(outcome.metadata.get('leaked'), '0');
});

/** Pids of this user's processes whose parent chain began at `pid`, by a walk over ps. */
function descendants(pid: number): readonly number[] {
  const rows = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const found: number[] = [];
  for (let grown = true; grown; ) {
    grown = false;
    for (const [child = 0, parent = 0] of rows) {
      if (found.includes(child) || (parent !== pid && !found.includes(parent))) continue;
      found.push(child);
      grown = true;
    }
  }
  return found;
}

/** Neither gone nor a zombie that only waits to be reaped. */
function alive(pid: number): boolean {
  try {
    return !execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
      .trim()
      .startsWith('Z');
  } catch {
    return false;
  }
}

t.test('kill -9 of the harness ends the lab and its QEMU', async (t) => {
  let family: readonly number[] = [];
  await runPhase('phase9', root, ['--lab', 'embedded'], {
    onStderr: (all, child) => {
      if (family.length > 0 || !/: started in/.test(all) || child.pid === undefined) return;
      family = descendants(child.pid);
      process.kill(child.pid, 'SIGKILL');
    },
  });
  t.ok(family.length >= 2, `lab and QEMU were there: ${family.join(', ')}`);
  const { signal } = new AbortController();
  for (let looks = 0; looks < 100 && family.some(alive); looks++) await systemClock.sleep(100, signal);
  t.same(family.filter(alive), [], 'all of them are gone');
});
