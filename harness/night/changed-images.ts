/** Images that were not the same for all cases of a night: somebody wrote over a file while it went on. Pure. */
import type { CaseSummary, Remark } from '../summary.ts';
import type { NightLab } from './cases.ts';

const DIGITS = 12;

/**
 * Each verdict is about the image that its case read, by digest; who reads only names would not see that there were
 * two.
 * @param summaries by name of the case; of one that read no image nothing is known
 */
export function changedImages(
  labs: readonly NightLab[],
  summaries: ReadonlyMap<string, CaseSummary>,
): readonly Remark[] {
  /** By the file's name in the plan: the first case of each digest. A lab's own images are several by right. */
  const seen = new Map<string, Map<string, string>>();
  for (const { name, image } of labs.flatMap(({ cases }) => cases)) {
    const digest = summaries.get(name)?.imageSha256;
    if (image.file === null || !digest) continue;
    const digests = seen.get(image.name) ?? new Map<string, string>();
    if (!digests.has(digest)) seen.set(image.name, digests.set(digest, name));
  }
  return [...seen].flatMap(([image, digests]) => {
    if (digests.size < 2) return [];
    const shown = [...digests].map(([digest, name]) => `${digest.slice(0, DIGITS)} in ${name}`).join(', ');
    const text = `image ${image} was written to during the night, and is not the same in all cases: ${shown}`;
    return [{ level: 'warning', text } as const];
  });
}
