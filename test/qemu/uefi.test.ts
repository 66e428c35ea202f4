/**
 * Real boots under UEFI (OVMF): the reference guest, which is built for BIOS and for UEFI, passes in both modes, and an
 * image that has a boot loader for BIOS alone is told from a lab that cannot boot anything.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { referenceGuest } from '../../lab/guest/reference.ts';
import { makeVariant } from '../../lab/guest/variant.ts';
import { startLab } from '../lab-process.ts';
import { inLanes } from '../lanes.ts';
import { type Outcome, runPhase, workdirRoot } from '../phase-process.ts';

const images = mkdtempSync(join(tmpdir(), 'bw-uefi-'));
const root = workdirRoot(t);
const lab = await startLab();
t.teardown(async () => {
  await lab.stop();
  rmSync(images, { recursive: true, force: true });
});

/** A guest that is silent is waited for in full, twice; one that answers may take its time on a loaded machine. */
const ROWS = ['phase9', 'phase11', 'no-efi-loader'] as const;

async function boot(row: (typeof ROWS)[number]): Promise<Outcome> {
  const own = mkdtempSync(join(root, 'root-'));
  const args = ['--lab', lab.labFile, '--firmware', 'uefi', '--label', row];
  if (row !== 'no-efi-loader') return runPhase(row, own, [...args, '--budget-scale', '4']);
  const cacheDir = join(process.env.XDG_CACHE_HOME ?? join(process.env.HOME ?? '/root', '.cache'), 'bootwitness');
  const { images: references } = await referenceGuest({ cacheDir, log: () => undefined });
  const bootMode = 'freebsd-init+rc.d-shepherd';
  const base = references[bootMode];
  const { path } = await makeVariant({ base, out: join(images, 'bios-only.raw'), bootMode, fault: 'no-efi-loader' });
  return runPhase('phase9', own, [...args, '--budget-scale', '1', '--image', path]);
}

const outcomes = inLanes(2, ROWS, boot);
for (const phase of ['phase9', 'phase11'] as const) {
  t.test(`${phase} passes under UEFI`, async (t) => {
    const outcome = await outcomes.get(phase);
    if (outcome === undefined) throw new Error('not run');
    t.equal(outcome.code, 0, outcome.stderr);
    t.equal(outcome.metadata.get('result'), 'PASS');
    t.equal(outcome.metadata.get('firmware'), 'uefi', 'ordered');
    t.equal(outcome.metadata.get('boot_firmware'), 'uefi', 'and found by the guest itself');
    t.equal(outcome.metadata.get('image_identity'), 'verified');
    t.equal(outcome.metadata.get('leaked'), '0');
    t.match(outcome.result, { result: { placed: { firmware: 'uefi', host: { name: 'embedded-host' } } } });
  });
}

t.test('an image for BIOS alone is silent under UEFI, where the control image answers: it is the image', async (t) => {
  const outcome = await outcomes.get('no-efi-loader');
  if (outcome === undefined) throw new Error('not run');
  t.equal(outcome.code, 1, outcome.stderr);
  t.equal(outcome.metadata.get('fault'), 'GUEST_SILENT');
  t.equal(outcome.metadata.get('fault_party'), 'image');
  t.match(outcome.metadata.get('reason'), /while the control image answered in between/);
  t.equal(outcome.metadata.get('leaked'), '0');
  t.ok(existsSync(join(outcome.workdir, 'evidence.ndjson')));
});
