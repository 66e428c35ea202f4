/** Unpacks single clusters of a qcow2 image, in memory: deflate by Node, zstd by zstddec (its only importer). */
import { inflateRawSync } from 'node:zlib';
import { ZSTDDecoder } from 'zstddec';

/** Unpacks one cluster; what follows it in `packed` is padding. Null: it is damaged, or not of that many bytes. */
export type Inflate = (packed: Buffer, clusterBytes: number) => Buffer | null;

const deflate: Inflate = (packed, clusterBytes) => {
  try {
    const bytes = inflateRawSync(packed, { maxOutputLength: clusterBytes });
    return bytes.length === clusterBytes ? bytes : null;
  } catch {
    return null; // says the caller, with the place of the cluster
  }
};

export async function openInflate(by: 'deflate' | 'zstd'): Promise<Inflate> {
  if (by === 'deflate') return deflate;
  const decoder = new ZSTDDecoder();
  await decoder.init();
  return (packed, clusterBytes) => {
    const frame = packed.subarray(0, zstdFrameBytes(packed) ?? 0);
    // libzstd's own errors make the answer shorter than what was asked for.
    const bytes = frame.length === 0 ? frame : decoder.decode(frame, clusterBytes);
    return bytes.length === clusterBytes ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length) : null;
  };
}

const ZSTD_MAGIC = 0xfd2f_b528;
const FCS_BYTES = [0, 2, 4, 8] as const;
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const;

/** Length of the first zstd frame (RFC 8878, 3.1.1); null: this is none, or it is cut. */
function zstdFrameBytes(packed: Buffer): number | null {
  if (packed.length < 6 || packed.readUInt32LE(0) !== ZSTD_MAGIC) return null;
  const descriptor = packed.readUInt8(4);
  const singleSegment = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >> 6;
  let at = 5 + (singleSegment ? 0 : 1) + (DICTIONARY_ID_BYTES[descriptor & 3] ?? 0);
  at += sizeFlag === 0 && singleSegment ? 1 : (FCS_BYTES[sizeFlag] ?? 0);
  for (let last = false; !last; ) {
    if (at + 3 > packed.length) return null;
    const header = packed.readUIntLE(at, 3);
    last = (header & 1) !== 0;
    const type = (header >> 1) & 3;
    at += 3 + (type === 1 ? 1 : header >> 3); // a block of one repeated byte has only that
  }
  at += (descriptor & 4) !== 0 ? 4 : 0;
  return at <= packed.length ? at : null;
}
