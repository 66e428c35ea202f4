/** `npm run repro`: a stored run is run again, in its lab or on this machine, once or often. Simulated guests. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { consoleCommand } from '../../harness/commands/console.ts';
import { repro } from '../../harness/commands/repro.ts';
import { faultRecord } from '../../harness/faults/faults.ts';
import { CONSOLE_OPTIONS, REPRO_OPTIONS } from '../../harness/options/command-options.ts';
import { Given } from '../../harness/options/given.ts';
import { plainProgress } from '../../harness/progress/open.ts';
import { phase9XcpngBoot } from '../../scenarios/phase9-xcpng-boot.ts';
import { startLab } from '../lab-process.ts';
import { runPhase, workdirRoot } from '../phase-process.ts';

const dir = mkdtempSync(join(tmpdir(), 'bw-repro-'));
t.teardown(() => rmSync(dir, { recursive: true }));
const root = workdirRoot(t);
const environment = { BOOTWITNESS_CACHE_DIR: join(dir, 'cache') };
const FAILING = { closure: '/frx/store/fffffffffffffffffffffffffffffff0-another-system' };
const THEN = 'FAIL CHECKS_FAILED (run_current_system_target)';

const answers = join(dir, 'answers.json');
// The first is the run that is stored; of the three after it the second passes.
writeFileSync(answers, JSON.stringify({ guests: [FAILING, FAILING, {}, { ...FAILING, boot: { screen: 'serial' } }] }));
const lab = await startLab('--backend', 'simulated', '--guest-answers', answers);
t.teardown(() => lab.stop());
const mode = 'freebsd-init+rc.d-shepherd';
const reference = new RegExp(`"${mode.replace(/[.+]/g, '\\$&')}" = "(.*)"`).exec(readFileSync(lab.labFile, 'utf8'));
mkdirSync(join(dir, 'images'));
const image = join(dir, 'images', 'fruix.raw');
copyFileSync(reference?.[1] ?? '', image);
copyFileSync(`${reference?.[1]}.bootwitness.json`, `${image}.bootwitness.json`);
const cache = ['--cache-sr', 'Embedded local storage', '--cache-gib', '4', '--cache-chain-max', '20'];
const stored = await runPhase('phase9', root, ['--lab', lab.labFile, '--image', image, ...cache], { environment });

const command = repro([phase9XcpngBoot]);

async function again(...args: readonly string[]) {
  const [out, err]: [string[], string[]] = [[], []];
  const told = plainProgress({ write: (text) => err.push(text) });
  const { signal } = new AbortController();
  const ended = (code: number) => ({ code, stdout: out.join('\n'), stderr: err.join('') });
  try {
    const given = new Given(REPRO_OPTIONS, [...args, '--workdir-root', root], environment, 'WORKDIR');
    return ended(await command.run({ given, environment, print: (line) => out.push(line), told, signal }));
  } catch (thrown) {
    const cause = faultRecord(thrown);
    err.push(`${cause.code}: ${cause.message}`);
    return ended(cause.party === 'caller' ? 2 : 70);
  }
}

/** The stored run with something changed in its result.json. */
function changed(name: string, change: (result: Record<string, never>) => void): string {
  const folder = join(dir, name);
  mkdirSync(folder);
  const result = JSON.parse(readFileSync(join(stored.workdir, 'result.json'), 'utf8'));
  change(result);
  writeFileSync(join(folder, 'result.json'), JSON.stringify(result));
  return folder;
}

t.test('three times: the rate of each outcome', async (t) => {
  t.equal(stored.code, 1, stored.stderr);
  const three = await again(stored.workdir, '--repeat', '3', '--json');
  t.equal(three.code, 1, three.stderr);
  const told = JSON.parse(three.stdout);
  t.match(told, {
    ...{ schema: 1, of: { outcome: THEN, runId: stored.metadata.get('run_id') }, differences: [], elsewhere: false },
    ...{ reproduced: 2, exitCode: 1, runs: [{ outcome: THEN, exitCode: 1, kept: null }, { outcome: 'PASS' }, {}] },
    outcomes: [
      { outcome: THEN, count: 2, asThen: true },
      { outcome: 'PASS', count: 1, asThen: false },
    ],
  });
  t.ok(Math.abs(told.outcomes[0].rate - 2 / 3) < 0.001);
  const workdir: string = told.runs[0].workdir;
  const result = JSON.parse(readFileSync(join(workdir, 'result.json'), 'utf8'));
  t.equal(result.image.sha256, stored.result.image.sha256);
  t.equal(result.scenarioSha256, stored.result.scenarioSha256);
  t.same(result.asked.budgets, stored.result.asked.budgets);
  t.match(workdir, /\/repro-phase9-xcpng-boot-\d+$/);
});

t.test('by any of its files; a table; the image gone from its place comes from the cache of the lab', async (t) => {
  renameSync(image, `${image}.moved`);
  const once = await again(join(stored.workdir, 'metadata.txt'));
  t.equal(once.code, 1, once.stderr);
  t.match(once.stdout, `then: ${THEN}\n`);
  t.match(once.stdout, /^ {4}1 {2}100 % {2}FAIL CHECKS_FAILED \(run_current_system_target\) {3}\(as then\)$/m);
  t.match(once.stdout, 'reproduced 1 of 1 time(s)');
  const off = await again(stored.workdir, '--cache', 'off');
  t.equal(off.code, 2, off.stderr);
  t.match(off.stderr, /BAD_IMAGE: --image: expected the file of the image with sha256 [0-9a-f]{64}, given nothing/);
  const mine = await again(stored.workdir, '--lab', 'embedded');
  t.match([mine.code, mine.stderr], [2, /BAD_IMAGE: .*it is not at .*fruix\.raw any more/]);
  const other = join(dir, 'images', 'other.raw');
  const bytes = readFileSync(`${image}.moved`);
  bytes[bytes.length - 1] = 1;
  writeFileSync(other, bytes);
  const wrong = await again(stored.workdir, '--image', other, '--force');
  t.match([wrong.code, wrong.stderr], [2, /BAD_IMAGE: --image: expected the image of that run, sha256 .*other\.raw/]);
  renameSync(`${image}.moved`, image);
});

t.test('what is not as it was is said first, and stops it without --force', async (t) => {
  const older = changed('older', (result) => {
    Object.assign(result, { harnessVersion: '0.0.1', scenarioSha256: 'ab'.repeat(32) });
  });
  const refused = await again(older);
  t.equal(refused.code, 2);
  t.match(refused.stderr, /not as then: harness version: 0\.0\.1 then, \S+ now$/m);
  t.match(refused.stderr, /NOT_THE_SAME: .*scenario digest\): abababababab then, [0-9a-f]{12} now/);
  t.notMatch(refused.stderr, /sign in/);
  const xo = changed('xo', (result) => Object.assign(result.lab ?? {}, { xoVersion: '5.1.0' }));
  const stopped = await again(join(xo, 'result.json'));
  t.equal(stopped.code, 2, stopped.stderr);
  t.match(stopped.stderr, /NOT_THE_SAME: .*Xen Orchestra: 5\.1\.0 then, /);
  t.notMatch(stopped.stderr, /provision/, 'nothing was made');
  const forced = await again(xo, '--force');
  t.equal(forced.code, 1, forced.stderr);
});

t.test('with --keep and --repeat it ends at the first that does not pass, and keeps that', async (t) => {
  const kept = await again(stored.workdir, '--repeat', '5', '--keep', '--json');
  t.equal(kept.code, 1, kept.stderr);
  const { runs } = JSON.parse(kept.stdout);
  t.equal(runs.length, 1);
  t.match(runs[0].kept, /^[0-9a-f-]{36}$/);
  t.match(kept.stderr, /^KEPT: VM /m);
  const lines: string[] = [];
  const given = new Given(CONSOLE_OPTIONS, [runs[0].workdir], environment, 'WORKDIR');
  const told = plainProgress({ write: (text) => lines.push(text) });
  const { signal } = new AbortController();
  const print = (line: string): void => void lines.push(line);
  const code = await consoleCommand.run({ given, environment, print, told, signal });
  t.equal(code, 0, lines.join('\n'));
  t.match(lines.join('\n'), /^serial {2}\S+\/kept\/serial\.txt \(\d+ characters\)$/m);
  const picture = readFileSync(join(runs[0].workdir, 'kept', 'screen.png'));
  t.equal(picture.subarray(1, 4).toString(), 'PNG');
});

t.test('misuse', async (t) => {
  const rows = [
    [[join(dir, 'nowhere')], /BAD_STORED_RUN: expected a workdir/],
    [[stored.workdir, '--repeat', '0'], /BAD_OPTION: --repeat: expected a whole number from 1 to 10000, given "0"/],
    [
      [changed('phase12', (result) => Object.assign(result, { scenario: 'phase12' }))],
      /BAD_OPTION: WORKDIR: expected a run/,
    ],
    [[], /BAD_OPTION: WORKDIR: expected one, given nothing/],
  ] as const;
  for (const [args, says] of rows) {
    const refused = await again(...args);
    t.match([refused.code, refused.stderr], [2, says]);
  }
});
