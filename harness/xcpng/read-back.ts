/** Reads a whole disk back and compares it with what was sent; what the SR rounded up must be zeros. */
import { createHash } from 'node:crypto';
import type { Deadline } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import type { DiskSource } from './disk-source.ts';
import { readDisk } from './read-disk.ts';
import type { Session } from './session.ts';

/**
 * @returns false where this Xen Orchestra has no way to read a disk
 * @throws Fault READ_BACK_DIFFERS, XO_UNREACHABLE (retriable), XO_CALL_FAILED, and the interrupt
 */
export async function readBack(
  session: Session,
  vdiUuid: string,
  { sizeBytes, sha256 }: Pick<DiskSource, 'sizeBytes' | 'sha256'>,
  deadline: Deadline,
): Promise<boolean> {
  const differs = (how: string): never => {
    throw new Fault('READ_BACK_DIFFERS', `disk ${vdiUuid} read back: ${how}`);
  };
  const hash = createHash('sha256');
  let bytes = 0;
  const read = await readDisk(session, vdiUuid, deadline, (piece) => {
    const ours = piece.subarray(0, Math.max(0, sizeBytes - bytes));
    hash.update(ours);
    const at = piece.subarray(ours.length).findIndex((byte) => byte !== 0);
    if (at >= 0) differs(`something stands behind the image, at byte ${bytes + ours.length + at}`);
    bytes += piece.length;
  });
  if (!read) return false;
  if (bytes < sizeBytes) differs(`expected at least ${sizeBytes} bytes, given ${bytes}`);
  const digest = hash.digest('hex');
  if (digest !== sha256) differs(`expected sha256 ${sha256}, given ${digest}`);
  return true;
}
