/** Tells by its content what a file is that is not a raw disk, so that the refusal can name it. */

/** Bytes from the start of the file that `foreignFormat` wants (ISO 9660 names itself at 32769). */
export const HEAD_BYTES = 33 * 1024;
/** Bytes from the end (a fixed VHD is a raw disk with a footer). */
export const TAIL_BYTES = 512;

interface Magic {
  readonly at: number;
  readonly bytes: Buffer;
  readonly what: string;
}

const magic = (what: string, text: string, at = 0): Magic => ({ what, bytes: Buffer.from(text, 'latin1'), at });

const MAGICS: readonly Magic[] = [
  magic('a qcow2 image', 'QFI\xfb'),
  magic('a VHD image', 'conectix'),
  magic('a VHDX image', 'vhdxfile'),
  magic('a VMDK image', 'KDMV'),
  magic('a VMDK descriptor', '# Disk DescriptorFile'),
  magic('a VirtualBox VDI image', '\x7f\x10\xda\xbe', 64),
  magic('gzip-compressed', '\x1f\x8b\x08'),
  magic('xz-compressed', '\xfd7zXZ\0'),
  magic('zstd-compressed', '\x28\xb5\x2f\xfd'),
  magic('bzip2-compressed', 'BZh'),
  magic('lz4-compressed', '\x04\x22\x4d\x18'),
  magic('a zip archive', 'PK\x03\x04'),
  magic('a tar archive (an OVA or XVA?)', 'ustar', 257),
  magic('an ISO 9660 CD image', 'CD001', 32769),
];

/**
 * @param head the first bytes of the file, up to HEAD_BYTES
 * @param tail its last TAIL_BYTES
 * @returns `a qcow2 image`, `xz-compressed`…; null: nothing that we know, so taken as raw
 */
export function foreignFormat(head: Buffer, tail: Buffer): string | null {
  for (const { at, bytes, what } of MAGICS) {
    if (head.subarray(at, at + bytes.length).equals(bytes)) return what;
  }
  return tail.subarray(0, 8).toString('latin1') === 'conectix' ? 'a VHD image of fixed size' : null;
}
