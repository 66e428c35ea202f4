/** What XO lists, asked afresh: the proof that something is gone, or what of a claim is still there. */
import type { Deadline } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import { tagsOf } from './claims.ts';
import type { Session } from './session.ts';
import { objectMap } from './wire.ts';

/** One object that carries a tag of ours, in its tags or its description. */
export interface Listed {
  readonly type: string;
  readonly id: string;
  readonly name: string;
  readonly tags: readonly string[];
}

type Raw = Readonly<Record<string, unknown>>;

function listed(id: string, raw: Raw, tags: readonly unknown[]): Listed {
  const strings = tags.filter((each) => typeof each === 'string');
  return { type: String(raw.type), id, name: String(raw.name_label ?? ''), tags: strings };
}

/** @throws Fault XO_OBJECT_LATE when XO shows no pool until the deadline */
export async function poolShown({ objects }: Session, poolId: string, deadline: Deadline): Promise<void> {
  await objects.waitFor(deadline, 'XO to show its pool', 'XO_OBJECT_LATE', () =>
    objects.poolPresent(poolId) ? { done: true } : { seen: 'neither pool nor host are listed' },
  );
}

/**
 * XO that has just been started, or has lost its pool for a moment, lists nothing: that proves nothing.
 * @throws Fault XO_OBJECT_LATE when XO shows no pool until the deadline
 */
export async function somePoolShown({ objects }: Session, deadline: Deadline): Promise<void> {
  await objects.waitFor(deadline, 'Xen Orchestra to show a pool', 'XO_OBJECT_LATE', () =>
    objects.all('pool').some(({ id }) => objects.poolPresent(id)) ? { done: true } : { seen: 'no pool with a host' },
  );
}

/**
 * REST has no session: before a request is sent, or sent again, the connection and the pool are waited for, as they are
 * for a call.
 * @throws Fault XO_OBJECT_LATE, and as `Session.call`
 */
export async function readyForRest(session: Session, poolId: string, deadline: Deadline): Promise<void> {
  await session.call('system.getVersion', {}, deadline);
  await poolShown(session, poolId, deadline);
}

/**
 * Asks XO for everything with this tag: any type by its tags, disks by their description as well.
 * Only while the pool is there does an empty list say that nothing is left.
 * @throws Fault XO_OBJECT_LATE when XO shows no pool until the deadline, and as `Session.call`
 */
export async function listTagged(session: Session, poolId: string, tag: string, deadline: Deadline): Promise<Listed[]> {
  await poolShown(session, poolId, deadline);
  const [tagged, disks] = await Promise.all([
    session.call('xo.getAllObjects', { filter: { tags: [tag] } }, deadline),
    session.call('xo.getAllObjects', { filter: { type: 'VDI' } }, deadline),
  ]);
  const found = new Map<string, Listed>();
  for (const [id, raw] of objectMap(tagged, 'xo.getAllObjects')) {
    const tags = Array.isArray(raw.tags) ? raw.tags : [];
    // A server that knows no such filter would list everything: look again ourselves.
    if (tags.includes(tag)) found.set(id, listed(id, raw, tags));
  }
  for (const [id, raw] of objectMap(disks, 'xo.getAllObjects')) {
    const tags = typeof raw.name_description === 'string' ? tagsOf(raw.name_description) : [];
    if (tags.includes(tag)) found.set(id, listed(id, raw, tags));
  }
  if (!session.objects.poolPresent(poolId)) {
    throw new Fault('XO_OBJECT_LATE', 'XO lost its pool while it was listed: the list proves nothing');
  }
  return [...found.values()];
}

export const describeListed = ({ type, id, name }: Listed): string => `${type} ${id} ${name}`;
