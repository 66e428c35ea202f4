/** What a run left of an entry that it did not finish; a finished one is no left-over. */
import type { Deadline } from '../../deadline.ts';
import { selfTag } from '../claims.ts';
import { type Listed, listTagged } from '../listing.ts';
import type { Session } from '../session.ts';
import { makerTag, tagsWith } from './entry-tags.ts';

/** @throws Fault as `listTagged` */
export async function listUnfinished(
  session: Session,
  poolId: string,
  runId: string,
  deadline: Deadline,
): Promise<readonly Listed[]> {
  const all = await listTagged(session, poolId, makerTag(runId), deadline);
  const own = all.filter(({ id, tags }) => tagsWith(tags, 'self').every((tag) => tag === selfTag(id)));
  const ready = own.flatMap(({ tags }) => tagsWith(tags, 'ready'));
  return own.filter(({ id, tags }) => tagsWith(tags, 'ready').length === 0 && !ready.some((tag) => tag.includes(id)));
}
