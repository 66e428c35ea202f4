/** Writes into the pool that a VM or a disk of ours is kept for a person, and until when: sweeps read it there. */
import { type Deadline, retry } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import { claimDescription, keptTag } from './claims.ts';
import type { Session } from './session.ts';
import { type Made, takeBack } from './take-back.ts';

const RETRIES = 3;
const RETRY_AFTER_MS = 500;
const CALL_MS = 30_000;

/**
 * Of a thing that was asked for without an answer nobody knows whether it is there: that is taken back.
 * @throws Fault XO_OBJECT_LATE, and as `Session.call`
 */
export async function keepMade(session: Session, made: Made, until: string, deadline: Deadline): Promise<void> {
  const { state, uuid, kind, claim } = made;
  if (state === 'none') return;
  if (state === 'unknown' || uuid === null) {
    const left = await takeBack(session, made, deadline);
    if (left.length > 0) throw new Fault('XO_OBJECT_LATE', `not kept, and still there: ${left.join('; ')}`);
    return;
  }
  const kept = keptTag(until);
  const retries = { retries: RETRIES, minTimeoutMs: RETRY_AFTER_MS, onRetry: () => undefined };
  await retry(deadline, retries, async () => {
    const within = deadline.within(CALL_MS);
    if (kind === 'VM') return void (await session.call('tag.add', { id: uuid, tag: kept }, within));
    const description = `${claimDescription(claim, uuid)} ${kept}`;
    await session.call('vdi.set', { id: uuid, name_description: description }, within);
  });
  await session.objects.waitFor(deadline, `${kind} ${uuid} to be shown as kept`, 'XO_OBJECT_LATE', () => {
    const shown =
      kind === 'VM'
        ? session.objects.get('VM', uuid)?.tags.includes(kept)
        : session.objects.get('VDI', uuid)?.description.includes(kept);
    return shown ? { done: true } : { seen: 'it does not carry the tag' };
  });
}
