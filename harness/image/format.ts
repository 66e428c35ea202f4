/** Tells by its content, never by its name, what a file is: a disk that we read, or what the refusal shall name. */
import type { Compression } from '../model.ts';

/** Bytes from the start of the file that `sniff` wants (ISO 9660 names itself at 32769). */
export const HEAD_BYTES = 33 * 1024;
/** Bytes from its end (a fixed VHD is a raw disk with a footer). */
export const TAIL_BYTES = 512;

/** `raw` is also whatever we do not know. */
export type Sniffed = 'raw' | 'vhd' | 'qcow2' | Compression | { readonly foreign: string };

interface Magic {
  readonly at: number;
  readonly bytes: Buffer;
  readonly is: Sniffed;
}

const magic = (is: string, text: string, at = 0): Magic => ({
  ...{ at, bytes: Buffer.from(text, 'latin1') },
  is: is === 'vhd' || is === 'qcow2' || is === 'gz' || is === 'xz' || is === 'zst' ? is : { foreign: is },
});

const MAGICS: readonly Magic[] = [
  magic('qcow2', 'QFI\xfb'),
  magic('vhd', 'conectix'),
  magic('gz', '\x1f\x8b\x08'),
  magic('xz', '\xfd7zXZ\0'),
  magic('zst', '\x28\xb5\x2f\xfd'),
  magic('a VHDX image', 'vhdxfile'),
  magic('a VMDK image', 'KDMV'),
  magic('a VMDK descriptor', '# Disk DescriptorFile'),
  magic('a VirtualBox VDI image', '\x7f\x10\xda\xbe', 64),
  magic('a QED image', 'QED\0'),
  magic('bzip2-compressed', 'BZh'),
  magic('lz4-compressed', '\x04\x22\x4d\x18'),
  magic('a zip archive', 'PK\x03\x04'),
  magic('a tar archive (an OVA or XVA?)', 'ustar', 257),
  magic('an ISO 9660 CD image', 'CD001', 32769),
];

/** Each taken format, for refusals. */
export const NAMES: Readonly<Record<Exclude<Sniffed, object>, string>> = {
  raw: 'a raw disk',
  vhd: 'a VHD image',
  qcow2: 'a qcow2 image',
  gz: 'gzip-compressed',
  xz: 'xz-compressed',
  zst: 'zstd-compressed',
};

/** A fixed VHD whose footer lost its name is none, and would pass for a raw disk with a sector too many. */
const isFooter = (tail: Buffer, sizeBytes: number): boolean =>
  tail.toString('latin1', 0, 8) === 'conectix' ||
  (tail.length === TAIL_BYTES && tail.readBigUInt64BE(48) === BigInt(sizeBytes - TAIL_BYTES) && sizeBytes > TAIL_BYTES);

/**
 * @param head the first bytes of the file, up to HEAD_BYTES
 * @param tail its last TAIL_BYTES
 */
export function sniff(head: Buffer, tail: Buffer, sizeBytes: number): Sniffed {
  for (const { at, bytes, is } of MAGICS) {
    if (head.subarray(at, at + bytes.length).equals(bytes)) return is;
  }
  return isFooter(tail, sizeBytes) ? 'vhd' : 'raw';
}
