/** Two disks for trying an SR: one with some blocks, one with fewer. Each block can be told from every other. */
import { createCipheriv, createHash } from 'node:crypto';
import { BLOCK_BYTES } from '../../image/disk.ts';
import type { DiskSource } from '../disk-source.ts';

const BLOCKS = 8;
/** Bytes of either disk: small enough for any SR, more than one block of a VHD. */
export const TEST_DISK_BYTES = BLOCKS * BLOCK_BYTES;

/** The first one: some blocks, not the last. */
export const MORE: readonly number[] = [0, 1, 3, 6];
/** The second one, written over it. */
export const FEWER: readonly number[] = [0, 3];

/** The content of a block: bytes that depend on `salt`, the disk and the block, and do not compress. */
function content(salt: string, disk: string, block: number): Buffer {
  const seed = createHash('sha256').update(`${salt} ${disk} ${block}`).digest();
  return createCipheriv('aes-128-ctr', seed.subarray(0, 16), seed.subarray(16)).update(Buffer.alloc(BLOCK_BYTES));
}

export const digestOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
export const ZEROS_DIGEST = digestOf(Buffer.alloc(BLOCK_BYTES));

export interface TestDisk {
  readonly source: DiskSource;
  /** SHA-256 of each of its blocks, zeros included. */
  readonly digests: readonly string[];
}

/** @param salt differs from test to test, so that what an earlier one left cannot pass */
export function testDisk(salt: string, disk: 'more' | 'fewer'): TestDisk {
  const blocks = disk === 'more' ? MORE : FEWER;
  const contents = new Map(blocks.map((block) => [block, content(salt, disk, block)]));
  const whole = Buffer.alloc(TEST_DISK_BYTES);
  for (const [block, bytes] of contents) bytes.copy(whole, block * BLOCK_BYTES);
  const sha256 = digestOf(whole);
  const at = (block: number): Buffer => whole.subarray(block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES);
  const image = {
    ...{ path: 'the test disk', format: 'raw' as const, sizeBytes: TEST_DISK_BYTES, sha256, fileState: '' },
    ...{ blocks, identity: null, startsBy: [], sidecar: null },
  };
  return {
    digests: Array.from({ length: BLOCKS }, (_, block) => digestOf(at(block))),
    source: {
      ...{ image, sizeBytes: TEST_DISK_BYTES, sha256, blocks },
      open: async () => ({
        sizeBytes: TEST_DISK_BYTES,
        read: async (into, start) => {
          into.fill(0);
          whole.copy(into, 0, start, Math.min(start + into.length, TEST_DISK_BYTES));
        },
        refuseChanged: async () => undefined,
        close: async () => undefined,
      }),
    },
  };
}
