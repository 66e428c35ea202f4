/**
 * How long after a fatal line the waiting for a guest ends: on the serial text, and on the screen alone. For each of N
 * runs of phase 9 a simulated guest without sshd stops with a panic some time after power-on; what is measured is the
 * length of the wait (`boot` in the metadata, from just before the power-on call) less that time.
 * Design: within 2 s on serial, 5 s on the screen (drawn, noticed, read by OCR, looked up).
 * Run: `node --import tsx bench/console-latency.ts [N]` (default 5), on a machine that does nothing else.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLab } from '../test/lab-process.ts';
import { runPhase } from '../test/phase-process.ts';

const PANIC = 'panic: page fault\ncpuid = 0\nKDB: stack backtrace:\nUptime: 3s\nAutomatic reboot in 15 seconds\n';
const LOGIN = 'Starting sshd.\n\nFreeBSD/amd64 (fruix) (ttyv0)\n\nlogin: ';
/** Not the same in each run: looks come at intervals, and a panic meets any part of one. */
const AFTER_MS = [3_000, 3_350, 3_700, 4_050, 4_400];

const runs = Number(process.argv[2] ?? AFTER_MS.length);
if (!Number.isInteger(runs) || runs < 1 || runs > 50) {
  process.stderr.write(`bench: expected a number of runs from 1 to 50, given ${process.argv[2]}\n`);
  process.exit(2);
}
const after = (n: number): number => AFTER_MS[n % AFTER_MS.length] ?? 0;

const EYES = {
  serial: { blind: false, boot: (ms: number) => ({ sshd: 'never', serial: PANIC, serialAfterMs: ms }) },
  screen: {
    blind: true,
    boot: (ms: number) => ({ sshd: 'never', screen: [{ text: LOGIN }, { afterMs: ms, text: PANIC }] }),
  },
} as const;

const dir = mkdtempSync(join(tmpdir(), 'bw-latency-'));
try {
  for (const [name, { blind, boot }] of Object.entries(EYES)) {
    const answers = join(dir, `${name}.json`);
    writeFileSync(
      answers,
      JSON.stringify({ guests: Array.from({ length: runs }, (_, n) => ({ boot: boot(after(n)) })) }),
    );
    const lab = await startLab('--backend', 'simulated', '--guest-answers', answers);
    const labFile = join(dir, `${name}.toml`);
    const text = readFileSync(lab.labFile, 'utf8');
    writeFileSync(labFile, blind ? text.replace(/^\[console\]\nserial_path = .*\n/m, '') : text);
    const waits: number[] = [];
    try {
      for (let n = 0; n < runs; n++) {
        const run = await runPhase('phase9', dir, ['--lab', labFile, '--label', `${name}-${n}`]);
        if (run.result?.verdict?.cause?.code !== 'GUEST_PANICKED') throw new Error(`run ${n}: ${run.stderr}`);
        waits.push(Number(run.metadata.get('time_boot_s')) - after(n) / 1000);
      }
    } finally {
      await lab.stop();
    }
    const sorted = waits.toSorted((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
    const each = waits.map((wait) => wait.toFixed(2)).join(' ');
    process.stdout.write(`${name}: median ${median.toFixed(2)} s, most ${sorted.at(-1)?.toFixed(2)} s (${each})\n`);
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}
