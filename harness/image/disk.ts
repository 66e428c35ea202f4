/** A virtual disk that can be read at any place, whatever holds it: what planning, sending and the lint read. */

/** The grain in which a disk is known to hold something: XCP-ng's own VHD block, in bytes. */
export const BLOCK_BYTES = 2 * 1024 * 1024;

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
