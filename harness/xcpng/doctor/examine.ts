/** Examines a lab from the inside of a session. Nothing is changed but where the operator lets it write. */
import type { Deadline } from '../../deadline.ts';
import type { Finding } from '../../finding.ts';
import { look, ok } from '../../finding.ts';
import type { PlannedImage } from '../../model.ts';
import { resolvePlacement } from '../placement.ts';
import { openSession, type Session } from '../session.ts';
import type { XoLabSettings } from '../settings.ts';
import { cacheFinding } from './cache-finding.ts';
import { consoleFinding } from './console-finding.ts';
import { pathFindings } from './path-findings.ts';
import { placeFindings, placeOf } from './place-findings.ts';
import { roomFindings } from './room-findings.ts';
import { sessionFindings } from './session-findings.ts';
import { checkScratch, type WriteTarget, writeTest } from './write-test.ts';

/** What the operator lets the doctor write to. */
export type WriteWish =
  | { readonly kind: 'sr'; readonly name: string }
  | { readonly kind: 'vdi'; readonly uuid: string };

export interface ExamineWish {
  /** Null: none was named. */
  readonly image: PlannedImage | null;
  /** Null: nothing is changed. */
  readonly write: WriteWish | null;
}

/** @throws Fault BAD_PLACEMENT, BAD_OPTION */
function targetOf(session: Session, settings: XoLabSettings, wish: WriteWish): WriteTarget {
  if (wish.kind === 'vdi') {
    checkScratch(session, wish.uuid);
    return wish;
  }
  const { srId, pool } = resolvePlacement(session.objects, { ...settings, sr: wish.name });
  return { kind: 'sr', srId, poolId: pool.id };
}

/**
 * @param deadline for everything together
 * @returns what was found; where nobody could sign in, just that
 * @throws Fault BAD_PLACEMENT, BAD_OPTION where nothing may be written; the interrupt, and our own bugs
 */
export async function examineXo(
  settings: XoLabSettings,
  { image, write }: ExamineWish,
  deadline: Deadline,
): Promise<readonly Finding[]> {
  const { url, credential, tls } = settings;
  const opening = openSession({ url, credential, tls, deadline });
  const signedIn = await look('xo-sign-in', async () => ok(`as ${(await opening).user.email}`));
  if (signedIn.status === 'broken') return [signedIn];
  const session = await opening;
  try {
    const target = write === null ? null : targetOf(session, settings, write);
    const findings = [signedIn, ...(await looked(session, settings, image, deadline))];
    return target === null ? findings : [...findings, ...(await writeTest(session, target, deadline))];
  } finally {
    await session.close();
  }
}

/** Everything that changes nothing. */
async function looked(
  session: Session,
  settings: XoLabSettings,
  image: PlannedImage | null,
  deadline: Deadline,
): Promise<readonly Finding[]> {
  const place = placeOf(session, settings);
  const { placement } = place;
  const findings = [
    ...(await sessionFindings(session, settings, place.pool?.id ?? null, deadline)),
    ...(await placeFindings(session, settings, place, image, deadline)),
  ];
  if (placement !== null) findings.push(...(await roomFindings(session, settings, placement, image)));
  // Without an SR there is nothing that a new disk could be offered to.
  const srId = placement?.srId ?? null;
  if (srId !== null || settings.fixed !== null) findings.push(...(await pathFindings(session, srId, deadline)));
  const cache = await cacheFinding(session, settings);
  return [...findings, ...(cache === null ? [] : [cache]), await consoleFinding(session, settings, deadline)];
}
