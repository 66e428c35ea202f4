/**
 * Broken reference guests that really boot, on QEMU: rows of `npm run matrix -- --real`, and of the tests where a row
 * says so. The control image is the unmodified reference guest.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeVariant, type VariantFault } from '../../lab/guest/variant.ts';
import { type LabProcess, startLab } from '../lab-process.ts';
import { inLanes } from '../lanes.ts';
import { type Outcome, runPhase } from '../phase-process.ts';
import { broken, type Expected, type Eyes, PANICKED, PASS, SILENT, undetermined, unseen } from '../wire/rows.ts';
import type { Entry } from './table.ts';

const MODES = { phase9: 'freebsd-init+rc.d-shepherd', phase11: 'shepherd-pid1' } as const;
/** On two cores more would only slow each other down, past their budgets. */
const LANES = 2;

/** `checks` must have failed; others may have, too. */
export interface RealRow extends Expected {
  readonly variant: VariantFault;
  readonly phase: keyof typeof MODES;
  readonly firmware?: 'uefi';
  /** Among the real boots of `npm test`. */
  readonly inTests?: true;
}

const CODES = { PASS: 0, FAIL: 1, ERROR: 3 } as const;
const SECOND_LOOK = /twice .* while the control image answered/;

export const REAL: readonly RealRow[] = [
  { variant: 'no-sshd', phase: 'phase9', ...SILENT, says: SECOND_LOOK, inTests: true },
  {
    ...{ variant: 'no-root', phase: 'phase9', ...SILENT, inTests: true },
    says: /control image answered/,
  },
  { variant: 'no-ready-marker', phase: 'phase11', ...broken('ready_marker'), inTests: true },
  { variant: 'no-shepherd', phase: 'phase9', ...broken('shepherd_status', 'ready_marker'), inTests: true },
  {
    ...{ variant: 'shepherd-not-pid1', phase: 'phase11', ...broken('shepherd_pid', 'init_mode'), inTests: true },
    says: /shepherd_pid: expected 1/,
  },
  {
    ...{ variant: 'shim-directory', phase: 'phase9', ...broken('compat_prefix_shims'), inTests: true },
    says: /compat_prefix_shims: expected absent, was present/,
  },
  {
    ...{ variant: 'shim-dangling-symlink', phase: 'phase11', ...broken('compat_prefix_shims'), inTests: true },
    says: /dangling/,
  },
  { variant: 'no-gnutls', phase: 'phase9', ...broken('guile_module_smoke'), says: /gnutls/, inTests: true },
  { variant: 'shim-file', phase: 'phase11', ...broken('compat_prefix_shims') },
  { variant: 'gnutls-outside-store', phase: 'phase11', ...broken('guile_module_smoke'), says: /outside/ },
  { variant: 'wrong-ready-marker', phase: 'phase9', ...broken('ready_marker'), says: /nearly/ },
  { variant: 'stale-ready-marker', phase: 'phase11', ...broken('ready_marker'), says: /older than this boot/ },
  { variant: 'shepherd-stopped', phase: 'phase9', ...broken('shepherd_status', 'shepherd_pid') },
  { variant: 'wrong-closure', phase: 'phase9', ...broken('run_current_system_target') },
  { variant: 'foreign-key', phase: 'phase11', ...undetermined('SSH_KEY_REFUSED', /key refused/) },
  { variant: 'no-dhcp', phase: 'phase9', ...SILENT, says: SECOND_LOOK },
  { variant: 'config-old-prefix', phase: 'phase9', ...broken('shepherd_config_prefix_dir') },
  { variant: 'stale-cache', phase: 'phase11', ...broken('stale_cache_fibers_config') },
  { variant: 'process-below-prefix', phase: 'phase9', ...broken('process_prefixes') },
  { variant: 'service-short', phase: 'phase11', ...broken('shepherd_services') },
  { variant: 'service-extra', phase: 'phase9', ...broken('shepherd_services'), says: /surplus/ },
  { variant: 'halts-after-ready', phase: 'phase9', ...undetermined('GUEST_HALTED', /powered|[Hh]alted/) },
  { variant: 'reboots-after-ready', phase: 'phase9', ...undetermined('GUEST_REBOOTED', /in another boot/) },
  { variant: 'panics-after-ready', phase: 'phase9', ...PANICKED, says: /Kernel panic/ },
  { variant: 'clock-years-behind', phase: 'phase9', ...PASS },
  { variant: 'root-read-only', phase: 'phase11', ...broken('ready_marker') },
  { variant: 'disk-full', phase: 'phase9', ...broken('ready_marker') },
  { variant: 'no-stat', phase: 'phase11', ...unseen('ready_marker') },
  {
    ...{ variant: 'forging-shell', phase: 'phase9', ...broken('compat_prefix_shims'), inTests: true },
    says: /compat_prefix_shims: expected absent, was present/,
  },
  { variant: 'no-efi-loader', phase: 'phase9', firmware: 'uefi', ...SILENT, says: SECOND_LOOK },
];

/** A lab of QEMU for real rows, and folders that end with it. */
export class RealLab {
  readonly #lab: LabProcess;
  readonly #dir = mkdtempSync(join(tmpdir(), 'bw-real-'));
  private constructor(lab: LabProcess) {
    this.#lab = lab;
  }
  static async start(): Promise<RealLab> {
    return new RealLab(await startLab());
  }
  async stop(): Promise<void> {
    await this.#lab.stop();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async play(row: RealRow, eyes: Eyes): Promise<Outcome> {
    const own = mkdtempSync(join(this.#dir, `${row.variant}-`));
    const bootMode = MODES[row.phase];
    const { images: references } = await (await import('../../lab/guest/reference.ts')).referenceGuest({
      cacheDir: join(process.env.XDG_CACHE_HOME ?? join(process.env.HOME ?? '/root', '.cache'), 'bootwitness'),
      log: () => undefined,
    });
    const out = join(own, 'image.raw');
    const variant = await makeVariant({ base: references[bootMode], out, bootMode, fault: row.variant });
    const runs = mkdtempSync(join(own, 'runs-'));
    // What never comes is waited for in full, three times over for a silent guest; what answers may take its time: a
    // loaded machine must not turn a slow Guile into a probe that saw nothing.
    const waits = row.checks?.includes('ready_marker') ? '2' : '6';
    const scale = row.fault === 'GUEST_SILENT' ? '1' : waits;
    const args = ['--lab', this.#labFile(own, eyes), '--image', variant.path, '--budget-scale', scale];
    const firmware = row.firmware === undefined ? [] : ['--firmware', row.firmware];
    try {
      return await runPhase(row.phase, runs, [...args, ...firmware, '--label', row.variant]);
    } finally {
      rmSync(variant.path);
    }
  }

  #labFile(own: string, eyes: Eyes): string {
    if (eyes === 'serial') return this.#lab.labFile;
    const file = join(own, 'lab.toml');
    writeFileSync(file, readFileSync(this.#lab.labFile, 'utf8').replace(/^\[console\]\n(?:\w.*\n)+/m, ''));
    return file;
  }
}

/** What is otherwise than expected, one sentence each. */
export function realDifferences(row: RealRow, { code, metadata, result, stderr }: Outcome): readonly string[] {
  const said = (key: string): string => metadata.get(key) ?? `nothing: ${stderr}`;
  const unlike = (what: string, expected: string, was: string): readonly string[] =>
    was === expected ? [] : [`${what}: expected ${expected}, was ${was}`];
  const checks: readonly { name: string; outcome: string }[] = result?.verdict.checks ?? [];
  const outcomeOf = (name: string): string => checks.find((each) => each.name === name)?.outcome ?? 'not judged';
  const unobserved = checks.filter(({ outcome }) => outcome === 'unobserved').map(({ name }) => name);
  const notSeen = row.fault === 'PROBE_UNOBSERVED';
  return [
    ...unlike('exit code', String(CODES[row.result]), String(code)),
    ...unlike('result', row.result, said('result')),
    ...unlike('fault', row.fault, said('fault')),
    ...unlike('party', row.party, said('fault_party')),
    ...unlike('left in the lab', '0', said('leaked')),
    ...(notSeen ? [] : (row.checks ?? []).flatMap((name) => unlike(name, 'failed', outcomeOf(name)))),
    ...unlike('unobserved', notSeen ? (row.checks ?? []).join(' ') : '', unobserved.join(' ')),
    ...(row.says === undefined || row.says.test(said('reason')) ? [] : [`the reason: ${said('reason')}`]),
  ];
}

/** Real rows of which the name has the words in it. */
export async function* playReal(only: string, eyes: readonly Eyes[]): AsyncIterable<Entry> {
  const chosen = REAL.filter(({ variant }) => `real: ${variant}`.includes(only));
  const lab = await RealLab.start();
  try {
    // QEMU always shows a screen: none is blind.
    const seen = eyes.filter((each) => each !== 'blind');
    const all = chosen.flatMap((row) => seen.map((each) => ({ row, eyes: each })));
    const outcomes = inLanes(LANES, all, ({ row, eyes: each }) => lab.play(row, each));
    for (const [{ row, eyes: each }, outcome] of outcomes) {
      const played = await outcome;
      const said = (key: string): string => played.metadata.get(key) ?? 'nothing';
      yield {
        ...{ name: `real: ${row.variant}`, eyes: each, expected: row, seconds: played.seconds },
        got: { result: said('result'), fault: said('fault'), party: said('fault_party') },
        differences: realDifferences(row, played),
      };
    }
  } finally {
    await lab.stop();
  }
}
