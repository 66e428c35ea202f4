/**
 * The lint of a run: told to people, recorded in the evidence and the report, and never more than that. It changes no
 * verdict, and neither does its own failure.
 */
import type { World } from './boot.ts';
import type { LintFinding } from './finding.ts';
import type { Disk } from './image/disk.ts';
import { lintDisk } from './image/lint/lint.ts';
import { openDisk } from './image/open-disk.ts';
import type { Firmware, PlannedImage } from './model.ts';

/** @param firmware of the guest; null where an operator's VM decides it */
export async function lintForRun(
  image: PlannedImage,
  firmware: Firmware | null,
  { evidence, log, tell, scratch, signal }: Pick<World, 'evidence' | 'log' | 'tell' | 'scratch' | 'signal'>,
): Promise<readonly LintFinding[]> {
  const findings = await findingsOf(() => openDisk(image, scratch, signal), firmware, log);
  evidence.record('image', 'lint', findings);
  for (const { name, status, seen, why } of findings) {
    if (status === 'warning' || status === 'broken') tell.note(`image: ${status}: ${name}: ${seen}. ${why}`);
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
