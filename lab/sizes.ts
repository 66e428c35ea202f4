/** Reads a size as Xen Orchestra's calls take it: bytes, or a number with a unit such as `10 GiB`. */

const FACTORS: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40, p: 2 ** 50 };

/** Bytes. @throws Error with Xen Orchestra's own words where it cannot be read */
export function parseSize(size: number | string): number {
  if (typeof size === 'number') return size;
  const match = /^(\d+(?:\.\d+)?)\s*([kmgtp]?)i?b?$/i.exec(size.trim());
  const factor = FACTORS[match?.[2]?.toLowerCase() ?? ''];
  if (!match || factor === undefined) throw new Error('cannot parse str');
  return Math.round(Number(match[1]) * factor);
}
