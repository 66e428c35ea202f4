/** What is to be said of a night's images, which are told by name: that one stood for something else. Pure. */
import type { CaseSummary, Remark } from '../report/summary.ts';
import type { NightLab } from './cases.ts';

const DIGITS = 12;

/** Told also before it runs: whoever forgot the file of an image would see its name pass. */
export function ownImages(labs: readonly NightLab[]): readonly Remark[] {
  const names = labs.flatMap(({ cases }) => cases.flatMap(({ image }) => (image.file === null ? [image.name] : [])));
  return [...new Set(names)].map((name) => {
    const text = `image ${name} has no file: what runs is the reference guest of the lab, and says nothing about yours`;
    return { level: 'warning', text } as const;
  });
}

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
