/** Marks the entries of an image that failed, so that they are still there when somebody looks. */
import type { Deadline } from '../../deadline.ts';
import { xoNowMs } from '../endpoint.ts';
import type { Session } from '../session.ts';
import { readEntries } from './entries.ts';
import { markTag, tagsWith } from './entry-tags.ts';

export interface FailedImage {
  readonly poolId: string;
  /** SHA-256 of the virtual disk. */
  readonly digest: string;
  readonly runId: string;
  readonly keepMs: number;
}

/** @returns how many entries are kept for it @throws Fault as `Session.call` */
export async function keepFailed(
  session: Session,
  { poolId, digest, runId, keepMs }: FailedImage,
  deadline: Deadline,
): Promise<number> {
  const own = readEntries(session.objects.raws).filter(
    (entry) => entry.pool === poolId && entry.digest === digest && entry.state === 'ready',
  );
  for (const { id, tags } of own) {
    await session.call('tag.add', { id, tag: markTag('failed', runId, xoNowMs(session) + keepMs) }, deadline);
    // The newest says how long; XO's tags are no diary.
    for (const tag of tagsWith(tags, 'failed')) await session.call('tag.remove', { id, tag }, deadline);
  }
  return own.length;
}
