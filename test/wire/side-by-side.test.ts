/** Several runs on one lab at once: each gets a slot of its own, and all pass. */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { startLab } from '../lab-process.ts';
import { runPhase, workdirRoot } from '../phase-process.ts';

const RUNS = 4;
const root = workdirRoot(t);

t.test(`${RUNS} runs at once`, async (t) => {
  // One slot more than runs: two that want the same one at the same moment are sure to happen.
  const lab = await startLab('--backend', 'simulated', '--slots', String(RUNS + 1));
  t.teardown(() => lab.stop());
  const outcomes = await Promise.all(
    Array.from({ length: RUNS }, () => runPhase('phase11', mkdtempSync(join(root, 'run-')), ['--lab', lab.labFile])),
  );
  for (const outcome of outcomes) {
    t.equal(outcome.code, 0, outcome.stderr);
    t.equal(outcome.metadata.get('leaked'), '0');
  }
  const addresses = new Set(outcomes.map((outcome) => outcome.metadata.get('guest_ip')));
  t.equal(addresses.size, RUNS, `each at an address of its own: ${[...addresses].join(', ')}`);
});
