/** Reads a disk of the lab from its first byte to its last, piece by piece. */
import type { Deadline } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import { cutByDeadline, errorText, readText, send } from './rest.ts';
import { isUnknownRoute, NO_SUCH_OBJECT, statusCode } from './send-disk.ts';
import type { Session } from './session.ts';

/**
 * @param take is given each piece, in order
 * @returns false where this Xen Orchestra has no way to read a disk
 * @throws Fault XO_UNREACHABLE (retriable), XO_TOKEN_EXPIRED, XO_PERMISSION, XO_CALL_FAILED, what `take` throws, and
 *   the interrupt
 */
export async function readDisk(
  { token, endpoint, objects }: Session,
  vdiUuid: string,
  deadline: Deadline,
  take: (piece: Buffer) => void,
): Promise<boolean> {
  const path = `/rest/v0/vdis/${vdiUuid}.raw`;
  try {
    return await cutByDeadline(deadline, 'XO_UNREACHABLE', `GET ${path}`, async (signal) => {
      const response = await send(endpoint, { method: 'GET', path, token }, signal);
      const status = response.statusCode ?? 0;
      if (status >= 300) {
        const text = await readText(response);
        if (isUnknownRoute({ status, text })) return false;
        if (status === NO_SUCH_OBJECT && (await objects.poolCameBack(deadline))) {
          throw new Fault('XO_UNREACHABLE', `GET ${path}: Xen Orchestra had lost its pool`);
        }
        throw new Fault(statusCode(status, 'XO_CALL_FAILED'), `GET ${path}: ${status} ${errorText(text)}`);
      }
      for await (const piece of response as AsyncIterable<Buffer>) take(piece);
      return true;
    });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (error instanceof Fault || code === '') throw error;
    throw new Fault('XO_UNREACHABLE', `GET ${path}: ${code}`, { cause: error });
  }
}
