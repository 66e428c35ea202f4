/**
 * How long the first page takes to open with N runs against one run, in a headless Chromium: load event and first
 * contentful paint, median of several openings each. Run: `node --import tsx bench/open-site.ts [N]` (default 5000).
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildSite } from '../harness/site/build-site.ts';
import { Browser, chromium } from '../test/browser.ts';
import { makeRuns, NOW } from '../test/harness/site/made-runs.ts';

const OPENINGS = 9;
const many = Number(process.argv[2] ?? 5_000);
const program = chromium();
if (!Number.isInteger(many) || many < 2 || many > 100_000 || program === null) {
  const given = program === null ? 'no chromium on PATH' : process.argv[2];
  process.stderr.write(`bench: expected a number of runs from 2 to 100000, and Chromium; given ${given}\n`);
  process.exit(2);
}

const root = mkdtempSync(join(tmpdir(), 'bw-bench-'));
const browser = await Browser.start(program);
const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
try {
  const pages = [1, many].map((count) => {
    const dir = join(root, String(count));
    makeRuns(dir, count);
    const [first, again] = [0, 1].map(() => {
      const beganMs = performance.now();
      buildSite(dir, NOW);
      return ((performance.now() - beganMs) / 1000).toFixed(2);
    });
    const page = join(dir, 'index.html');
    process.stdout.write(
      `${count} runs: made in ${first} s, again in ${again} s; ${(statSync(page).size / 1024).toFixed(0)} KiB\n`,
    );
    return { count, url: pathToFileURL(page).href, loads: [] as number[], paints: [] as number[] };
  });
  // In turns, so that whatever else this machine does slows both.
  for (let n = 0; n < OPENINGS; n++) {
    for (const { url, loads, paints } of pages) {
      const { loadMs, paintMs } = await browser.open(url);
      loads.push(loadMs);
      if (paintMs >= 0) paints.push(paintMs);
    }
  }
  const [one, all] = pages.map(({ count, loads, paints }) => {
    const [load, paint] = [median(loads), median(paints)];
    process.stdout.write(`${count} runs: loaded after ${load.toFixed(0)} ms, painted after ${paint.toFixed(0)} ms\n`);
    return load;
  });
  process.stdout.write(
    `ratio ${((all ?? Number.NaN) / (one ?? Number.NaN)).toFixed(2)} over ${OPENINGS} openings each\n`,
  );
} finally {
  await browser.close();
  rmSync(root, { recursive: true, force: true });
}
