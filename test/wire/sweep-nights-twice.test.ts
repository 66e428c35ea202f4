/** Nights whose runs the sweep has forgotten: swept once more they are no less known to have ended. Simulated lab. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { sweepNights } from '../../harness/commands/sweep-nights.ts';
import { writeNightMark } from '../../harness/night/night-folder.ts';
import { placeOf } from '../../harness/process/process-place.ts';
import { plainProgress } from '../../harness/progress/open.ts';
import { startLab } from '../lab-process.ts';

const root = mkdtempSync(join(tmpdir(), 'bw-twice-'));
t.teardown(() => rmSync(root, { recursive: true }));
const lab = await startLab('--backend', 'simulated');
t.teardown(() => lab.stop());
const url = /^url = "(.*)"$/m.exec(readFileSync(lab.labFile, 'utf8'))?.[1];
const cache = join(root, 'cache');
const registered = join(cache, 'runs', 'run-1.json');
const attempt = join(root, 'nights', 'nightly-1', 'phase9.a.pool1', 'attempt-1');

async function swept(): Promise<{ readonly code: number; readonly said: string }> {
  const [lines, { signal }]: [string[], AbortController] = [[], new AbortController()];
  const print = (line: string): void => void lines.push(line);
  const told = plainProgress({ write: (text) => lines.push(text) });
  const wish = { from: '--nights', dir: join(root, 'nights'), dryRun: false, printSwept: () => undefined };
  const call = { environment: { BOOTWITNESS_CACHE_DIR: cache }, print, told, signal };
  return { code: await sweepNights(wish, call), said: lines.join('\n') };
}

t.test('a night that was killed before it wrote down who runs its case', async (t) => {
  const workdir = join(attempt, 'run', 'a-1');
  mkdirSync(workdir, { recursive: true });
  writeNightMark(join(root, 'nights', 'nightly-1'), '2026-01-01T00:00:00Z', { labs: [['--lab', lab.labFile]] });
  writeFileSync(join(workdir, 'log.ndjson'), '{"run":"run-1"}\n');
  mkdirSync(join(cache, 'runs'), { recursive: true });
  // Its pid is another one's now.
  const gone = { ...placeOf(), startTicks: '1' };
  const run = { runId: 'run-1', url, workdir, startedAt: new Date().toISOString(), ended: false, ...gone };
  writeFileSync(registered, JSON.stringify(run));
  const first = await swept();
  t.match(first, { code: 0, said: /: 1 runs of 1 nights/ });
  t.notOk(existsSync(registered), 'no later run has to look for it');
  t.match(JSON.parse(readFileSync(join(attempt, 'process.json'), 'utf8')), { pid: gone.pid, startTicks: '1' });
  t.match(await swept(), { code: 0, said: /: 1 runs of 1 nights/ });

  rmSync(join(attempt, 'process.json'));
  writeFileSync(registered, JSON.stringify(run));
  mkdirSync(join(attempt, `process.json.${process.pid}.part`));
  const told = /run run-1 is not forgotten, since its night cannot be written to \(EISDIR\)/;
  t.match(await swept(), { code: 0, said: told });
  t.ok(existsSync(registered), 'a later sweep can still know it');
});
