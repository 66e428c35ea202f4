/** Brings the image onto the SR as a disk of ours, waits until XO lists it, and reads it back where that is wanted. */
import { type Deadline, retry } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import type { GuestOrder, ImportRecord } from '../lab.ts';
import { claimDescription } from './claims.ts';
import { plainSource } from './disk-source.ts';
import { upload } from './import.ts';
import { readyForRest } from './listing.ts';
import { type Making, madeNothing, register } from './making.ts';
import { readBack } from './read-back.ts';
import type { Session } from './session.ts';
import { type Made, takeBack } from './take-back.ts';

const UPLOAD_RETRIES = 2;
const RETRY_AFTER_MS = 500;
const READ_RETRIES = 2;

export interface MadeDisk {
  readonly vdiUuid: string;
  readonly imported: ImportRecord;
}

/**
 * Registers the disk that is to be made. Before its VM is: what is registered last is taken back first, and a disk can
 * only be deleted when the VM that runs from it is gone.
 */
export function intendDisk(making: Making): Made {
  return register(making, 'VDI', making.newClaim());
}

/** @throws Fault as `upload` and `readBack`, XO_OBJECT_LATE, and as `Session.call` */
export async function makeDisk(making: Making, made: Made): Promise<MadeDisk> {
  const { session, order, placement, name } = making;
  const { deadline, image } = order;
  const { claim } = made;
  const options = {
    ...{ source: plainSource(image, order.scratch), srId: placement.srId, name, description: claimDescription(claim) },
    ...{ deadline, onUpload: order.onUpload },
  };
  const retries = { minTimeoutMs: RETRY_AFTER_MS, onRetry: noteRetry(order) };
  const { vdiUuid, record } = await retry(deadline, { ...retries, retries: UPLOAD_RETRIES }, async () => {
    // A try before this one may have left a disk behind, or be about to.
    const left = await takeBack(session, made, deadline);
    if (left.length > 0) throw new Fault('UPLOAD_REFUSED', `a broken upload left something behind: ${left.join('; ')}`);
    await readyForRest(session, made.poolId, deadline);
    made.state = 'unknown';
    try {
      return await upload(session, options);
    } catch (error) {
      if (madeNothing(error)) made.state = 'none';
      throw error;
    }
  });
  made.uuid = vdiUuid;
  made.state = 'answered';
  order.disposals.note('VDI', { uuid: vdiUuid });
  await listedDisk(session, vdiUuid, image.sizeBytes, deadline);
  made.state = 'made';
  await session.call('vdi.set', { id: vdiUuid, name_description: claimDescription(claim, vdiUuid) }, deadline);
  const compare = async (): Promise<boolean> => {
    await readyForRest(session, made.poolId, deadline);
    return readBack(session, vdiUuid, image, deadline);
  };
  const compared = order.readBack && (await retry(deadline, { ...retries, retries: READ_RETRIES }, compare));
  return { vdiUuid, imported: { ...record, readBack: compared, cache: 'off', entry: null } };
}

/** Writes a try that failed into the journal, and says it: it took its time. */
export const noteRetry =
  ({ disposals, onNote }: GuestOrder) =>
  (attempt: number, { code, message }: Fault): void => {
    disposals.note('retry', { attempt, code, message });
    onNote(`${code}: ${message}; try ${attempt + 1} follows`);
  };

/** SRs round a disk up; a smaller one cannot hold the image. */
async function listedDisk(session: Session, vdiUuid: string, sizeBytes: number, deadline: Deadline): Promise<void> {
  const vdi = await session.objects.waitFor(deadline, `disk ${vdiUuid} to be listed`, 'XO_OBJECT_LATE', () => {
    const found = session.objects.get('VDI', vdiUuid);
    return found === undefined ? { seen: 'not listed' } : { done: found };
  });
  if (vdi.sizeBytes >= sizeBytes) return;
  throw new Fault('UPLOAD_REFUSED', `disk ${vdiUuid}: expected at least ${sizeBytes} bytes, given ${vdi.sizeBytes}`);
}
