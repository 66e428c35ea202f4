/** Whether the disk can become a VDI, and how it lies in a larger one. */
import { broken, doubtful, fine, type Look, shownBytes } from './look.ts';
import { SECTOR } from './partition.ts';

/** XCP-ng's limit of a VHD, and qemu's: 2040 GiB. */
const VHD_BYTES_MAX = 2040 * 1024 ** 3;
/** SRs round the size of a VDI up to this; a grain of 2 MiB is that of the VHD's blocks. */
const ROUNDING_BYTES = 2 * 1024 * 1024;

export interface Sizes {
  readonly imageBytes: number;
  /** Null: not known, or made to fit. */
  readonly vdiBytes: number | null;
  readonly hasGpt: boolean;
}

export function judgeSize({ imageBytes, vdiBytes, hasGpt }: Sizes): Look {
  if (imageBytes % SECTOR !== 0) {
    const seen = `${imageBytes} bytes, no multiple of ${SECTOR}`;
    return broken(seen, 'A disk has whole sectors.', 'Copy the image again: it may be cut.');
  }
  if (imageBytes > VHD_BYTES_MAX) {
    const seen = `${shownBytes(imageBytes)}, and a VHD holds 2040 GiB`;
    return broken(seen, 'No SR of the VHD kind can take it.', 'Make the disk smaller.');
  }
  if (vdiBytes !== null && imageBytes > vdiBytes) {
    const seen = `${imageBytes} bytes, and the VDI has ${vdiBytes}`;
    return broken(seen, 'Its end would be cut off.', 'Make the VDI larger, or the image smaller.');
  }
  const beyond = vdiBytes === null ? 0 : vdiBytes - imageBytes;
  if (beyond < ROUNDING_BYTES) return fine(rounded(imageBytes, vdiBytes, hasGpt));
  const seen = `${shownBytes(imageBytes)}, ${shownBytes(beyond)} less than the VDI`;
  const gpt = hasGpt ? 'The backup GPT will not lie at the end of the disk. ' : '';
  const why = `${gpt}A fixed VDI must have the size of the image, give or take the SR's rounding.`;
  return doubtful(seen, why, 'Make both equal, or order --pad, which moves the backup GPT to the end.');
}

/** What rounding does is harmless and worth knowing: FreeBSD tells it on its console. */
function rounded(imageBytes: number, vdiBytes: number | null, hasGpt: boolean): string {
  const size = `${shownBytes(imageBytes)} (${imageBytes} bytes)`;
  const short = vdiBytes === null ? imageBytes % ROUNDING_BYTES !== 0 : vdiBytes > imageBytes;
  if (!short || !hasGpt) return size;
  return `${size}; an SR rounds up to 2 MiB, so FreeBSD will say that the backup GPT is not in the last LBA: harmless`;
}
