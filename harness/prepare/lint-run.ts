/**
 * The lint of a run: told to people, recorded in the evidence and the report, and never more than that. It changes no
 * verdict, and neither does its own failure.
 */
import type { World } from '../boot/boot.ts';
import type { LintFinding } from '../finding.ts';
import type { Disk } from '../image/disk.ts';
import { lintDisk } from '../image/lint/lint.ts';
import { openDisk } from '../image/open-disk.ts';
import type { Firmware, PlannedImage } from '../model.ts';

/** Of an image that would have to be decompressed for nothing but this. */
const NOT_LOOKED_AT: LintFinding = {
  ...{
    name: 'lint',
    status: 'unknown',
    looked: 'the image',
    seen: 'it is compressed, and the lab has its disk already',
  },
  ...{ why: 'It was not decompressed for this.', remedy: 'Look with npm run -s lint-image.' },
};

export interface LintRunWish {
  /** Of the guest; null where an operator's VM decides it. */
  readonly firmware: Firmware | null;
  /** False: nobody but the lint would read the image. */
  readonly wantsBytes: boolean;
}

export async function lintForRun(
  image: PlannedImage,
  { firmware, wantsBytes }: LintRunWish,
  { evidence, log, tell, scratch, signal }: Pick<World, 'evidence' | 'log' | 'tell' | 'scratch' | 'signal'>,
): Promise<readonly LintFinding[]> {
  const spared = !wantsBytes && image.format.includes('+');
  const findings = spared ? [NOT_LOOKED_AT] : await findingsOf(() => openDisk(image, scratch, signal), firmware, log);
  evidence.record('image', 'lint', findings);
  for (const { name, status, seen, why } of findings) {
    if (status !== 'warning' && status !== 'broken') continue;
    tell({ event: 'warning', text: `image: ${status}: ${name}: ${seen}. ${why}` });
  }
  return findings;
}

async function findingsOf(
  open: () => Promise<Disk>,
  firmware: Firmware | null,
  log: World['log'],
): Promise<readonly LintFinding[]> {
  try {
    const disk = await open();
    try {
      return (await lintDisk(disk, { firmware, vdiBytes: null })).findings;
    } finally {
      await disk.close();
    }
  } catch (thrown) {
    log.error({ err: thrown }, 'lint');
    const seen = `it failed: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
    const finding = { name: 'lint', status: 'unknown' as const, looked: 'the image', seen };
    return [{ ...finding, why: 'Nothing was looked at.', remedy: 'Send us log.ndjson of the workdir.' }];
  }
}
