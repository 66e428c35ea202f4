/** Real reboots from within, in both boot modes: to a PASS, and to the shim that only a second boot shows. */
import { mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { referenceGuest } from '../../lab/guest/reference.ts';
import { makeVariant } from '../../lab/guest/variant.ts';
import { startLab } from '../lab-process.ts';
import { inLanes } from '../lanes.ts';
import { type Outcome, runPhase, workdirRoot } from '../phase-process.ts';

const images = mkdtempSync(join(tmpdir(), 'bw-boots-'));
const lab = await startLab();
t.teardown(async () => {
  await lab.stop();
  rmSync(images, { recursive: true, force: true });
});
const root = workdirRoot(t);

const ROWS = ['shim', 'phase9', 'phase11'] as const;
const outcomes = inLanes(2, ROWS, async (row): Promise<Outcome> => {
  const own = mkdtempSync(join(root, 'root-'));
  const args = ['--lab', lab.labFile, '--boots', '2', '--budget-scale', '4', '--label', row];
  if (row !== 'shim') return runPhase(row, own, args);
  const cacheDir = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'bootwitness');
  const reference = await referenceGuest({ cacheDir, log: () => undefined });
  const bootMode = 'freebsd-init+rc.d-shepherd';
  const out = join(images, 'shim.raw');
  await makeVariant({ base: reference.images[bootMode], out, bootMode, fault: 'shim-at-second-boot' });
  return runPhase('phase9', own, [...args, '--image', out]);
});

for (const phase of ['phase9', 'phase11'] as const) {
  t.test(`${phase} passes twice`, async (t) => {
    const outcome = await outcomes.get(phase);
    if (outcome === undefined) throw new Error('not run');
    const { code, metadata, stdout, stderr, result } = outcome;
    t.equal(code, 0, stderr);
    t.match(stdout, /^ok \d+ - ready_marker@boot2$/m);
    t.equal(new Set(metadata.get('boot_ids')?.split(', ')).size, 2);
    t.equal(metadata.get('leaked'), '0');
    const stages: readonly { readonly stage: string; readonly boot: number }[] = result.result.timeline;
    const reboot = stages.filter(({ boot }) => boot === 2).map(({ stage }) => stage);
    // The reference guest's kernel is quiet: its first process is the first thing that serial shows.
    t.equal(reboot.join(' '), 'reboot firmware+kernel services ssh probes ready probes');
    for (const [key, value] of metadata) if (/^time_|slow_stages|budget_scale/.test(key)) t.comment(`${key}=${value}`);
  });
}

t.test('a shim that is made at every boot but the first is the image’s', async (t) => {
  const outcome = await outcomes.get('shim');
  if (outcome === undefined) throw new Error('not run');
  t.equal(outcome.code, 1, outcome.stderr);
  t.match(outcome.stdout, /^ok \d+ - compat_prefix_shims$/m);
  t.match(outcome.stdout, /^not ok \d+ - compat_prefix_shims@boot2$/m);
  t.match(outcome.metadata.get('reason'), /^compat_prefix_shims@boot2: expected absent/);
  t.match(outcome.metadata.get('compat_prefix_shims'), /present/);
});
