/** Looks, after clean-up, whether something stayed: that XO says deleted proves nothing. */
import { cleanUpBudget, type World } from '../boot/boot.ts';
import { retry } from '../deadline.ts';
import type { Case } from '../model.ts';
import type { LateWriting } from '../workdir/late-writing.ts';

/** One listing after clean-up; an answer may be lost, and asking again does no harm. */
const LIST_MS = 60_000;
const LIST_RETRIES = 2;
const LIST_RETRY_AFTER_MS = 500;

/** What carries our claim still, one line each; that nobody could be asked is such a line. */
export async function listAgain(theCase: Case, world: World, late: LateWriting): Promise<readonly string[]> {
  try {
    const deadline = cleanUpBudget(world, theCase.scenario.budgets);
    const options = { retries: LIST_RETRIES, minTimeoutMs: LIST_RETRY_AFTER_MS, onRetry: () => undefined };
    const listed = await retry(deadline, options, () => world.lab.claimed(theCase.runId, deadline.within(LIST_MS)));
    late.attempt(() => world.journal({ event: 'listed-again', listed }));
    return listed;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    late.attempt(() => world.journal({ event: 'list-failed', why }));
    return [`unknown: the lab could not be listed again after clean-up (${why})`];
  }
}

/** Clean-up and the listing name the same thing in their own words (`<type> <uuid> …`): it counts once. */
export function withoutTwins(left: readonly string[], listed: readonly string[]): readonly string[] {
  const subject = (text: string): string => text.split(' ', 2).join(' ');
  const named = new Set(left.map(subject));
  return [...new Set([...left, ...listed.filter((text) => !named.has(subject(text)))])];
}
