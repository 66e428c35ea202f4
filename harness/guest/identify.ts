/**
 * Proves, before any probe counts, that the machine which answered is our VM and that it booted our
 * image (design §4.7). The judgements themselves are pure and live in `identity.ts`.
 */
import type { Booted, World } from '../boot/boot.ts';
import { budget } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import type { Case } from '../model.ts';
import type { SshSession } from '../ssh/session.ts';
import { imageScript, judgeImage, judgeMachine, machineScript } from './identity.ts';
import { interview } from './interview.ts';

/** A guest that answered. */
export interface Answered extends Booted {
  readonly session: SshSession;
}

/** How the image was proven: found again on the guest's disk, or written and read back in this run. */
export type ImageProof = 'verified' | 'chain';

/**
 * @returns the id of its boot; null: it cannot tell
 * @throws Fault WRONG_GUEST on a mismatch, SSH_COMMAND_FAILED where it runs no command, PROBE_UNOBSERVED where it
 *   cannot tell.
 */
export async function confirmMachine(world: World, theCase: Case, answered: Answered): Promise<string | null> {
  const budgetMs = budget(world, theCase.scenario.budgets.probeS).budgetMs;
  const asked = performance.now();
  const question = { name: 'guest-identity', body: machineScript, budgetMs };
  const answer = await interview(world, answered.session, question);
  lostSession(answered.session);
  // Measured when the answer is here: the guest read its uptime before that, never after.
  const sinceStartMs = performance.now() - answered.startedAtMs;
  const judged = judgeMachine(answer.observation, {
    uuid: answered.guest.uuid,
    macs: answered.guest.macs,
    sinceStartMs,
  });
  world.log.info({ judged, tookMs: performance.now() - asked }, 'guest identity');
  world.evidence.record('judged', 'guest-identity', judged);
  if (judged.state === 'verified') return judged.bootId;
  if (answer.observation.state === 'unseen') {
    const { user, become } = world.login;
    const who = `user ${user}${become === null ? '' : `, root by ${become}`}`;
    throw new Fault('SSH_COMMAND_FAILED', `logged in (${who}), and the first command failed: ${judged.reason}`);
  }
  throw new Fault(judged.state === 'mismatch' ? 'WRONG_GUEST' : 'PROBE_UNOBSERVED', `guest identity: ${judged.reason}`);
}

/** @throws Fault IMAGE_UNPROVEN where nothing shows that this image was booted, or something shows that it was not. */
export async function confirmImage(world: World, theCase: Case, answered: Answered): Promise<ImageProof> {
  const { image, facts, scenario } = theCase;
  const { guest } = answered;
  const chain = guest.imported.readBack && guest.onlyDisk;
  if (image.identity === null) {
    if (chain) return 'chain';
    throw new Fault('IMAGE_UNPROVEN', 'the image has no GPT to recognise it by, and the disk was not read back');
  }
  const budgetMs = budget(world, scenario.budgets.probeS).budgetMs;
  const answer = await interview(world, answered.session, { name: 'image-identity', body: imageScript, budgetMs });
  lostSession(answered.session);
  const judged = judgeImage(answer.observation, image.identity);
  world.evidence.record('judged', 'image-identity', judged);
  if (judged.state === 'mismatch') {
    throw new Fault('IMAGE_UNPROVEN', `the guest booted from another disk: ${judged.reason}`);
  }
  // The closure itself is judged by its check; here it only matters that somebody named it.
  if (judged.state === 'verified' && facts.expectedClosure !== null) return 'verified';
  if (chain) return 'chain';
  const why = judged.state === 'unreadable' ? judged.reason : 'nobody named the closure of the image';
  throw new Fault('IMAGE_UNPROVEN', `${why}, and the disk was not read back`);
}

/** True where identity will need the disk to be read back before boot. */
export function needsReadBack(theCase: Case): boolean {
  return theCase.image.identity === null || theCase.facts.expectedClosure === null;
}

function lostSession(session: SshSession): void {
  const lost = session.lost();
  if (lost !== null) throw new Fault('SSH_LOST', `the SSH connection ended while the guest was identified: ${lost}`);
}
