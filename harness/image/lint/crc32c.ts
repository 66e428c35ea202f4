/**
 * CRC-32C (Castagnoli, reflected polynomial 0x82F63B78) as file systems use it: begun with all ones and *not* inverted
 * at the end (FreeBSD calculate_crc32c(~0, …), Linux crc32c(~0, …)). node:zlib has CRC-32 only.
 */

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc >>> 0;
});

/** @returns the sum of `bytes`, unsigned */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (TABLE[(crc ^ byte) & 0xff] ?? 0);
  return crc >>> 0;
}
