/**
 * Real boots of broken reference guests: each must end as FAIL, and name the right thing. The
 * control image is the unmodified reference guest.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { makeVariant, type VariantFault } from '../../lab/guest/variant.ts';
import { startLab } from '../lab-process.ts';
import { inLanes } from '../lanes.ts';
import { type Outcome, runPhase, workdirRoot } from '../phase-process.ts';

const MODES = { phase9: 'freebsd-init+rc.d-shepherd', phase11: 'shepherd-pid1' } as const;

/** On two cores more would only slow each other down, past their budgets. */
const LANES = 2;

interface Row {
  readonly fault: VariantFault;
  readonly phase: keyof typeof MODES;
  /** Checks that must have failed; empty where the guest never answers. */
  readonly failed: readonly string[];
  readonly code: 'CHECKS_FAILED' | 'GUEST_SILENT' | 'GUEST_PANICKED';
  /** What the evidence must say. */
  readonly says: RegExp;
}

const ROWS: readonly Row[] = [
  {
    fault: 'no-sshd',
    phase: 'phase9',
    failed: [],
    code: 'GUEST_SILENT',
    says: /twice .* while the control image answered/,
  },
  {
    fault: 'no-root',
    phase: 'phase9',
    failed: [],
    code: 'GUEST_SILENT',
    says: /Unable to mount root.*control image answered/,
  },
  { fault: 'no-ready-marker', phase: 'phase11', failed: ['ready_marker'], code: 'CHECKS_FAILED', says: /ready_marker/ },
  {
    fault: 'no-shepherd',
    phase: 'phase9',
    failed: ['shepherd_status', 'ready_marker'],
    code: 'CHECKS_FAILED',
    says: /shepherd_status/,
  },
  {
    fault: 'shepherd-not-pid1',
    phase: 'phase11',
    failed: ['shepherd_pid', 'init_mode'],
    code: 'CHECKS_FAILED',
    says: /shepherd_pid: expected 1/,
  },
  {
    fault: 'shim-directory',
    phase: 'phase9',
    failed: ['compat_prefix_shims'],
    code: 'CHECKS_FAILED',
    says: /compat_prefix_shims: expected absent, was present/,
  },
  {
    fault: 'shim-dangling-symlink',
    phase: 'phase11',
    failed: ['compat_prefix_shims'],
    code: 'CHECKS_FAILED',
    says: /dangling/,
  },
  { fault: 'no-gnutls', phase: 'phase9', failed: ['guile_module_smoke'], code: 'CHECKS_FAILED', says: /gnutls/ },
];

const images = mkdtempSync(join(tmpdir(), 'bw-images-'));
const root = workdirRoot(t);
const lab = await startLab();
t.teardown(async () => {
  await lab.stop();
  rmSync(images, { recursive: true, force: true });
});

async function boot(row: Row): Promise<Outcome> {
  const bootMode = MODES[row.phase];
  const base = join(images, `${row.fault}.raw`);
  const { images: references } = await (await import('../../lab/guest/reference.ts')).referenceGuest({
    cacheDir: join(process.env.XDG_CACHE_HOME ?? join(process.env.HOME ?? '/root', '.cache'), 'bootwitness'),
    log: () => undefined,
  });
  const variant = await makeVariant({ base: references[bootMode], out: base, bootMode, fault: row.fault });
  const own = mkdtempSync(join(root, 'root-'));
  // A guest that is silent is waited for in full, three times over; one that answers may take its time, since a loaded
  // machine must not turn a slow Guile into a probe that saw nothing.
  const scale = row.failed.length === 0 ? '1' : '2';
  const args = ['--lab', lab.labFile, '--image', variant.path, '--budget-scale', scale, '--label', row.fault];
  const outcome = await runPhase(row.phase, own, args);
  rmSync(variant.path);
  return outcome;
}

const outcomes = inLanes(LANES, ROWS, boot);
for (const row of ROWS) {
  t.test(`${row.fault} is a FAIL of the image`, async (t) => {
    const outcome = await outcomes.get(row);
    if (outcome === undefined) throw new Error('not run');
    t.equal(outcome.code, 1, outcome.stderr);
    t.equal(outcome.metadata.get('result'), 'FAIL');
    t.equal(outcome.metadata.get('fault'), row.code);
    t.equal(outcome.metadata.get('fault_party'), 'image');
    t.match(outcome.metadata.get('reason'), row.says);
    t.equal(outcome.metadata.get('leaked'), '0', 'nothing stays in the lab');
    for (const name of row.failed) {
      const check = outcome.result?.verdict.checks.find((entry: { name: string }) => entry.name === name);
      t.match(check, { outcome: 'failed' }, `${name} is the check that failed`);
    }
    const held = outcome.result?.verdict.checks.filter((entry: { outcome: string }) => entry.outcome === 'unobserved');
    t.same(held, [], 'nothing is left unobserved');
  });
}
