/**
 * Broken labs on the wire: each must end as ERROR with the lab blamed, exit code 3, and nothing left
 * behind. Guests are simulated here: what is shown is about the harness only.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { startLab } from '../lab-process.ts';
import { inLanes } from '../lanes.ts';
import { runPhase, workdirRoot } from '../phase-process.ts';
import { witness } from './witness.ts';

const root = workdirRoot(t);
const dir = mkdtempSync(join(tmpdir(), 'bw-broken-'));
t.teardown(() => rmSync(dir, { recursive: true, force: true }));

const MISHAPS: readonly { readonly mishap: string; readonly code: string; readonly says: RegExp }[] = [
  { mishap: 'upload-cut=0.5', code: 'UPLOAD_INTERRUPTED', says: /^upload .*\(try 3 of 3\)$/ },
  { mishap: 'no-memory', code: 'NO_HOST_AVAILABLE', says: /no hosts available/ },
  { mishap: 'start-fails=SR_BACKEND_FAILURE_46', code: 'VM_START_REFUSED', says: /SR_BACKEND_FAILURE_46/ },
  { mishap: 'stall=vm.start', code: 'XO_CALL_TIMEOUT', says: /vm\.start/ },
  { mishap: 'dead-network', code: 'CONTROL_SILENT', says: /both silent/ },
];

const outcomes = inLanes(MISHAPS.length, MISHAPS, ({ mishap }) =>
  witness({ mishaps: [mishap], args: ['--budget-scale', '0.05'] }),
);
for (const row of MISHAPS) {
  const { mishap, code, says } = row;
  t.test(`${mishap} is the lab's fault: ${code}`, async (t) => {
    const played = await outcomes.get(row);
    if (played === undefined) throw new Error('not run');
    t.equal(played.code, 3, played.stderr);
    t.equal(played.metadata.get('result'), 'ERROR');
    t.equal(played.metadata.get('fault'), code, played.stderr);
    t.equal(played.metadata.get('fault_party'), 'lab');
    t.match(played.metadata.get('reason'), says);
    t.match(played.stdout, new RegExp(`^Bail out! ${code} \\(lab\\)`, 'm'));
    t.notMatch(played.stdout, /^not ok/m, 'no check is blamed');
    t.same(played.left, [], 'nothing is left in the pool');
    if (code !== 'UPLOAD_INTERRUPTED') return;
    t.match(
      played.stderr,
      /^\[ .*\] UPLOAD_INTERRUPTED: upload of .*; try 3 follows$/m,
      'a person sees why it takes so long',
    );
    t.match(
      played.stderr,
      /^workdir: \S+\n(?:WARNING: .*\n)*\ncause: {2}UPLOAD/m,
      'no empty lines where no fact is known',
    );
    t.match(
      played.stderr,
      /^look: {3}\S+\/evidence\.ndjson, \S+\/log\.ndjson$/m,
      'no console, where no guest was started',
    );
  });
}

t.test('a wrong token is the lab, and is not in any output', async (t) => {
  const lab = await startLab('--backend', 'simulated');
  t.teardown(() => lab.stop());
  const token = join(dir, 'token');
  writeFileSync(token, 'planted-wrong-token-0123456789\n');
  const outcome = await runPhase('phase9', root, ['--lab', lab.labFile, '--xo-token-file', token]);
  t.equal(outcome.code, 3, outcome.stderr);
  t.equal(outcome.metadata.get('fault'), 'XO_SIGN_IN_REFUSED');
  t.equal(outcome.metadata.get('fault_party'), 'lab');
  t.notMatch(outcome.stderr + outcome.stdout, /planted/);
});

t.test('an XO that is not reachable is the lab', async (t) => {
  const lab = await startLab('--backend', 'simulated');
  const file = join(dir, 'gone.toml');
  // Relative names in it would not be found from here; the lab writes absolute ones.
  writeFileSync(file, readFileSync(lab.labFile, 'utf8').replace(/^url = .*$/m, 'url = "http://127.0.0.1:9"'));
  t.teardown(() => lab.stop());
  const outcome = await runPhase('phase11', root, ['--lab', file]);
  t.equal(outcome.code, 3, outcome.stderr);
  t.equal(outcome.metadata.get('fault'), 'XO_UNREACHABLE');
  t.equal(outcome.metadata.get('fault_party'), 'lab');
  t.match(outcome.stderr, /remedy: Check that Xen Orchestra is up/);
});
