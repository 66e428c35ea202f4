/**
 * Runs the tests, ring by ring, by tap, and ends with one line of totals. `--fast` leaves out
 * the ring that boots QEMU; paths (files or folders) narrow the run. A red ring does not hide the next one.
 */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { condenser } from './condense.ts';
import { addTotals, closingLine, readTotals, type Totals } from './totals.ts';

interface Ring {
  readonly name: string;
  readonly holds: (file: string) => boolean;
  /** Test files at once. */
  readonly jobs: number;
}

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const RING = fileURLToPath(new URL('./ring.ts', import.meta.url));
const RINGS: readonly Ring[] = [
  { name: 'pure and wire', holds: (file) => !/^test\/(qemu|tidy)\//.test(file), jobs: availableParallelism() },
  // One: the files that boot guests run two at a time themselves, and each takes a core under emulation.
  { name: 'qemu', holds: (file) => file.startsWith('test/qemu/'), jobs: 1 },
];

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const unknown = args.find((arg) => arg.startsWith('-') && arg !== '--fast');
  if (unknown !== undefined) return say(`test: unknown option ${unknown}; expected --fast, or paths of tests`, 2);
  const rings = args.includes('--fast') ? RINGS.slice(0, 1) : RINGS;
  const paths = args.filter((arg) => arg !== '--fast').map((arg) => relative(ROOT, resolve(arg)));
  const files = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
    .map((file) => `test/${file.replaceAll('\\', '/')}`)
    .filter((file) => file.endsWith('.test.ts') && !file.includes('/fixtures/'))
    .filter((file) => paths.length === 0 || paths.some((path) => file === path || file.startsWith(`${path}/`)))
    .sort();

  const all: Totals[] = [];
  let broken = 0;
  for (const ring of rings) {
    const chosen = files.filter(ring.holds);
    if (chosen.length === 0) continue;
    process.stdout.write(`# ring ${ring.name}: ${chosen.length} files, ${ring.jobs} at once\n`);
    try {
      all.push(await runRing(ring, chosen));
    } catch (error) {
      broken += 1;
      say(`test: ring ${ring.name}: ${error instanceof Error ? error.message : String(error)}`, 1);
    }
  }
  const totals = addTotals(all);
  if (broken > 0) return say('test: no totals, since a ring did not come to its end', 1);
  if (totals.passed + totals.failed === 0) return say('test: no test was run', 1);
  process.stdout.write(`${closingLine(totals)}\n`);
  return totals.failed === 0 ? 0 : 1;
}

/** @throws Error where the runner did not come to its end, or its exit status and its totals disagree. */
async function runRing(ring: Ring, files: readonly string[]): Promise<Totals> {
  const child = spawn(process.execPath, ['--import', 'tsx', RING, String(ring.jobs), ...files], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
    // Tests have deadlines of their own where they wait; a slow machine is not a failure.
    env: { ...process.env, TAP_TIMEOUT: '0' },
  });
  const ended = new Promise<number | NodeJS.Signals | null>((settle, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => settle(signal ?? code));
  });
  const lines: string[] = [];
  const condense = condenser();
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    for (const printed of condense(line)) process.stdout.write(`${printed}\n`);
  }
  const status = await ended;
  const totals = readTotals(lines.join('\n'), files.length);
  if (status !== 0 && totals.failed === 0) throw new Error(`the runner ended with ${status}, though nothing failed`);
  return totals;
}

function say(sentence: string, status: number): number {
  process.stderr.write(`${sentence}\n`);
  return status;
}
