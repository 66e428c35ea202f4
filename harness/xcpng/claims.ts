/**
 * The claim that every object of ours carries from its create call on: VMs as tags, disks in their
 * description. By it a thing is found whose uuid we never learnt, and a sweep knows what is ours.
 */
import { randomBytes } from 'node:crypto';

/** Anything that Bootwitness made. */
export const OURS = 'bootwitness';

export interface Claim {
  /** The tags, the first one `bootwitness`. No tag holds a space. */
  readonly tags: readonly string[];
  /** The tag that only the objects of this one guest have: image and control of one case differ by it. */
  readonly guestTag: string;
  readonly expires: string;
}

/** On a guest that is kept for a person: it is nobody's left-over before this time by XO's clock. */
export const keptTag = (until: string): string => tag('kept', until);

export interface ClaimOptions {
  readonly runId: string;
  readonly caseId: string;
  /** XO's clock, not ours: whoever sweeps reads that one. */
  readonly xoNowMs: number;
  readonly ttlMs: number;
}

/** Tags stand in a description one after the other, so a value must not hold what separates them. */
export const tag = (key: string, value: string): string =>
  `${OURS}:${key}=${value.replace(/[\s%]/g, encodeURIComponent)}`;

export const runTag = (runId: string): string => tag('run', runId);

/** Names the object itself: a clone or snapshot copies tags and description, but not its uuid. */
export const selfTag = (uuid: string): string => tag('self', uuid);

export function makeClaim({ runId, caseId, xoNowMs, ttlMs }: ClaimOptions): Claim {
  const expires = new Date(xoNowMs + ttlMs).toISOString();
  const guestTag = tag('guest', randomBytes(8).toString('hex'));
  return {
    tags: [OURS, runTag(runId), tag('case', caseId), guestTag, tag('expires', expires)],
    guestTag,
    expires,
  };
}

/** The claim as a disk carries it. @param uuid of the disk, once it is known */
export function claimDescription(claim: Claim, uuid?: string): string {
  return [...claim.tags, ...(uuid === undefined ? [] : [selfTag(uuid)])].join(' ');
}

/** The tags of a description that `claimDescription` made. */
export const tagsOf = (description: string): readonly string[] => description.split(/\s+/);

/** May this object be deleted as ours: it has the tag, and names itself or, being quite new, nobody. */
export function isOwn(tags: readonly string[], wanted: string, uuid: string): boolean {
  const names = tags.filter((each) => each.startsWith(selfTag('')));
  return tags.includes(wanted) && (names.length === 0 || names.includes(selfTag(uuid)));
}
