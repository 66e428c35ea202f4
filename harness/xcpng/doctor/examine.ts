/** Examines a lab from the inside of a session, without changing anything there. */
import type { Deadline } from '../../deadline.ts';
import type { Finding } from '../../finding.ts';
import { look, ok } from '../../finding.ts';
import type { PlannedImage } from '../../model.ts';
import { openSession } from '../session.ts';
import type { XoLabSettings } from '../settings.ts';
import { consoleFinding } from './console-finding.ts';
import { pathFindings } from './path-findings.ts';
import { placeFindings, placeOf } from './place-findings.ts';
import { sessionFindings } from './session-findings.ts';

/**
 * @param image null: none was named
 * @param deadline for everything together
 * @returns what was found; where nobody could sign in, just that
 * @throws the interrupt, and our own bugs
 */
export async function examineXo(
  settings: XoLabSettings,
  image: PlannedImage | null,
  deadline: Deadline,
): Promise<readonly Finding[]> {
  const { url, credential, tls, fixed } = settings;
  const opening = openSession({ url, credential, tls, deadline });
  const signedIn = await look('xo-sign-in', async () => ok(`as ${(await opening).user.email}`));
  if (signedIn.status === 'broken') return [signedIn];
  const session = await opening;
  try {
    const place = placeOf(session, settings);
    const findings = [
      signedIn,
      ...(await sessionFindings(session, settings, place.pool?.id ?? null, deadline)),
      ...(await placeFindings(session, settings, place, image, deadline)),
    ];
    // Without an SR there is nothing that a new disk could be offered to.
    const srId = place.placement?.srId ?? null;
    if (srId !== null || fixed !== null) findings.push(...(await pathFindings(session, srId, deadline)));
    findings.push(await consoleFinding(session, settings, deadline));
    return findings;
  } finally {
    await session.close();
  }
}
