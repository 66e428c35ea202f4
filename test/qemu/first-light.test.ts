/** Both phases as a user runs them: real QEMU, sshd, Guile and Shepherd, on the embedded lab. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { inLanes } from '../lanes.ts';
import { type Outcome, runPhase, workdirRoot } from '../phase-process.ts';

const root = workdirRoot(t);
const PHASES = ['phase9', 'phase11'] as const;
const NAMES = { phase9: 'phase9-xcpng-boot', phase11: 'phase11-shepherd-pid1-xcpng' } as const;
const FACTS = {
  phase9: [
    'compat_prefix_shims=absent',
    'guile_module_smoke=ok',
    'ready_marker=ready',
    'shepherd_status=running',
    'sshd_status=running',
  ],
  phase11: [
    ...['compat_prefix_shims=absent', 'guile_module_smoke=ok', 'ready_marker=ready', 'shepherd_pid=1'],
    ...['shepherd_status=running', 'sshd_status=running'],
  ],
};
const MODES = { phase9: 'freebsd-init+rc.d-shepherd', phase11: 'shepherd-pid1' } as const;

const qemus = (): string => {
  try {
    return execFileSync('pgrep', ['-f', 'qemu-system-x86_64.*bw-first-light'], { encoding: 'utf8' });
  } catch {
    return '';
  }
};

const outcomes = inLanes(
  2,
  PHASES,
  (phase): Promise<Outcome> => runPhase(phase, root, ['--lab', 'embedded', '--label', `bw-first-light-${phase}`]),
);
for (const phase of PHASES) {
  t.test(`${phase} passes on the reference guest`, async (t) => {
    const outcome = await outcomes.get(phase);
    if (outcome === undefined) throw new Error('not run');
    t.equal(outcome.code, 0, outcome.stderr);
    const workdir = join(root, readdirSync(root).find((name) => name.startsWith(`bw-first-light-${phase}-`)) ?? '');
    const metadata = readFileSync(join(workdir, 'metadata.txt'), 'utf8').split('\n');
    t.same(metadata.slice(0, FACTS[phase].length), FACTS[phase], "the seed's facts, spelt and ordered as there");
    const value = (key: string): string | undefined =>
      metadata.find((line) => line.startsWith(`${key}=`))?.slice(key.length + 1);
    t.equal(value('result'), 'PASS');
    t.equal(value('init_mode'), MODES[phase]);
    t.equal(value('guest_identity'), 'verified');
    t.equal(value('image_identity'), 'verified');
    t.match(value('run_current_system_target'), /^\/frx\/store\/[0-9a-f]{64}-fruix-system-/);
    t.equal(value('leaked'), '0');
    const headline = `PASS ${NAMES[phase]} (reference guest on the embedded lab: says nothing about your image)`;
    t.match(outcome.stderr, `\n${headline}\nworkdir: ${workdir}\n`);
    const tap = outcome.stdout.split('\n');
    t.equal(tap[0], 'TAP version 14');
    t.ok(tap.includes(`# ${headline}`));
    t.ok(tap.includes(`# workdir: ${workdir}`));
    t.notMatch(outcome.stdout, /^not ok|^Bail out/m);
    const result = JSON.parse(readFileSync(join(workdir, 'result.json'), 'utf8'));
    t.match(result, { schema: 2, status: 'PASS', reference: true });
    for (const check of result.verdict.checks) t.equal(check.outcome, 'held', check.name);
    for (const file of ['evidence.ndjson', 'log.ndjson', 'journal.ndjson', 'repro.json', 'console/serial.txt']) {
      t.ok(existsSync(join(workdir, file)), file);
    }
    t.match(readFileSync(join(workdir, 'journal.ndjson'), 'utf8'), /"event":"listed-again","listed":\[\]/);
    t.equal(qemus(), '', 'no QEMU outlives its run');
  });
}
