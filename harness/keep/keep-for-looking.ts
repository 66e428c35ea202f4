/** An image that failed is kept in the lab for a while: whoever looks at the failure boots it again. */
import type { World } from '../boot/boot.ts';
import { Deadline } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import type { Case } from '../model.ts';

/** Two tags. */
const KEEP_MS = 30_000;

/** That it could not be kept changes no verdict. */
export async function keepForLooking({ runId, image }: Case, { lab, log, tell }: World): Promise<void> {
  try {
    await lab.keepFailed(runId, image, Deadline.after(KEEP_MS, new AbortController().signal));
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    log.warn({ err: error }, 'keep the image that failed');
    tell({ event: 'warning', text: `cache: the image may not be kept for another look: ${error.message}` });
  }
}
