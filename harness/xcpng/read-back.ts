/** Reads a whole disk back and compares it with what was sent; what the SR rounded up must be zeros. */
import { createHash } from 'node:crypto';
import type { Deadline } from '../deadline.ts';
import { Fault } from '../faults.ts';
import type { DiskSource } from './disk-source.ts';
import { cutByDeadline, errorText, readText, send } from './rest.ts';
import { isUnknownRoute, NO_SUCH_OBJECT, statusCode } from './send-disk.ts';
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
  const path = `/rest/v0/vdis/${vdiUuid}.raw`;
  const differs = (how: string): never => {
    throw new Fault('READ_BACK_DIFFERS', `disk ${vdiUuid} read back: ${how}`);
  };
  try {
    return await cutByDeadline(deadline, 'XO_UNREACHABLE', `GET ${path}`, async (signal) => {
      const { token, endpoint } = session;
      const response = await send(endpoint, { method: 'GET', path, token }, signal);
      const status = response.statusCode ?? 0;
      if (status >= 300) {
        const text = await readText(response);
        if (isUnknownRoute({ status, text })) return false;
        if (status === NO_SUCH_OBJECT && (await session.objects.poolCameBack(deadline))) {
          throw new Fault('XO_UNREACHABLE', `GET ${path}: Xen Orchestra had lost its pool`);
        }
        throw new Fault(statusCode(status, 'XO_CALL_FAILED'), `GET ${path}: ${status} ${errorText(text)}`);
      }
      const hash = createHash('sha256');
      let bytes = 0;
      for await (const piece of response as AsyncIterable<Buffer>) {
        const ours = piece.subarray(0, Math.max(0, sizeBytes - bytes));
        hash.update(ours);
        const at = piece.subarray(ours.length).findIndex((byte) => byte !== 0);
        if (at >= 0) differs(`something stands behind the image, at byte ${bytes + ours.length + at}`);
        bytes += piece.length;
      }
      if (bytes < sizeBytes) differs(`expected at least ${sizeBytes} bytes, given ${bytes}`);
      const digest = hash.digest('hex');
      if (digest !== sha256) differs(`expected sha256 ${sha256}, given ${digest}`);
      return true;
    });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (error instanceof Fault || code === '') throw error;
    throw new Fault('XO_UNREACHABLE', `GET ${path}: ${code}`, { cause: error });
  }
}
