/**
 * What the harness costs beside the guest: for each of N runs of phase 9 on one embedded lab, the time
 * from power-on to the verdict against the time from power-on to the first SSH answer of the same run.
 * Run: `node --import tsx bench/own-cost.ts [N]` (default 3); prints one line a run and the median ratio.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLab } from '../test/lab-process.ts';
import { runPhase } from '../test/phase-process.ts';

const runs = Number(process.argv[2] ?? 3);
if (!Number.isInteger(runs) || runs < 1 || runs > 50) {
  process.stderr.write(`bench: expected a number of runs from 1 to 50, given ${process.argv[2]}\n`);
  process.exit(2);
}

const root = mkdtempSync(join(tmpdir(), 'bw-bench-'));
const lab = await startLab();
const ratios: number[] = [];
try {
  for (let n = 1; n <= runs; n++) {
    const { code, metadata, stderr } = await runPhase('phase9', root, ['--lab', lab.labFile, '--label', `bench-${n}`]);
    if (code !== 0) throw new Error(`run ${n} ended with ${code}: ${stderr}`);
    const seconds = (stage: string): number => Number(metadata.get(`time_${stage}_s`));
    const answer = seconds('boot');
    const verdict = answer + seconds('identify') + seconds('probe');
    ratios.push(verdict / answer);
    process.stdout.write(
      `run ${n}: power-on to first answer ${answer.toFixed(2)} s, to verdict ${verdict.toFixed(2)} s, ` +
        `ratio ${(verdict / answer).toFixed(2)}; before power-on ${seconds('provision').toFixed(2)} s\n`,
    );
  }
  const median = ratios.sort((a, b) => a - b)[Math.floor(ratios.length / 2)] ?? Number.NaN;
  process.stdout.write(`median ratio ${median.toFixed(2)} over ${runs} runs\n`);
} finally {
  await lab.stop();
  rmSync(root, { recursive: true, force: true });
}
