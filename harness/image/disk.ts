/** A virtual disk that can be read at any place, whatever holds it: what planning, sending and the lint read. */
import { Fault } from '../faults/faults.ts';

/** The grain in which a disk is known to hold something: XCP-ng's own VHD block, in bytes. */
export const BLOCK_BYTES = 2 * 1024 * 1024;
/** Disks are made of these, in bytes. */
export const SECTOR = 512;
/** XCP-ng's limit for a VHD, and qemu's: 2040 GiB. What claims to be larger cannot be sent, and is not read. */
export const DISK_BYTES_MAX = 2040 * 1024 ** 3;

/** A disk that is open for reading. */
export interface Disk {
  /** Bytes of the virtual disk. */
  readonly sizeBytes: number;
  /**
   * Fills `into` with the disk's bytes from `at` on; what lies behind its end reads as zeros.
   * @throws Fault BAD_IMAGE where what holds the disk is cut or corrupt
   */
  read(into: Buffer, at: number): Promise<void>;
  close(): Promise<void>;
}

/** Makes the Fault BAD_IMAGE of one image: why it is not taken, as the rest of a sentence. */
export type Bad = (why: string, cause?: unknown) => Fault;

/** @param path as the caller named it */
export const badImage =
  (path: string): Bad =>
  (why, cause) =>
    new Fault('BAD_IMAGE', `image ${path}: ${why}`, { cause });

/** Why a disk of that many bytes is not taken; null: it is. */
export function whyNoDisk(sizeBytes: number): string | null {
  if (sizeBytes <= 0) return 'it holds a disk of no bytes';
  if (sizeBytes > DISK_BYTES_MAX) return `expected a disk of at most 2040 GiB, given ${sizeBytes} bytes`;
  if (sizeBytes % SECTOR === 0) return null;
  return `expected a disk whose size is a multiple of ${SECTOR} bytes, given ${sizeBytes} bytes`;
}
