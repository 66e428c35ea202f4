/** Which clusters of a file are taken, so that two things at one place are noticed. Memory grows with their number. */

const BITS_PER_PAGE = 2 ** 15;

export class ClaimedClusters {
  readonly #pages = new Map<number, Uint8Array>();

  /** @returns false where somebody has it already */
  claim(cluster: number): boolean {
    const [number, bit] = [Math.floor(cluster / BITS_PER_PAGE), cluster % BITS_PER_PAGE];
    const page = this.#pages.get(number) ?? new Uint8Array(BITS_PER_PAGE / 8);
    this.#pages.set(number, page);
    const [byte, mask] = [page[bit >> 3] ?? 0, 1 << (bit & 7)];
    page[bit >> 3] = byte | mask;
    return (byte & mask) === 0;
  }
}
