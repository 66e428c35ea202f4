/** One Ctrl-C: the whole process group gets the signal, it counts once, all is cleaned up, exit 130. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { startLab } from '../lab-process.ts';
import { runPhase, workdirRoot } from '../phase-process.ts';

const root = workdirRoot(t);

const childrenOf = (pid: number): string => {
  try {
    return execFileSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' });
  } catch {
    return '';
  }
};

for (const signals of [1, 3]) {
  t.test(`${signals} signals at once are one press: clean up and 130`, async (t) => {
    const lab = await startLab('--backend', 'simulated', '--mishap', 'dead-network');
    t.teardown(() => lab.stop());
    let sent = false;
    const outcome = await runPhase('phase9', root, ['--lab', lab.labFile], {
      onStderr: (all, child) => {
        if (sent || !/\] boot\n/.test(all) || child.pid === undefined) return;
        sent = true;
        for (let i = 0; i < signals; i++) process.kill(-child.pid, 'SIGINT');
      },
    });
    t.equal(outcome.code, 130, outcome.stderr);
    t.equal(outcome.metadata.get('result'), 'ERROR');
    t.equal(outcome.metadata.get('fault'), 'INTERRUPTED');
    t.equal(outcome.stderr.match(/stopping and cleaning up/g)?.length, 1, 'counted once');
    t.notMatch(outcome.stderr, /left at once/);
    t.equal(outcome.metadata.get('leaked'), '0');
    const journal = readFileSync(join(outcome.workdir, 'journal.ndjson'), 'utf8');
    t.match(journal, /"event":"undone"/);
    t.match(journal, /"event":"listed-again","listed":\[\]/);
  });
}

t.test('a second press leaves at once and says how to find what may have stayed', async (t) => {
  const lab = await startLab('--backend', 'simulated', '--mishap', 'stall=vm.delete', '--mishap', 'dead-network');
  t.teardown(() => lab.stop());
  let first = 0;
  const outcome = await runPhase('phase9', root, ['--lab', lab.labFile], {
    onStderr: (all, child) => {
      if (child.pid === undefined) return;
      if (first === 0 && /\] boot\n/.test(all)) {
        first = 1;
        process.kill(-child.pid, 'SIGINT');
      } else if (first === 1 && /\] dispose\n/.test(all)) {
        first = 2;
        const { pid } = child;
        setTimeout(() => process.kill(-pid, 'SIGINT'), 1_000);
      }
    },
  });
  t.equal(outcome.code, 130, outcome.stderr);
  t.match(
    outcome.stderr,
    /left at once; what this run created may have stayed: .*npm run -s sweep -- --lab=\S+ --run-id [0-9a-f-]{36}\n/,
  );
});

t.test('the embedded lab goes with its harness', async (t) => {
  let pid = 0;
  let labs = '';
  const outcome = await runPhase('phase9', root, ['--lab', 'embedded'], {
    onStart: (child) => {
      pid = child.pid ?? 0;
    },
    onStderr: (all, child) => {
      if (labs !== '' || !/start the embedded lab/.test(all) || child.pid === undefined) return;
      labs = childrenOf(pid);
      process.kill(-pid, 'SIGINT');
    },
  });
  t.equal(outcome.code, 130, outcome.stderr);
  for (const lab of labs.split('\n').filter((line) => line !== '')) {
    t.throws(() => process.kill(Number(lab), 0), { code: 'ESRCH' }, `lab process ${lab} is gone`);
  }
});

const LATE: readonly { readonly stage: string; readonly answers: unknown; readonly mishaps: readonly string[] }[] = [
  { stage: 'identify', answers: { 'guest-identity': { hang: true } }, mishaps: [] },
  { stage: 'dispose', answers: {}, mishaps: ['--mishap', 'late-objects=1'] },
];

for (const { stage, answers, mishaps } of LATE) {
  t.test(`interrupted at ${stage}: 130 at once, also while the guest says nothing`, async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'bw-interrupt-'));
    t.teardown(() => rmSync(dir, { recursive: true, force: true }));
    const file = join(dir, 'answers.json');
    writeFileSync(file, JSON.stringify({ guests: [{ answers }] }));
    const lab = await startLab('--backend', 'simulated', '--guest-answers', file, ...mishaps);
    t.teardown(() => lab.stop());
    let sentMs = 0;
    const outcome = await runPhase('phase9', root, ['--lab', lab.labFile, '--budget-scale', '6'], {
      onStderr: (all, child) => {
        if (sentMs > 0 || !all.includes(`] ${stage}\n`) || child.pid === undefined) return;
        sentMs = performance.now();
        process.kill(child.pid, 'SIGTERM');
      },
    });
    t.equal(outcome.code, 130, outcome.stderr);
    t.equal(outcome.metadata.get('fault'), 'INTERRUPTED');
    t.equal(outcome.metadata.get('leaked'), '0');
    t.ok(performance.now() - sentMs < 60_000, 'not the 90 s of the budget');
  });
}
